"""One project's page from one index: from the cache, the network or the local file system."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.utils import canonicalize_name

from crossdeps.errors import IndexUnreachableError, OfflineError
from crossdeps.fs import hash_file
from crossdeps.index.cache import CachedPage, read_freshness
from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.index_page import ACCEPT, parse_page
from crossdeps.index.pages.project_files import (
    PageSource,
    ParsedPage,
    ProjectFiles,
    find_filename_problem,
    skip_warning,
    url_filename,
)
from crossdeps.index.responses import Request
from crossdeps.text import escape, is_http, local_path, show_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.index.cache import IndexCache, PageHead
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import IndexLocation
    from crossdeps.index.responses import Response

_NOT_FOUND = frozenset({404, 410})
_LARGEST_PAGE = 100_000_000
"""Bytes of a page, decoded."""

_PAGE_NAMES = ("index.v1_json", "index.json", "index.html", "index.htm")
_SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


class PageFetcher:
    """Fetches pages, and uses cached ones as long as they are fresh or revalidated.

    :param session: returns the HTTP session; None forbids the network: cached pages are used,
        however old
    """

    def __init__(self, session: Callable[[], HttpSession] | None, cache: IndexCache | None) -> None:
        self._session = session
        self._cache = cache

    def fetch(self, location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
        """Return the files of *project* at *location*; None if it does not have the project.

        :raises IndexAccessError: if it cannot be reached, or its response cannot be read
        """
        if not is_http(location.root):
            return _read_local(location, project)
        is_links = location.kind == "links"
        if is_links and is_distribution(url_filename(location.root)):
            return _single_file(location, project)
        page = self._get_page(location.page_url(project), project)
        if page is None:
            return None
        source = PageSource(url=page.url, index=location.root, project="" if is_links else project)
        parsed = parse_page(page.body, page.content_type, source)
        return filter_project(parsed, project) if is_links else parsed

    def _get_page(self, url: str, project: str) -> CachedPage | None:
        """The page at *url*, cached or fetched; None if there is none."""
        head = self._cache.page_head(url) if self._cache is not None else None
        cached = self._usable_page(url, head)
        if cached is not None and (self._session is None or cached.is_fresh(time.time())):
            return cached
        if self._session is None:
            raise OfflineError(
                "a page is not in the cache, and the network is disabled",
                context=(project, show_url(url)),
                hint="run once without --offline",
            )
        fetched = _request_page(self._session(), url, project, cached)
        if fetched is None:
            return None
        page, freshness = fetched
        if self._cache is not None and freshness is not None:
            if head is not None and head.matches(page):
                self._cache.touch_page(url)
            else:
                self._cache.store_page(url, page)
        return page

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
            body=response.read(_LARGEST_PAGE),
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
            fetched=now,
            fresh_for=fresh_for,
        )
        return page, freshness

    accept = frozenset({200, *_NOT_FOUND}) | ({304} if conditions else set())
    request = Request(url=url, subject=project, headers=lambda: headers, accept=accept)
    return session.fetch(request, consume)


def _read_local(location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
    path = local_path(location.root)
    if path is None:
        raise PageSource(url=location.root, index=location.root, project=project).error(
            "the index is neither an http or https URL nor a local path",
            rule="url",
            hint="give a URL that starts with https://, or a path",
        )
    if location.kind == "links":
        return read_local_links(path, project, location.root)
    return read_local_index(path, project, location.root)


def _single_file(location: IndexLocation, project: NormalizedName) -> ParsedPage:
    """Read a find-links URL that is a distribution as if it were a page that links to it."""
    import html  # noqa: PLC0415 - rarely needed

    from crossdeps.index.pages.html_page import parse_html  # noqa: PLC0415 - the same

    source = PageSource(url=location.root, index=location.root, project="")
    link = f'<a href="{html.escape(location.root)}"></a>'.encode()
    return filter_project(parse_html(link, source), project)


def is_distribution(filename: str) -> bool:
    """Whether a name is that of a wheel or an sdist, rather than of a page or a directory."""
    return filename.lower().endswith((".whl", *_SDIST_SUFFIXES))


def filter_project(page: ParsedPage, project: NormalizedName) -> ParsedPage:
    """Keep the files of *project*: a find-links page lists those of many."""
    files = page.files
    positions = [i for i, name in enumerate(files.filenames) if _belongs_to(name, project)]
    names = [files.filenames[position] for position in positions]
    kept = ProjectFiles(names, lambda i: files[positions[i]])
    return ParsedPage(files=kept, warnings=page.warnings)


def _belongs_to(filename: str, project: NormalizedName) -> bool:
    """Whether a file is one of *project*: a wheel by its first part, an sdist by its start.

    An sdist of ``a-b`` looks like one of ``a`` with a version ``b-1.0``; the versions, parsed
    later, tell them apart.
    """
    if filename.lower().endswith(".whl"):
        return canonicalize_name(filename.partition("-")[0]) == project
    for suffix in _SDIST_SUFFIXES:
        if filename.lower().endswith(suffix):
            return canonicalize_name(filename[: -len(suffix)]).startswith(f"{project}-")
    return False


def read_local_index(root: Path, project: NormalizedName, index: str) -> ParsedPage | None:
    """Read the page of *project* in a local simple index (directories laid out as in PEP 503).

    In a directory without a page, the files themselves are listed.

    :returns: None if the index does not have the project
    :raises IndexUnreachableError: if *root* is not a readable directory
    """
    if not root.is_dir():
        raise IndexUnreachableError(
            "the index is not a directory",
            context=(project, escape(str(root))),
            hint="a local index is a directory with a subdirectory for each project",
        )
    directory = root / project
    if not directory.is_dir():
        return None
    source = PageSource(url=directory.resolve().as_uri() + "/", index=index, project=project)
    for name in _PAGE_NAMES:
        page = directory / name
        if page.is_file():
            return _read_page(page, source)
    return _list_directory(directory, project, source)


def read_local_links(path: Path, project: NormalizedName, index: str) -> ParsedPage:
    """Read the files of *project* from a find-links path: a directory, a distribution or a page.

    :raises IndexUnreachableError: if *path* does not exist or cannot be read
    """
    try:
        url = path.resolve().as_uri()
    except (OSError, ValueError) as error:
        raise _unreadable_error(path, project, error) from error
    source = PageSource(url=url, index=index, project="")
    if path.is_dir():
        return _list_directory(path, project, source)
    if is_distribution(path.name):
        return _list_directory(path.parent, project, source, only=path.name)
    return filter_project(_read_page(path, source), project)


def _read_page(path: Path, source: PageSource) -> ParsedPage:
    """Parse a page in a file, as JSON or HTML according to its suffix.

    :raises IndexUnreachableError: if it cannot be read
    :raises IndexResponseError: if it is not an index page
    """
    try:
        with path.open("rb") as file:
            body = file.read(_LARGEST_PAGE + 1)
    except OSError as error:
        raise _unreadable_error(path, source.project, error) from error
    if len(body) > _LARGEST_PAGE:
        raise source.error(f"the page is larger than {_LARGEST_PAGE:,} bytes", rule="page-size")
    is_json = path.name.endswith("json")
    return parse_page(body, "application/json" if is_json else "text/html", source)


def _list_directory(
    directory: Path, project: NormalizedName, source: PageSource, *, only: str | None = None
) -> ParsedPage:
    """List the files of *project* in a directory, sorted by name, with their sizes and sha256.

    :param only: ignore files of other names
    :raises IndexUnreachableError: if the directory or one of the files cannot be read
    """
    files = []
    warnings = []
    try:
        for path in sorted(directory.iterdir()):
            selected = only is None or path.name == only
            if not (selected and _belongs_to(path.name, project) and path.is_file()):
                continue
            problem = find_filename_problem(path.name)
            if problem is not None:
                warnings.append(skip_warning(path.name, problem, source))
                continue
            files.append(
                ProjectFile(
                    filename=path.name,
                    url=directory.resolve().joinpath(path.name).as_uri(),
                    hashes={"sha256": hash_file(path)},
                    size=path.stat().st_size,
                    index=source.index,
                )
            )
    except OSError as error:
        raise _unreadable_error(directory, project, error) from error
    return ParsedPage(files=ProjectFiles.from_files(files), warnings=tuple(warnings))


def _unreadable_error(path: Path, project: str, error: Exception) -> IndexUnreachableError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return IndexUnreachableError(
        f"a local index or find-links location cannot be read: {reason}",
        context=(project, escape(str(path))) if project else (escape(str(path)),),
        hint="give a directory of wheels, or an HTML page that links to them",
    )
