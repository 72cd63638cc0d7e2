"""The client of all indexes and find-links locations: pages, metadata and downloads."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, TypeVar

from packaging.utils import canonicalize_name

from crossdeps.errors import OfflineError
from crossdeps.fs import atomic_write
from crossdeps.index.cache import IndexCache
from crossdeps.index.metadata import FetchedWheels, MetadataFetcher
from crossdeps.index.model import IndexLocation, ProjectPage, read_connection, read_locations
from crossdeps.index.page_states import PageLog, PageState
from crossdeps.index.pages.columns import join_pages
from crossdeps.index.pages.page_fetcher import PageFetcher
from crossdeps.index.pages.project_files import url_filename
from crossdeps.index.transfer import Transfer, copy_local
from crossdeps.index.workers import Task, Workers
from crossdeps.progress import Progress
from crossdeps.text import is_http, show_url, split_credentials
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.config.index_options import IndexOptions
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import CredentialsLookup, ProjectFile

K = TypeVar("K")
T = TypeVar("T")

# Measured against a large index: four to eight connections saturate it, more than 16 stall.
_WORKERS = 8
_USER_AGENT = f"crossdeps/{__version__}"


class IndexClient:
    """Searches all locations in their order, and fetches each page, metadata and file once.

    Implements :class:`crossdeps.index.model.Index`, and downloads files. A context manager, and
    thread-safe. No HTTP library is loaded, and nothing requested, before it is needed.

    :param locations: in order of preference
    :param project_locations: the only location to search for each of these projects
    :param open_session: creates the HTTP session when it is first needed; None forbids the network
    :param cache: creates the cache, given a function that records warnings; None keeps nothing
        between runs
    :param download_deadline: seconds for all attempts at one download
    :param refresh: revalidate cached pages although they are fresh
    """

    def __init__(
        self,
        locations: Sequence[IndexLocation],
        *,
        project_locations: Mapping[NormalizedName, IndexLocation] | None = None,
        open_session: Callable[[], HttpSession] | None,
        cache: Callable[[Callable[[str], None]], IndexCache] | None = None,
        progress: Progress | None = None,
        download_deadline: float | None = None,
        refresh: bool = False,
    ) -> None:
        self._locations = tuple(locations)
        self._project_locations = dict(project_locations or {})
        self._session = None if open_session is None else Task(open_session)
        self._progress = progress or Progress()
        self._download_deadline = download_deadline
        self._lock = threading.Lock()
        self._warnings: dict[str, None] = {}
        self._pages: dict[NormalizedName, Task[ProjectPage]] = {}
        self._metadata: dict[str, Task[bytes]] = {}
        self._workers = Workers(_WORKERS)
        self._fetched_wheels = FetchedWheels()
        self.cache: IndexCache | None = cache(self._warn) if cache is not None else None
        session = None if self._session is None else self._session.result
        self._page_log = PageLog()
        self._page_fetcher = PageFetcher(session, self.cache, self._page_log, refresh=refresh)
        self._metadata_fetcher = MetadataFetcher(
            session, self.cache, self._fetched_wheels, warn=self._warn
        )

    def __enter__(self) -> IndexClient:  # noqa: PYI034 - Self came with Python 3.11
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End transfers, close connections and remove temporary files."""
        self._workers.close()
        if self._session is not None and self._session.is_started:
            self._session.result().close()
        self._fetched_wheels.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about the indexes and the cache, one sentence each."""
        with self._lock:
            return tuple(self._warnings)

    @property
    def page_states(self) -> tuple[PageState, ...]:
        """What was read, for :func:`crossdeps.index.page_states.find_changed`."""
        return self._page_log.states

    def are_unchanged(self, states: Sequence[PageState]) -> bool:
        """Ask the indexes whether pages still hold what they held in an earlier run.

        :raises IndexAccessError: if one cannot be reached, or its response cannot be read
        """
        tasks = []
        for state in states:
            project = canonicalize_name(state.project)
            found = [each for each in self._locations_of(project) if each.root == state.location]
            if not found or state.kind not in ("page", "absent"):
                return False
            tasks += [self._page_fetcher.task(each, project) for each in found]
        for task in tasks:
            self._workers.submit(task)
        _ = [task.result() for task in tasks]
        return all(map(self._page_log.holds_same, states))

    def _warn(self, warning: str) -> None:
        with self._lock:
            self._warnings.setdefault(warning)

    def page(self, project: NormalizedName) -> ProjectPage:
        """All files of *project*, from every location that is searched, in their order.

        A location that answers 404 or 410 does not have the project.

        :raises IndexAccessError: if an index cannot be reached, or its response cannot be read
        """
        return self._page_task(project).result()

    def is_at_hand(self, project: NormalizedName) -> bool:
        """Whether :meth:`page` answers without a request."""
        return not self._page_fetcher.slow_tasks(self._locations_of(project), project)

    def prefetch(self, projects: Sequence[NormalizedName]) -> None:
        """Start to fetch pages that are likely to be needed; :meth:`page` raises the errors."""
        for project in projects:
            with self._lock:
                is_known = project in self._pages
            if not is_known and self._submit_locations(project):
                self._workers.submit(self._page_task(project))

    def metadata(self, file: ProjectFile) -> bytes:
        """The core metadata of a wheel; see :meth:`crossdeps.index.model.Index.metadata`."""
        return self._metadata_task(file).result()

    def mark_metadata_used(self, file: ProjectFile) -> None:
        """Keep the cached metadata of *file* from being pruned."""
        self._page_log.add_metadata(file)
        self._metadata_fetcher.mark_used(file)

    def prefetch_metadata(self, files: Sequence[ProjectFile]) -> None:
        """Start to fetch metadata that is likely to be needed."""
        for file in files:
            self._workers.submit(self._metadata_task(file))

    def download(
        self,
        url: str,
        destination: Path,
        *,
        size: int | None,
        hashes: Mapping[str, str],
        progress: Progress | None = None,
    ) -> str:
        """Write the file of *url* to *destination*, and check its hashes while it arrives.

        A wheel that was already fetched for its metadata is not fetched again. After an error
        *destination* is unchanged.

        :param url: http(s) URL, ``file:`` URL or path
        :param size: bytes, as stated by the page
        :param progress: is told of the bytes as they arrive, instead of the client's; what it
            raises ends the download
        :returns: sha256 of the file, hex
        :raises IndexAccessError: if it cannot be fetched
        :raises HashMismatchError: if any hash differs
        """
        progress = progress or self._progress
        url = split_credentials(url)[0]
        fetched = self._fetched_wheels.pop(url)
        if fetched is not None:
            try:
                name = url_filename(url)
                return copy_local(str(fetched), destination, hashes, progress, name=name)
            finally:
                fetched.unlink(missing_ok=True)
        if not is_http(url):
            return copy_local(url, destination, hashes, progress)
        if self._session is None:
            raise OfflineError(
                "a file is not in the store, and the network is disabled",
                context=(show_url(url),),
                hint="run once without --offline",
            )
        session = self._session.result()
        with atomic_write(destination) as file:
            transfer = Transfer(url, file, hashes=hashes, size=size, progress=progress)
            return transfer.run(session, deadline=self._download_deadline)

    def _locations_of(self, project: NormalizedName) -> tuple[IndexLocation, ...]:
        only = self._project_locations.get(project)
        return self._locations if only is None else (only,)

    def _submit_locations(self, project: NormalizedName) -> bool:
        """Start to fetch the pages that are not at hand; return whether there are any."""
        tasks = self._page_fetcher.slow_tasks(self._locations_of(project), project)
        for task in tasks:
            self._workers.submit(task)
        return bool(tasks)

    def _get_task(self, tasks: dict[K, Task[T]], key: K, function: Callable[[], T]) -> Task[T]:
        """The task of *key*, created when it is first needed."""
        with self._lock:
            return tasks.get(key) or tasks.setdefault(key, Task(function))

    def _page_task(self, project: NormalizedName) -> Task[ProjectPage]:
        return self._get_task(self._pages, project, lambda: self._merge_pages(project))

    def _metadata_task(self, file: ProjectFile) -> Task[bytes]:
        self._page_log.add_metadata(file)
        return self._get_task(self._metadata, file.url, lambda: self._metadata_fetcher.fetch(file))

    def _merge_pages(self, project: NormalizedName) -> ProjectPage:
        locations = self._locations_of(project)
        if len(locations) > 1:
            self._submit_locations(project)
        found = []
        for location in locations:
            page = self._page_fetcher.fetch(location, project)
            # An index has a project if it has its page; a find-links location, if it has a file.
            if page is not None and (location.kind == "simple" or len(page.files)):
                found.append((location, page))
        joined = join_pages([page for _, page in found])
        return ProjectPage(
            project=project,
            files=joined.files,
            searched=tuple(location.shown for location in locations),
            found_on=tuple(location.shown for location, _ in found),
            digest=joined.digest,
        )


def open_index(
    options: IndexOptions,
    *,
    cache: Path | None = None,
    offline: bool = False,
    refresh: bool = False,
    credentials: CredentialsLookup | None = None,
    project_indexes: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> IndexClient:
    """Open all indexes and find-links locations of *options* as one client. Requests nothing yet.

    :param cache: directory for pages and metadata; None keeps nothing between runs
    :param offline: forbid the network: use only the cache and local locations
    :param refresh: revalidate cached pages although they are fresh
    :param credentials: finds (user, password) for a URL, usually
        :meth:`crossdeps.config.credentials.Credentials.find`, which answers only for servers that
        the user named; by default only the credentials in the URLs of *options* are used
    :param project_indexes: project -> URL of the only index to search for it
    :param progress: reporter of the bytes that arrive
    """
    connection = read_connection(options)
    if credentials is None:
        from crossdeps.config.credentials import Credentials  # noqa: PLC0415 - not for builds

        named = (*options.index_urls, *options.find_links)
        credentials = Credentials(named, {}, isolated=True).find

    def open_session() -> HttpSession:
        from crossdeps.index.http_session import HttpSession  # noqa: PLC0415 - loads requests

        return HttpSession(connection, user_agent=_USER_AGENT, credentials=credentials)

    return IndexClient(
        read_locations(options),
        project_locations={
            canonicalize_name(name): IndexLocation.create("simple", url)
            for name, url in (project_indexes or {}).items()
        },
        open_session=None if offline else open_session,
        cache=None if cache is None else functools.partial(IndexCache, cache),
        progress=progress,
        download_deadline=connection.download_deadline,
        refresh=refresh,
    )
