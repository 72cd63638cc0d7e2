"""What an index offers: files, project pages, and how to connect to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from crossdeps.text import is_http, show_url, split_credentials

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from crossdeps.config.index_options import IndexOptions

Origin = tuple[str, str, int | None]
"""Scheme, host and port (RFC 6454); credentials are never sent to another origin."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_origin(url: str) -> Origin:
    """Return scheme, lower-case host and effective port of *url* (RFC 6454, section 4).

    :raises ValueError: if the port is not a number
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 - loads much

    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme)


class ProjectFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a project, as an index describes it (PEP 691, PEP 700, PEP 503).

    :param filename: the last part of the URL path, decoded once; never used as a path
    :param url: absolute, without credentials and fragment
    :param hashes: algorithm -> lower-case hex digest; may be empty
    :param size: bytes, if stated
    :param requires_python: as written, unparsed
    :param upload_time: aware datetime, if stated (PEP 700)
    :param yanked: None, or the reason (``""`` if none is given) (PEP 592)
    :param metadata_hashes: hashes of the metadata file beside it (PEP 658, PEP 714); an empty
        mapping if it is offered without hashes; None if it is not offered
    :param index: URL of the index, without credentials, for reports and locks
    """

    filename: str
    url: str
    hashes: Mapping[str, str]
    size: int | None = None
    requires_python: str | None = None
    upload_time: datetime.datetime | None = None
    yanked: str | None = None
    metadata_hashes: Mapping[str, str] | None = None
    index: str = ""


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True):
    """All files of one project, from every index that was searched, in the order of the indexes.

    :param project: normalised name
    :param files: in page order; empty if no index has the project
    :param searched: URLs of the indexes searched, without credentials
    :param found_on: URLs of those that have the project
    :param digest: of all that the pages of *found_on* say; empty if it is unknown
    """

    project: NormalizedName
    files: Sequence[ProjectFile]
    searched: tuple[str, ...]
    found_on: tuple[str, ...]
    digest: str = ""


class Index(Protocol):
    """What the resolver needs of an index. Safe to call from several threads."""

    def page(self, project: NormalizedName) -> ProjectPage:
        """All files of *project*; one request to each index, then from memory.

        :raises IndexAccessError: if an index cannot be reached, or its response cannot be read
        """

    def is_at_hand(self, project: NormalizedName) -> bool:
        """Whether :meth:`page` answers without a request."""

    def prefetch(self, projects: Sequence[NormalizedName]) -> None:
        """Start to fetch pages that are likely to be needed; :meth:`page` raises the errors."""

    def metadata(self, file: ProjectFile) -> bytes:
        """The core metadata (METADATA) of a wheel, by the cheapest way that the index offers.

        :raises IndexAccessError: if it cannot be fetched
        :raises IntegrityError: if what was fetched is wrong
        """

    def mark_metadata_used(self, file: ProjectFile) -> None:
        """Keep cached metadata, whose meaning was kept beside it, from being pruned."""

    def prefetch_metadata(self, files: Sequence[ProjectFile]) -> None:
        """Start to fetch metadata that is likely to be needed."""


class IndexLocation(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look for files.

    :param kind: ``simple``: a simple repository with a page for each project; ``links``: a
        find-links page or directory with the files of many projects
    :param root: URL or path, without credentials
    """

    kind: Literal["simple", "links"]
    root: str

    @classmethod
    def create(cls, kind: Literal["simple", "links"], url: str) -> IndexLocation:
        """The location of a URL or path, which may contain credentials."""
        return cls(kind=kind, root=split_credentials(url)[0] if is_http(url) else url)

    @property
    def shown(self) -> str:
        """The root for messages and reports."""
        return _show_root(self.root)

    def page_url(self, project: str) -> str:
        """The URL of a project's page, ending in a slash (PEP 503)."""
        return self.root if self.kind == "links" else f"{self.root.rstrip('/')}/{project}/"


@lru_cache(maxsize=64)
def _show_root(root: str) -> str:
    return show_url(root)


def read_locations(options: IndexOptions) -> tuple[IndexLocation, ...]:
    """Every index, then every find-links location, in order and without credentials."""
    indexes = [IndexLocation.create("simple", url) for url in options.index_urls]
    links = [IndexLocation.create("links", url) for url in options.find_links]
    return tuple(dict.fromkeys((*indexes, *links)))


# (user, password) for a URL whose origin the user configured, else None.
CredentialsLookup = Callable[[str], "tuple[str, str] | None"]


def no_credentials(_url: str) -> tuple[str, str] | None:
    """Find no credentials."""
    return None


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """How to connect to servers.

    :param timeout: seconds without a connection or a byte before an attempt counts as failed
    :param retries: further attempts after the first
    :param deadline: seconds for all attempts at one page or metadata file, waits included
    :param download_deadline: the same for the download of one file
    :param longest_wait: seconds; a ``Retry-After`` beyond this is an error
    :param backoff: seconds before the first retry; doubled for each later one
    :param certificates: path of a CA bundle; None uses the one that comes with requests
    :param client_certificate: path of a PEM file with certificate and key
    :param proxies: URL scheme -> proxy URL
    :param unproxied: hosts and domains that are reached without the proxy (``NO_PROXY``)
    :param trusted_hosts: ``host`` or ``host:port`` whose certificate is not checked
    """

    timeout: float = 15.0
    retries: int = 3
    deadline: float = 120.0
    download_deadline: float = 3600.0
    longest_wait: float = 60.0
    backoff: float = 0.3
    certificates: str | None = None
    client_certificate: str | None = None
    proxies: Mapping[str, str] = msgspec.field(default_factory=dict)
    unproxied: tuple[str, ...] = ()
    trusted_hosts: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Without the proxies: their URLs may contain passwords."""
        return f"Connection(timeout={self.timeout}, retries={self.retries}, ...)"

    def is_trusted(self, url: str) -> bool:
        """Whether the user turned off the certificate check for this host."""
        _, host, port = read_origin(url)
        return host in self.trusted_hosts or f"{host}:{port}" in self.trusted_hosts

    def proxies_for(self, url: str) -> dict[str, str]:
        """The proxies for *url*: none if its host, or a domain above it, is unproxied."""
        _, host, port = read_origin(url)
        for entry in self.unproxied:
            name, _, only_port = entry.strip().lower().lstrip("*").lstrip(".").partition(":")
            if entry.strip() == "*":
                return {}
            if only_port and only_port != str(port):
                continue
            if name and (host == name or host.endswith("." + name)):
                return {}
        return dict(self.proxies)


def read_connection(options: IndexOptions) -> Connection:
    """The network options of *options*, with the defaults of those that are not specified."""
    default = Connection()
    return Connection(
        timeout=default.timeout if options.timeout is None else options.timeout,
        retries=default.retries if options.retries is None else options.retries,
        certificates=options.cert,
        client_certificate=options.client_cert,
        proxies=options.proxies,
        unproxied=options.no_proxy,
        trusted_hosts=frozenset(host.lower() for host in options.trusted_hosts),
    )
