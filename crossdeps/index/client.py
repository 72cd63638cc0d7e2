"""Every index and find-links place as one: pages, metadata and downloads."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.config.credentials import Credentials
from crossdeps.errors import OfflineError
from crossdeps.index.cache import IndexCache
from crossdeps.index.metadata import FetchedWheels, MetadataReader
from crossdeps.index.model import Connection, ProjectPage
from crossdeps.index.pages.page_fetcher import IndexLocation, PageFetcher
from crossdeps.index.pages.project_files import ParsedPage, ProjectFiles, url_filename
from crossdeps.index.transfer import copy_local, download
from crossdeps.index.workers import Task, Workers
from crossdeps.progress import Progress
from crossdeps.text import is_http, show_url, split_credentials
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from packaging.utils import NormalizedName

    from crossdeps.config.index_options import IndexOptions
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import CredentialsLookup, ProjectFile

# Measured against a large index: four to eight connections saturate it, more than 16 stall.
_WORKERS = 8


class IndexClient:
    """Asks all places in their order; everything is asked for once.

    Implements :class:`crossdeps.index.model.Index`, and downloads files. A context manager; safe
    to use from several threads. Nothing is asked before it is needed, and no HTTP library is
    loaded for places on this machine.

    :param places: in order of preference
    :param project_places: the only place of each project that the user holds to one
    :param open_session: makes the HTTP session when it is first needed; None forbids the network
    :param cache: makes the cache, told whom to warn; None keeps nothing between runs
    """

    def __init__(
        self,
        places: Sequence[IndexLocation],
        *,
        project_places: Mapping[NormalizedName, IndexLocation] | None = None,
        open_session: Callable[[], HttpSession] | None,
        cache: Callable[[Callable[[str], None]], IndexCache] | None = None,
        progress: Progress | None = None,
        download_deadline: float | None = None,
    ) -> None:
        self._places = tuple(places)
        self._project_places = dict(project_places or {})
        self._open_session = open_session
        self._session: HttpSession | None = None
        self._progress = progress or Progress()
        self._download_deadline = download_deadline
        self._lock = threading.Lock()
        self._session_lock = threading.Lock()
        self._warnings: dict[str, None] = {}
        self._pages: dict[NormalizedName, Task[ProjectPage]] = {}
        self._parts: dict[tuple[IndexLocation, NormalizedName], Task[ParsedPage | None]] = {}
        self._metadata: dict[str, Task[bytes]] = {}
        self._workers = Workers(_WORKERS)
        self._shelf = FetchedWheels()
        kept = cache(self._warn) if cache is not None else None
        session = None if open_session is None else self._get_session
        self._fetcher = PageFetcher(session, kept)
        self._reader = MetadataReader(session, kept, self._shelf, warn=self._warn)

    def __enter__(self) -> IndexClient:  # noqa: PYI034 - Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop what is under way, close connections and remove what was only here for a while."""
        self._workers.close()
        with self._session_lock:
            if self._session is not None:
                self._session.close()
        self._shelf.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the indexes and the cache, one sentence each."""
        with self._lock:
            return tuple(self._warnings)

    def _warn(self, warning: str) -> None:
        with self._lock:
            self._warnings.setdefault(warning)

    def _get_session(self) -> HttpSession:
        with self._session_lock:
            if self._session is None:
                if self._open_session is None:  # pragma: no cover - only called where it is set
                    raise OfflineError("the network is forbidden")
                self._session = self._open_session()
            return self._session

    def page(self, project: NormalizedName) -> ProjectPage:
        """All files of *project*, from every place that was asked, in the order of the places.

        A place that answers 404 or 410 doesn't know the project.

        :raises IndexAccessError: if an index can't be reached or understood
        """
        return self._page_task(project).result()

    def prefetch(self, projects: Sequence[NormalizedName]) -> None:
        """Start to fetch pages that are likely to be asked for; errors wait until they are."""
        for project in projects:
            with self._lock:
                known = project in self._pages
            if not known:
                task = self._page_task(project)
                for place in self._places_of(project):
                    self._workers.submit(self._part_task(place, project))
                self._workers.submit(task)

    def metadata(self, file: ProjectFile) -> bytes:
        """The core metadata (METADATA) of a wheel, by the cheapest way that the index offers.

        :raises IndexAccessError: if it can't be fetched
        :raises IntegrityError: if what was fetched is wrong
        """
        return self._metadata_task(file).result()

    def prefetch_metadata(self, files: Sequence[ProjectFile]) -> None:
        """Start to fetch metadata that is likely to be asked for."""
        for file in files:
            self._workers.submit(self._metadata_task(file))

    def download(
        self, url: str, destination: Path, *, size: int | None, hashes: Mapping[str, str]
    ) -> str:
        """Stream *url* to *destination*, checking every listed hash as it goes.

        A wheel that was already fetched for its metadata isn't fetched again. *destination* is
        written aside and renamed: after an error it is as it was.

        :param url: http(s) URL, ``file:`` URL or path
        :param size: bytes, as the page says
        :returns: sha256 of the file, hex
        :raises IndexAccessError: if it can't be fetched
        :raises HashMismatchError: if any listed hash differs
        """
        bare = split_credentials(url)[0]
        shelved = self._shelf.take(bare)
        if shelved is not None:
            try:
                return copy_local(
                    str(shelved), destination, hashes, self._progress, name=url_filename(bare)
                )
            finally:
                shelved.unlink(missing_ok=True)
        if not is_http(bare):
            return copy_local(bare, destination, hashes, self._progress)
        if self._open_session is None:
            raise OfflineError(
                "a file isn't in the store, and the network is forbidden",
                context=(show_url(bare),),
                hint="run once without --offline",
            )
        return download(
            self._get_session(),
            bare,
            destination,
            size=size,
            hashes=hashes,
            progress=self._progress,
            deadline=self._download_deadline,
        )

    def _places_of(self, project: NormalizedName) -> tuple[IndexLocation, ...]:
        only = self._project_places.get(project)
        return self._places if only is None else (only,)

    def _page_task(self, project: NormalizedName) -> Task[ProjectPage]:
        with self._lock:
            task = self._pages.get(project)
            if task is None:
                task = self._pages[project] = Task(lambda: self._merge(project))
            return task

    def _part_task(self, place: IndexLocation, project: NormalizedName) -> Task[ParsedPage | None]:
        with self._lock:
            task = self._parts.get((place, project))
            if task is None:
                task = Task(lambda: self._fetcher.fetch(place, project))
                self._parts[place, project] = task
            return task

    def _metadata_task(self, file: ProjectFile) -> Task[bytes]:
        with self._lock:
            task = self._metadata.get(file.url)
            if task is None:
                task = self._metadata[file.url] = Task(lambda: self._reader.read(file))
            return task

    def _merge(self, project: NormalizedName) -> ProjectPage:
        places = self._places_of(project)
        tasks = [self._part_task(place, project) for place in places]
        for task in tasks[1:]:
            self._workers.submit(task)
        found = []
        for place, task in zip(places, tasks, strict=True):
            part = task.result()
            # An index knows a project by its page; a find-links place by a file of it.
            if part is not None and (place.kind == "simple" or len(part.files)):
                found.append((place, part))
        parts = [part.files for _, part in found]
        return ProjectPage(
            project=project,
            files=ProjectFiles.joined(parts) if parts else (),
            asked=tuple(show_url(place.root) for place in places),
            found_on=tuple(show_url(place.root) for place, _ in found),
            warnings=tuple(warning for _, part in found for warning in part.warnings),
        )


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
        :meth:`crossdeps.config.credentials.Credentials.find`; it answers only for servers that the
        user named. Without it only what the URLs of *options* carry is known
    :param project_indexes: project -> URL of the only index that it may come from
    :param progress: told what arrives
    """
    connection = read_connection(options)
    lookup = (
        credentials
        or Credentials((*options.index_urls, *options.find_links), {}, isolated=True).find
    )

    def open_session() -> HttpSession:
        from crossdeps.index.http_session import HttpSession  # noqa: PLC0415 - loads requests

        return HttpSession(connection, user_agent=USER_AGENT, credentials=lookup)

    return IndexClient(
        read_places(options),
        project_places={
            canonicalize_name(name): IndexLocation(kind="simple", root=_bare(url))
            for name, url in (project_indexes or {}).items()
        },
        open_session=None if offline else open_session,
        cache=None if cache is None else functools.partial(IndexCache, cache),
        progress=progress,
        download_deadline=connection.download_deadline,
    )


def read_places(options: IndexOptions) -> tuple[IndexLocation, ...]:
    """Every index, then every find-links place, in order and without credentials."""
    indexes = [IndexLocation(kind="simple", root=_bare(url)) for url in options.index_urls]
    links = [IndexLocation(kind="links", root=_bare(url)) for url in options.find_links]
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
