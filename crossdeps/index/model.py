"""What exists: one file that an index offers, and a project's page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from crossdeps.text import read_origin

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from packaging.utils import NormalizedName


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFile:
    """One file of a project, as an index describes it (PEP 691, PEP 700, PEP 503).

    :param filename: the last part of the URL path, decoded once; never used as a path
    :param url: absolute, without credentials and fragment
    :param hashes: algorithm -> lower-case hex digest; may be empty
    :param size: bytes, if stated
    :param requires_python: as written, unparsed
    :param upload_time: aware datetime, if stated (PEP 700)
    :param yanked: None, or the reason (``""`` where none was given) (PEP 592)
    :param metadata_hashes: hashes of the metadata file beside it (PEP 658, PEP 714); an empty
        mapping where it is offered without hashes; None where it isn't offered
    :param index: the index page's root URL, without credentials, for reports and locks
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


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectPage:
    """All files of one project, from every index that was asked, in the order of the indexes.

    :param project: normalised name
    :param files: in page order; empty where no index knows the project
    :param asked: roots of the indexes asked, without credentials
    :param found_on: roots of those that know the project
    :param warnings: what was skipped on the pages and why
    """

    project: NormalizedName
    files: Sequence[ProjectFile]
    asked: tuple[str, ...]
    found_on: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Index(Protocol):
    """What the resolver asks of an index. Safe to call from several threads."""

    def page(self, project: NormalizedName) -> ProjectPage:
        """All files of *project*; one request each index, then from memory.

        :raises IndexAccessError: if an index can't be reached or understood
        """

    def prefetch(self, projects: Sequence[NormalizedName]) -> None:
        """Start to fetch pages that are likely to be asked for; errors wait until they are."""

    def metadata(self, file: ProjectFile) -> bytes:
        """The core metadata (METADATA) of a wheel, by the cheapest way that the index offers.

        :raises IndexAccessError: if it can't be fetched
        :raises IntegrityError: if what was fetched is wrong
        """

    def prefetch_metadata(self, files: Sequence[ProjectFile]) -> None:
        """Start to fetch metadata that is likely to be asked for."""


# A page is asked for again after this many seconds, whatever its index says: new releases and
# yanks must be seen some day.
LONGEST_FRESHNESS = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedPage:
    """A page as an index gave it.

    :param url: the final URL, after redirects, without credentials
    :param content_type: the Content-Type header
    :param etag: for ``If-None-Match``; empty where there was none
    :param last_modified: for ``If-Modified-Since``; empty where there was none
    :param fetched: seconds since the epoch when it was last known to be right
    :param fresh_for: seconds after that in which it needn't be asked for
    """

    url: str
    content_type: str
    body: bytes
    etag: str = ""
    last_modified: str = ""
    fetched: float
    fresh_for: float

    def is_fresh(self, now: float) -> bool:
        """Whether it can be used without asking; never when the clock went backwards."""
        return 0 <= now - self.fetched < self.fresh_for

    def conditions(self) -> dict[str, str]:
        """Headers that ask whether it is still right (RFC 9110, section 13.1)."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageHead:
    """A kept page without its body.

    :param page: its body is empty here
    :param body_sha256: of the body that is kept
    """

    page: CachedPage
    body_sha256: bytes

    def says(self, page: CachedPage) -> bool:
        """Whether keeping *page* would change nothing that is read later."""
        same = replace(page, body=b"", fetched=self.page.fetched) == self.page
        return (
            same and not page.fresh_for and self.body_sha256 == hashlib.sha256(page.body).digest()
        )


def read_freshness(headers: Mapping[str, str]) -> float | None:
    """Seconds for which an answer stays fresh (RFC 9111); None where it may not be stored.

    Without ``max-age`` an answer isn't fresh at all, and asked for again.
    """
    directives = headers.get("Cache-Control", "").lower()
    if "no-store" in directives:
        return None
    found = re.search(r"(?:^|[\s,])max-age=\"?([0-9]{1,10})", directives)
    if "no-cache" in directives or found is None:
        return 0.0
    age = headers.get("Age", "").strip()
    spent = int(age) if age.isascii() and age.isdigit() and len(age) <= 10 else 0
    return float(max(min(int(found[1]), LONGEST_FRESHNESS) - spent, 0))


# (user, password) for a URL whose origin the user named, else None.
CredentialsLookup = Callable[[str], "tuple[str, str] | None"]


def no_credentials(_url: str) -> tuple[str, str] | None:
    """Know nobody."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """How the network is to be used.

    :param timeout: seconds without a connection or a byte before an attempt counts as failed
    :param retries: further attempts after the first
    :param deadline: seconds for everything that one page or one metadata costs, waits included
    :param download_deadline: the same for one file
    :param longest_wait: seconds of ``Retry-After`` that are obeyed; a server that wants more fails
    :param backoff: seconds before the first retry; each later one waits twice as long
    :param certificates: path of a CA bundle; None uses the one that comes with requests
    :param client_certificate: path of a PEM file with certificate and key
    :param proxies: URL scheme -> proxy URL
    :param unproxied: hosts and domains that are reached without the proxy (``NO_PROXY``)
    :param trusted_hosts: ``host`` or ``host:port`` whose certificate isn't checked
    """

    timeout: float = 15.0
    retries: int = 3
    deadline: float = 120.0
    download_deadline: float = 3600.0
    longest_wait: float = 60.0
    backoff: float = 0.3
    certificates: str | None = None
    client_certificate: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    unproxied: tuple[str, ...] = ()
    trusted_hosts: frozenset[str] = frozenset()

    def trusts(self, url: str) -> bool:
        """Whether the certificate of this host goes unchecked, as the user asked."""
        _, host, port = read_origin(url)
        return host in self.trusted_hosts or f"{host}:{port}" in self.trusted_hosts

    def proxies_for(self, url: str) -> dict[str, str]:
        """The proxies for *url*: none for a host, or a host of a domain, that is unproxied."""
        _, host, port = read_origin(url)
        for each in self.unproxied:
            name, _, only_port = each.strip().lower().lstrip("*").lstrip(".").partition(":")
            if each.strip() == "*":
                return {}
            if only_port and only_port != str(port):
                continue
            if name and (host == name or host.endswith("." + name)):
                return {}
        return dict(self.proxies)
