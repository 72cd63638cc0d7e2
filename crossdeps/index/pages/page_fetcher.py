"""One project's page from one index: from the cache, the network or the local file system."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from crossdeps.errors import OfflineError
from crossdeps.index.cache import CachedPage, digest_columns, read_freshness
from crossdeps.index.page_states import PageState, read_path_state
from crossdeps.index.pages.columns import (
    FileTable,
    ParsedPage,
    ProjectFiles,
    decode_columns,
    encode_columns,
    open_page,
    open_table,
)
from crossdeps.index.pages.index_page import ACCEPT, parse_columns, parse_link
from crossdeps.index.pages.local_pages import (
    LARGEST_PAGE,
    Listing,
    LocalLocations,
    is_distribution,
)
from crossdeps.index.pages.project_files import PageSource, url_filename
from crossdeps.index.responses import Request
from crossdeps.index.workers import Task
from crossdeps.text import is_http, show_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.index.cache import IndexCache, PageHead
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import IndexLocation
    from crossdeps.index.page_states import PageKind, PageLog
    from crossdeps.index.pages.columns import Columns
    from crossdeps.index.responses import Response

_NOT_FOUND = frozenset({404, 410})


class PageFetcher:
    """Fetches pages, and uses cached ones as long as they are fresh or revalidated. Thread-safe.

    :param session: returns the HTTP session; None forbids the network: cached pages are used,
        however old
    :param log: records the pages
    :param refresh: revalidate cached pages although they are fresh
    """

    def __init__(
        self,
        session: Callable[[], HttpSession] | None,
        cache: IndexCache | None,
        log: PageLog,
        *,
        refresh: bool = False,
    ) -> None:
        self._session = session
        self._refresh = refresh
        self._cache = cache
        self._log = log
        self._local = LocalLocations()
        self._links_states: dict[Path, str] = {}
        self._heads: dict[str, PageHead | None] = {}
        self._lock = threading.Lock()
        self._tasks: dict[tuple[IndexLocation, str], Task[ParsedPage | None]] = {}
        self._links_lock = threading.Lock()
        self._links: dict[IndexLocation, tuple[Listing | None, PageState]] = {}

    def task(self, location: IndexLocation, project: NormalizedName) -> Task[ParsedPage | None]:
        """The task that gives the files of *project* at *location*; it runs once."""
        with self._lock:
            key = (location, project)
            known = self._tasks.get(key)
            return known or self._tasks.setdefault(key, Task(lambda: self._fetch_page(*key)))

    def _fetch_page(self, location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        """Return the files of *project* at *location*; None if it does not have the project.

        A cached page is read when the first of its files is needed.

        :raises IndexAccessError: if it cannot be reached, or its response cannot be read
        """
        if not is_http(location.root):
            return self._read_local(location, project)
        if location.kind == "simple":
            page, state = self._fetch(_Page(location, project))
        else:
            with self._links_lock:
                if location not in self._links:
                    self._links[location] = self._fetch_links(_Page(location, project))
            listing, state = self._links[location]
            state = replace(state, project=project)
            page = listing.select(project) if listing is not None else None
        self._log.add(state)
        return page

    def fetch(self, location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        """The result of :meth:`task`; what is at hand is read without one."""
        if (location, project) in self._tasks or self._is_slow(location, project):
            return self.task(location, project).result()
        return self._fetch_page(location, project)

    def slow_tasks(
        self, locations: Iterable[IndexLocation], project: NormalizedName
    ) -> list[Task[ParsedPage | None]]:
        """The tasks of those *locations* whose page may have to be waited for."""
        return [self.task(each, project) for each in locations if self._is_slow(each, project)]

    def _is_slow(self, location: IndexLocation, project: NormalizedName) -> bool:
        if not is_http(location.root) or self._session is None:
            return False
        if location.kind == "links":
            return location not in self._links
        return self._find_fresh(_Page(location, project)) is None

    def _read_local(self, location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        root = self._local.find_root(location, project)
        if location.kind == "links":
            key, digest = location.root, self._links_states.get(root)
            if digest is None:
                digest = self._links_states[root] = read_path_state(root)
        else:
            # Before it is read: a change in between makes it differ later.
            key, digest = f"{location.root.rstrip('/')}/{project}", read_path_state(root / project)
        page = self._local.read(location, root, project)
        self._log.add(_Page(location, project).state("directory", digest, key))
        return page

    def _fetch_links(self, request: _Page) -> tuple[Listing | None, PageState]:
        """Read a find-links URL: a page, or a distribution as if a page linked to it."""
        if is_distribution(url_filename(request.url)):
            page = open_page(parse_link(request.url, request.source(request.url)), request.index)
            state = request.state("file", digest_columns(request.url.encode()))
            return Listing.of_page(page), state
        found, state = self._fetch(request)
        return Listing.of_page(found) if found is not None else None, state

    def _find_fresh(self, request: _Page) -> PageHead | None:
        """The head of the cached page, if it can be used as it is."""
        if self._cache is None:
            return None
        if request.key not in self._heads:
            self._heads[request.key] = self._cache.page_head(request.key)
        head = self._heads[request.key]
        if head is None or self._session is None:
            return head
        return head if head.page.is_fresh(time.time()) and not self._refresh else None

    def _fetch(self, request: _Page) -> tuple[ParsedPage | None, PageState]:
        head = self._find_fresh(request)
        if head is None:
            return self._request(request)
        if head.page.absent:
            return None, request.state("absent", head.digest)
        page = ParsedPage(files=self._open_kept(request), digest=head.digest)
        return page, request.state("page", head.digest)

    def _open_kept(self, request: _Page, *tables: FileTable) -> ProjectFiles:
        """The files of a page in the cache, at first those of *tables*."""
        waiting = list(tables)

        def load() -> FileTable:
            with contextlib.suppress(IndexError):
                return waiting.pop()
            cached = self._read_columns(request)
            if cached is not None:
                page, columns = cached
                return open_table(columns, request.index, digest_columns(page.columns))
            found, state = self._request(request)  # damaged since its head was read
            self._log.add(state)
            return found.files.table if found is not None else ProjectFiles.from_files(()).table

        return ProjectFiles(load)

    def _read_columns(self, request: _Page) -> tuple[CachedPage, Columns] | None:
        page = self._cache.page(request.key) if self._cache is not None else None
        columns = decode_columns(page.columns) if page is not None and not page.absent else None
        return (page, columns) if page is not None and columns is not None else None

    def _request(self, request: _Page) -> tuple[ParsedPage | None, PageState]:
        """Fetch a page or revalidate the cached one, and keep it."""
        if self._session is None:
            raise OfflineError(
                "a page is not in the cache, and the network is disabled",
                context=(request.project, show_url(request.url)),
                hint="run once without --offline",
            )
        head = self._heads.get(request.key)
        cached = self._read_columns(request) if head and head.page.conditions() else None
        answer = _send(self._session(), request, cached[0] if cached is not None else None)
        page = answer.page
        if page.absent:
            digest = digest_columns(b"") if page.fresh_for else ""
            if digest and self._cache is not None:
                self._cache.store_page(request.key, page)
            return None, request.state("absent", digest)
        if cached is not None and answer.body is None:
            columns, encoded = cached[1], cached[0].columns
        else:
            columns = parse_columns(
                answer.body or b"", answer.content_type, request.source(page.url)
            )
            encoded = encode_columns(columns) or b""
        page = replace(page, columns=encoded)
        digest = digest_columns(encoded) if encoded else ""
        kept = self._keep(request, page, head) if digest and answer.storable else False
        table = open_table(columns, request.index, digest)
        files = self._open_kept(request, table) if kept else ProjectFiles(lambda: table)
        state = request.state("page", digest if kept else "")
        return ParsedPage(files=files, digest=digest), state

    def _keep(self, request: _Page, page: CachedPage, head: PageHead | None) -> bool:
        if self._cache is None:
            return False
        if head is not None and head.matches(page) and self._cache.page(request.key) is not None:
            self._cache.touch_page(request.key)
        else:
            self._cache.store_page(request.key, page)
        return True


class _Page:
    """A page to fetch for a project."""

    def __init__(self, location: IndexLocation, project: str) -> None:
        self.location = location
        self.project = project
        self.index = location.root
        self.url = location.page_url(project)
        # A find-links page may have the URL of a project's page, but is not checked to be that.
        self.key = self.url if location.kind == "simple" else f"links {self.url}"

    def source(self, url: str) -> PageSource:
        """The source of the page, which was found at *url*."""
        project = self.project if self.location.kind == "simple" else ""
        return PageSource(url=url, index=self.index, project=project)

    def state(self, kind: PageKind, digest: str, key: str = "") -> PageState:
        """What it held."""
        location, key = self.index, key or self.key
        return PageState(location=location, project=self.project, kind=kind, key=key, digest=digest)


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The response to a request for a page.

    :param page: without its columns
    :param body: None if the cached page is still valid
    :param storable: whether it may be kept
    """

    page: CachedPage
    body: bytes | None = None
    content_type: str = ""
    storable: bool


def _send(session: HttpSession, page: _Page, cached: CachedPage | None) -> _Answer:
    """Fetch a page or revalidate the cached one."""
    conditions = cached.conditions() if cached is not None else {}
    headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip, deflate", **conditions}

    def consume(response: Response) -> _Answer:
        freshness = read_freshness(response.headers)
        now, fresh_for = time.time(), freshness or 0.0
        if response.status == 304 and cached is not None:
            revalidated = replace(cached, fetched=now, fresh_for=fresh_for)
            return _Answer(page=revalidated, storable=freshness is not None)
        is_absent = response.status in _NOT_FOUND
        return _Answer(
            page=CachedPage(
                url=response.url,
                etag=response.headers.get("ETag", ""),
                last_modified=response.headers.get("Last-Modified", ""),
                fetched=now,
                fresh_for=fresh_for,
                absent=is_absent,
            ),
            body=b"" if is_absent else response.read(LARGEST_PAGE),
            content_type=response.headers.get("Content-Type", ""),
            storable=freshness is not None,
        )

    accept = frozenset({200, *_NOT_FOUND}) | ({304} if conditions else set())
    request = Request(url=page.url, subject=page.project, headers=lambda: headers, accept=accept)
    return session.fetch(request, consume)
