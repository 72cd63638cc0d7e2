"""Pages that are local: directories of wheels, simple indexes on disk, and pages in files."""

from __future__ import annotations

import hashlib
import re
import threading
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import IndexUnreachableError
from crossdeps.fs import hash_file
from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.columns import (
    FileTable,
    ParsedPage,
    ProjectFiles,
    encode_columns,
    open_page,
)
from crossdeps.index.pages.index_page import parse_columns
from crossdeps.index.pages.project_files import (
    PageSource,
    find_filename_problem,
    skip_warning,
)
from crossdeps.system_errors import resource_error
from crossdeps.text import escape, local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.errors import CrossdepsError
    from crossdeps.index.model import IndexLocation

LARGEST_PAGE = 100_000_000
"""Bytes of a page, decoded."""

_PAGE_NAMES = ("index.v1_json", "index.json", "index.html", "index.htm")
_SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


class LocalLocations:
    """Reads local locations, each directory or page of many projects once. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roots: dict[IndexLocation, Path] = {}
        self._listings: dict[Path, Listing] = {}

    def find_root(self, location: IndexLocation, project: str) -> Path:
        """The path of a local location.

        :raises IndexResponseError: if its URL is not that of a local path
        """
        path = self._roots.get(location) or local_path(location.root)
        if path is None:
            raise PageSource(url=location.root, index=location.root, project=project).error(
                "the index is neither an http or https URL nor a local path",
                rule="url",
                hint="give a URL that starts with https://, or a path",
            )
        self._roots[location] = path
        return path

    def read(
        self, location: IndexLocation, root: Path, project: NormalizedName
    ) -> ParsedPage | None:
        """Read the files of *project* at a local location; None if it does not have the project.

        :param root: result of :meth:`find_root`
        :raises IndexAccessError: if it cannot be read
        """
        if location.kind == "simple":
            return read_local_index(root, project, location.root)
        with self._lock:
            listing = self._listings.get(root)
            if listing is None:
                listing = self._listings[root] = list_links(root, project, location.root)
        return listing.select(project)


_NO_FILES = ParsedPage(files=ProjectFiles.from_files(()))


class Listing:
    """The files of many projects, by project.

    :param read: gives those at some positions of *filenames* as a page of the project
    """

    def __init__(
        self,
        filenames: Sequence[str],
        read: Callable[[Sequence[int], NormalizedName], ParsedPage],
    ) -> None:
        self._read = read
        self._positions: dict[str, list[int]] = {}
        for position, filename in enumerate(filenames):
            for project in _find_projects(filename):
                self._positions.setdefault(project, []).append(position)

    @classmethod
    def of_page(cls, page: ParsedPage) -> Listing:
        """The files of a page."""

        def read(positions: Sequence[int], _project: NormalizedName) -> ParsedPage:
            table = FileTable(
                filenames=[page.files.filenames[i] for i in positions],
                create=lambda i: page.files[positions[i]],
                warnings=page.warnings,
                digest=page.digest,
            )
            return ParsedPage(files=ProjectFiles(lambda: table), digest=page.digest)

        return cls(page.files.filenames, read)

    def select(self, project: NormalizedName) -> ParsedPage:
        """The files of *project*.

        :raises IndexUnreachableError: if one of them cannot be read
        """
        positions = self._positions.get(project)
        return self._read(positions, project) if positions else _NO_FILES


def is_distribution(filename: str) -> bool:
    """Whether a name is that of a wheel or an sdist, rather than of a page or a directory."""
    return filename.lower().endswith((".whl", *_SDIST_SUFFIXES))


def _find_projects(filename: str) -> Iterator[str]:
    """The projects that a file may be one of: a wheel by its first part, an sdist by its start.

    An sdist of ``a-b`` looks like one of ``a`` with a version ``b-1.0``; the versions, parsed
    later, tell them apart.
    """
    if filename.lower().endswith(".whl"):
        yield canonicalize_name(filename.partition("-")[0])
        return
    for suffix in _SDIST_SUFFIXES:
        if filename.lower().endswith(suffix):
            stem = canonicalize_name(filename[: -len(suffix)])
            yield from (stem[: dash.start()] for dash in re.finditer("-", stem))
            return


def read_local_index(root: Path, project: NormalizedName, index: str) -> ParsedPage | None:
    """Read the page of *project* in a local simple index (directories laid out as in PEP 503).

    In a directory without a page, the files themselves are listed.

    :returns: None if the index does not have the project
    :raises IndexUnreachableError: if *root* is not a readable directory
    """
    directory = root / project
    if not directory.is_dir():
        if root.is_dir():
            return None
        raise IndexUnreachableError(
            "the index is not a directory",
            context=(project, escape(str(root))),
            hint="a local index is a directory with a subdirectory for each project",
        )
    source = PageSource(url=directory.resolve().as_uri() + "/", index=index, project=project)
    for name in _PAGE_NAMES:
        page = directory / name
        if page.is_file():
            return _read_page(page, source)
    return _list_directory(directory, project, source).select(project)


def list_links(path: Path, project: NormalizedName, index: str) -> Listing:
    """List a find-links path: a directory, a distribution or a page.

    :param project: for which it is read, for messages
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
    return Listing.of_page(_read_page(path, source))


