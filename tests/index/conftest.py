"""Clients of the index room, wired for loopback: short waits, few retries."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from crossdeps.index.cache import IndexCache
from crossdeps.index.client import IndexClient
from crossdeps.index.http_session import HttpSession
from crossdeps.index.model import Connection, IndexLocation, no_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crossdeps.index.model import CredentialsLookup
    from crossdeps.progress import Progress

FAST = Connection(timeout=0.5, retries=2, deadline=5.0, backoff=0.01, longest_wait=1.0)


@pytest.fixture
def open_client() -> Iterator[Callable[..., IndexClient]]:
    """Open clients: ``open_client(url, ..., cache=path, timeout=0.2)``; all end with the test."""
    with contextlib.ExitStack() as clients:

        def start(
            *roots: str,
            links: tuple[str, ...] = (),
            cache: Path | None = None,
            offline: bool = False,
            credentials: CredentialsLookup = no_credentials,
            progress: Progress | None = None,
            **changes: Any,  # noqa: ANN401 - fields of Connection
        ) -> IndexClient:
            connection = replace(FAST, **changes)
            locations = [IndexLocation(kind="simple", root=root) for root in roots]
            locations += [IndexLocation(kind="links", root=root) for root in links]

            def session() -> HttpSession:
                return HttpSession(connection, user_agent="crossdeps/0", credentials=credentials)

            client = IndexClient(
                locations,
                open_session=None if offline else session,
                cache=None if cache is None else lambda warn: IndexCache(cache, warn),
                progress=progress,
                download_deadline=connection.deadline,
            )
            return clients.enter_context(client)

        yield start
