"""One project's page from one index: from the cache, the network or the local file system."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crossdeps.errors import OfflineError
from crossdeps.index.cache import CachedPage, read_freshness
from crossdeps.index.page_states import PageState, read_directory_state
from crossdeps.index.pages.index_page import ACCEPT, parse_page
from crossdeps.index.pages.local_pages import (
    LARGEST_PAGE,
    filter_project,
    is_distribution,
    read_local,
)
from crossdeps.index.pages.project_files import PageSource, ParsedPage, url_filename
from crossdeps.index.responses import Request
from crossdeps.text import is_http, show_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.utils import NormalizedName

    from crossdeps.index.cache import IndexCache, PageHead
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import IndexLocation
    from crossdeps.index.page_states import PageKind, PageLog
    from crossdeps.index.responses import Response

_NOT_FOUND = frozenset({404, 410})


class PageFetcher:
    """Fetches pages, and uses cached ones as long as they are fresh or revalidated.

    :param session: returns the HTTP session; None forbids the network: cached pages are used,
        however old
    """

    def __init__(
        self,
        session: Callable[[], HttpSession] | None,
        cache: IndexCache | None,
        log: PageLog,
    ) -> None:
        self._session = session
        self._cache = cache
        self._log = log

    def _record(
        self, location: IndexLocation, project: str, kind: PageKind, key: str, digest: str
    ) -> None:
        self._log.add(
            PageState(location=location.root, project=project, kind=kind, key=key, digest=digest)
        )

    def fetch(self, location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        """Return the files of *project* at *location*; None if it does not have the project.

        :raises IndexAccessError: if it cannot be reached, or its response cannot be read
        """
        if not is_http(location.root):
            return self._read_local(location, project)
        is_links = location.kind == "links"
        url = location.page_url(project)
        if is_links and is_distribution(url_filename(location.root)):
            self._record(location, project, "file", url, hashlib.sha256(url.encode()).hexdigest())
            return _single_file(location, project)
        page, digest = self._get_page(url, project)
        self._record(location, project, "absent" if page is None else "page", url, digest)
        if page is None:
            return None
        source = PageSource(url=page.url, index=location.root, project="" if is_links else project)
        parsed = parse_page(page.body, page.content_type, source)
        return filter_project(parsed, project) if is_links else parsed

    def _read_local(self, location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        is_links = location.kind == "links"
        key = location.root if is_links else f"{location.root.rstrip('/')}/{project}"
        # Before it is read: a change in between makes it differ later.
        state = read_directory_state(key)
        page = read_local(location, project)
        self._record(location, project, "directory", key, state)
        return page

    def _get_page(self, url: str, project: str) -> tuple[CachedPage | None, str]:
        """The page at *url*, cached or fetched; None if there is none.

        :returns: also the digest of a page that is kept in the cache; else an empty string
        """
        head = self._cache.page_head(url) if self._cache is not None else None
        cached = self._usable_page(url, head)
        if cached is not None and (self._session is None or cached.is_fresh(time.time())):
            return cached, head.digest if head is not None else ""
        if self._session is None:
            raise OfflineError(
                "a page is not in the cache, and the network is disabled",
                context=(project, show_url(url)),
                hint="run once without --offline",
            )
        fetched = _request_page(self._session(), url, project, cached)
        if fetched is None:
            return None, ""
        page, freshness = fetched
        if self._cache is None or freshness is None:
            return page, ""
        if head is not None and head.matches(page):
            self._cache.touch_page(url)
        else:
            self._cache.store_page(url, page)
        return page, hashlib.sha256(page.body).hexdigest()

    def _usable_page(self, url: str, head: PageHead | None) -> CachedPage | None:
        """The cached page, if it can be used as it is or revalidated."""
        if self._cache is None or head is None:
            return None
        page = head.page
        usable = self._session is None or page.is_fresh(time.time()) or page.conditions()
        return self._cache.page(url) if usable else None


def _request_page(
    session: HttpSession, url: str, project: str, cached: CachedPage | None
) -> tuple[CachedPage, float | None] | None:
    """Fetch a page or revalidate the cached one.

    :returns: the page and its freshness (see :func:`read_freshness`); None if there is no page
    """
    conditions = cached.conditions() if cached is not None else {}
    headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip, deflate", **conditions}

    def consume(response: Response) -> tuple[CachedPage, float | None] | None:
        if response.status in _NOT_FOUND:
            return None
        freshness = read_freshness(response.headers)
        now, fresh_for = time.time(), freshness or 0.0
        if response.status == 304 and cached is not None:
            return replace(cached, fetched=now, fresh_for=fresh_for), freshness
        page = CachedPage(
            url=response.url,
            content_type=response.headers.get("Content-Type", ""),
            body=response.read(LARGEST_PAGE),
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
            fetched=now,
            fresh_for=fresh_for,
        )
        return page, freshness

    accept = frozenset({200, *_NOT_FOUND}) | ({304} if conditions else set())
    request = Request(url=url, subject=project, headers=lambda: headers, accept=accept)
    return session.fetch(request, consume)


def _single_file(location: IndexLocation, project: NormalizedName) -> ParsedPage:
    """Read a find-links URL that is a distribution as if it were a page that links to it."""
    import html  # noqa: PLC0415 - rarely needed

    from crossdeps.index.pages.html_page import parse_html  # noqa: PLC0415 - the same

    source = PageSource(url=location.root, index=location.root, project="")
    link = f'<a href="{html.escape(location.root)}"></a>'.encode()
    return filter_project(parse_html(link, source), project)