def _read_page(path: Path, source: PageSource) -> ParsedPage:
    """Parse a page in a file, as JSON or HTML according to its suffix.

    :raises IndexUnreachableError: if it cannot be read
    :raises IndexResponseError: if it is not an index page
    """
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST_PAGE + 1)
    except OSError as error:
        raise _unreadable_error(path, source.project, error) from error
    if len(body) > LARGEST_PAGE:
        raise source.error(f"the page is larger than {LARGEST_PAGE:,} bytes", rule="page-size")
    content_type = "application/json" if path.name.endswith("json") else "text/html"
    columns = parse_columns(body, content_type, source)
    encoded = encode_columns(columns)
    digest = hashlib.sha256(encoded).hexdigest() if encoded is not None else ""
    return open_page(columns, source.index, digest=digest)


def _list_directory(
    directory: Path, project: str, source: PageSource, *, only: str | None = None
) -> Listing:
    """List a directory, sorted by name.

    :param only: ignore files of other names
    :raises IndexUnreachableError: if the directory cannot be read
    """
    try:
        found = sorted(directory.iterdir())
    except OSError as error:
        raise _unreadable_error(directory, project, error) from error
    paths = [path for path in found if only is None or path.name == only]

    def read(positions: Sequence[int], project: NormalizedName) -> ParsedPage:
        try:
            return _read_files([paths[i] for i in positions], source)
        except OSError as error:
            raise _unreadable_error(directory, project, error) from error

    return Listing([path.name for path in paths], read)


def _read_files(paths: Sequence[Path], source: PageSource) -> ParsedPage:
    """The files at *paths*, with their sizes and sha256.

    :raises OSError: if one of them cannot be read
    """
    files = []
    warnings = []
    for path in paths:
        if not path.is_file():
            continue
        problem = find_filename_problem(path.name)
        if problem is not None:
            warnings.append(skip_warning(path.name, problem, source))
            continue
        files.append(
            ProjectFile(
                filename=path.name,
                url=path.parent.resolve().joinpath(path.name).as_uri(),
                hashes={"sha256": hash_file(path)},
                size=path.stat().st_size,
                index=source.index,
            )
        )
    stated = [(file.url, file.size, file.hashes["sha256"]) for file in files]
    digest = hashlib.sha256(repr((stated, warnings)).encode()).hexdigest()
    return ParsedPage(files=ProjectFiles.from_files(files, warnings, digest=digest), digest=digest)


def _unreadable_error(path: Path, project: str, error: Exception) -> CrossdepsError:
    problem = "a local index or find-links location cannot be read"
    if limit := resource_error(error, problem, path=path):
        return limit
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return IndexUnreachableError(
        f"{problem}: {reason}",
        context=(project, escape(str(path))) if project else (escape(str(path)),),
        hint="give a directory of wheels, or an HTML page that links to them",
    )
