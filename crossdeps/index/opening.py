"""From options to a client: places, connection and who may see which credentials."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.index.cache import IndexCache
from crossdeps.index.client import IndexClient
from crossdeps.index.connection import Connection
from crossdeps.index.fetching import Place
from crossdeps.index.origins import is_http, split_credentials
from crossdeps.inputs.credentials import Credentials
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crossdeps.index.connection import CredentialsLookup
    from crossdeps.index.session import Session
    from crossdeps.inputs.index_options import IndexOptions
    from crossdeps.progress import Progress

USER_AGENT = f"crossdeps/{__version__}"


def open_index(
    options: IndexOptions,
    *,
    cache: Path | None = None,
    offline: bool = False,
    credentials: CredentialsLookup | None = None,
    project_indexes: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> IndexClient:
    """Open every index and find-links place of *options* as one client. Asks nothing yet.

    :param cache: directory for pages and metadata; None keeps nothing between runs
    :param offline: forbid the network: only what is kept, and places on this machine
    :param credentials: finds (user, password) for a URL, usually
        :meth:`crossdeps.inputs.credentials.Credentials.find`; it answers only for servers that the
        user named. Without it only what the URLs of *options* carry is known
    :param project_indexes: project -> URL of the only index that it may come from
    :param progress: told what arrives
    """
    connection = read_connection(options)
    lookup = (
        credentials
        or Credentials((*options.index_urls, *options.find_links), {}, isolated=True).find
    )

    def open_session() -> Session:
        from crossdeps.index.session import Session  # noqa: PLC0415 - loads requests

        return Session(connection, user_agent=USER_AGENT, credentials=lookup)

    return IndexClient(
        read_places(options),
        project_places={
            canonicalize_name(name): Place(kind="simple", root=_bare(url))
            for name, url in (project_indexes or {}).items()
        },
        open_session=None if offline else open_session,
        cache=None if cache is None else functools.partial(IndexCache, cache),
        progress=progress,
        download_deadline=connection.download_deadline,
    )


def read_places(options: IndexOptions) -> tuple[Place, ...]:
    """Every index, then every find-links place, in order and without credentials."""
    indexes = [Place(kind="simple", root=_bare(url)) for url in options.index_urls]
    links = [Place(kind="links", root=_bare(url)) for url in options.find_links]
    return tuple(dict.fromkeys((*indexes, *links)))


def read_connection(options: IndexOptions) -> Connection:
    """How *options* want the network to be used."""
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


def _bare(url: str) -> str:
    return split_credentials(url)[0] if is_http(url) else url
