"""One project's page from one index: from the cache, the network or a disk."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from crossdeps.errors import OfflineError
from crossdeps.index.model import CachedPage, read_freshness
from crossdeps.index.pages.html_page import ACCEPT, parse_page
from crossdeps.index.pages.local import (
    filter_project,
    is_distribution,
    read_local_index,
    read_local_links,
)
from crossdeps.index.pages.project_files import PageSource, ParsedPage, url_filename
from crossdeps.index.responses import Request
from crossdeps.text import is_http, local_path, show_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.utils import NormalizedName

    from crossdeps.index.cache import IndexCache
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import PageHead
    from crossdeps.index.responses import Answer

_LARGEST_PAGE = 100_000_000
_GONE = frozenset({404, 410})


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexLocation:
    """Somewhere that files are looked for.

    :param kind: a simple repository with a page a project, or one flat page or directory
    :param root: URL or path, without credentials
    """

    kind: Literal["simple", "links"]
    root: str

    def page_url(self, project: str) -> str:
        """The URL of a project's page, ending in a slash (PEP 503)."""
        return self.root if self.kind == "links" else f"{self.root.rstrip('/')}/{project}/"


class PageFetcher:
    """Fetches pages, using what is kept of them where that is still right.

    :param session: None forbids the network: kept pages are used, however old
    """

    def __init__(self, session: Callable[[], HttpSession] | None, cache: IndexCache | None) -> None:
        self._session = session
        self._cache = cache

    def fetch(self, place: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        """What *place* has of *project*; None where it doesn't know it.

        :raises IndexAccessError: if it can't be reached or understood
        """
        if not is_http(place.root):
            return self._local(place, project)
        if place.kind == "links" and is_distribution(url_filename(place.root)):
            return _single_file(place, project)
        stored = self._stored(place.page_url(project), project)
        if stored is None:
            return None
        source = PageSource(
            url=stored.url, index=place.root, project="" if place.kind == "links" else project
        )
        page = parse_page(stored.body, stored.content_type, source)
        return filter_project(page, project) if place.kind == "links" else page

    def _local(self, place: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        path = local_path(place.root)
        if path is None:
            from crossdeps.index import responses as answers  # noqa: PLC0415 - only for this error

            raise answers.untrustworthy(
                "the index isn't an http or https URL, nor a place of this machine",
                place.root,
                project,
                rule="url",
                hint="give a URL that starts with https://, or a path",
            )
        if place.kind == "links":
            return read_local_links(path, project, place.root)
        return read_local_index(path, project, place.root)

    def _stored(self, url: str, project: str) -> CachedPage | None:
        page_head = self._cache.page_head(url) if self._cache is not None else None
        kept = self._usable(url, page_head)
        if kept is not None and (self._session is None or kept.is_fresh(time.time())):
            return kept
        if self._session is None:
            raise OfflineError(
                "a page isn't in the cache, and the network is forbidden",
                context=(project, show_url(url)),
                hint="run once without --offline",
            )
        asked = self._ask(self._session(), url, project, kept)
        if asked is None:
            return None
        page, freshness = asked
        if self._cache is not None and freshness is not None:
            if page_head is not None and page_head.says(page):
                self._cache.touch_page(url)
            else:
                self._cache.keep_page(url, page)
        return page

    def _usable(self, url: str, page_head: PageHead | None) -> CachedPage | None:
        """The page that *page_head* is of, if it can spare asking or be asked about."""
        if self._cache is None or page_head is None:
            return None
        page = page_head.page
        wanted = self._session is None or page.is_fresh(time.time()) or page.conditions()
        return self._cache.page(url) if wanted else None

    @staticmethod
    def _ask(
        session: HttpSession, url: str, project: str, kept: CachedPage | None
    ) -> tuple[CachedPage, float | None] | None:
        conditions = kept.conditions() if kept is not None else {}
        headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip, deflate", **conditions}

        def consume(answer: Answer) -> tuple[CachedPage, float | None] | None:
            if answer.status in _GONE:
                return None
            freshness = read_freshness(answer.headers)
            now, fresh_for = time.time(), freshness or 0.0
            if answer.status == 304 and kept is not None:
                return replace(kept, fetched=now, fresh_for=fresh_for), freshness
            page = CachedPage(
                url=answer.url,
                content_type=answer.headers.get("Content-Type", ""),
                body=answer.read(_LARGEST_PAGE),
                etag=answer.headers.get("ETag", ""),
                last_modified=answer.headers.get("Last-Modified", ""),
                fetched=now,
                fresh_for=fresh_for,
            )
            return page, freshness

        accept = frozenset({200, *_GONE}) | ({304} if conditions else set())
        request = Request(url=url, subject=project, headers=lambda: headers, accept=accept)
        return session.fetch(request, consume)


def _single_file(place: IndexLocation, project: NormalizedName) -> ParsedPage:
    """A find-links place that is a file itself: read as a page with one link, to it."""
    from crossdeps.index.pages.html_page import parse_html  # noqa: PLC0415 - seldom needed

    source = PageSource(url=place.root, index=place.root, project="")
    link = f'<a href="{html.escape(place.root)}"></a>'.encode()
    return filter_project(parse_html(link, source), project)
