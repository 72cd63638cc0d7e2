"""From options to a client: places, connection and who may see which credentials."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crossdeps.index.cache import IndexCache
from crossdeps.index.client import IndexClient
from crossdeps.index.connection import Connection
from crossdeps.index.fetching import Place
from crossdeps.index.origins import is_http, read_origin, split_credentials
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
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
    named_urls: Iterable[str] = (),
    progress: Progress | None = None,
) -> IndexClient:
    """Open every index and find-links place of *options* as one client. Asks nothing yet.

    :param cache: directory for pages and metadata; None keeps nothing between runs
    :param offline: forbid the network: only what is kept, and places on this machine
    :param credentials: finds (user, password) for a URL, as in netrc or a keyring; asked only for
        origins that the user named
    :param named_urls: URLs that the user wrote besides *options*, such as direct requirements
    :param progress: told what arrives
    """
    connection = read_connection(options)
    lookup = restrict_credentials(
        [*options.index_urls, *options.find_links, *named_urls], credentials
    )

    def open_session() -> Session:
        from crossdeps.index.session import Session  # noqa: PLC0415 - loads requests

        return Session(connection, user_agent=USER_AGENT, credentials=lookup)

    return IndexClient(
        read_places(options),
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


def restrict_credentials(
    named: Iterable[str], credentials: CredentialsLookup | None
) -> CredentialsLookup:
    """Make a lookup that knows what *named* URLs carry, and asks *credentials* for the rest.

    Only origins that the user named get any: a page can't send them elsewhere by its links.
    """
    carried: list[tuple[str, tuple[str, str]]] = []
    origins = set()
    for url in filter(is_http, named):
        bare, pair = split_credentials(url)
        origins.add(read_origin(bare))
        if pair is not None:
            carried.append((bare, pair))

    def look_up(url: str) -> tuple[str, str] | None:
        origin = read_origin(url)
        if origin not in origins:
            return None
        mine = [each for each in carried if read_origin(each[0]) == origin]
        if mine:
            # Of several repositories on one host the one whose root is nearest; a file beside
            # them, by the first that was named.
            within = [each for each in mine if url.startswith(each[0].rstrip("/") + "/")]
            return max(within, key=lambda each: len(each[0]))[1] if within else mine[0][1]
        return credentials(url) if credentials is not None else None

    return look_up


def _bare(url: str) -> str:
    return split_credentials(url)[0] if is_http(url) else url
