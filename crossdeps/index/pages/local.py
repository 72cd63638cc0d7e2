"""Indexes and find-links places on this machine's disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import IndexResponseError, IndexUnreachableError
from crossdeps.fs import hash_file
from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.html_page import parse_page
from crossdeps.index.pages.project_files import (
    PageSource,
    ParsedPage,
    ProjectFiles,
    filename_problem,
    skipped,
)
from crossdeps.text import escape

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

_PAGE_NAMES = ("index.v1_json", "index.json", "index.html", "index.htm")
_SDISTS = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")
_LARGEST_PAGE = 100_000_000


def belongs_to(filename: str, project: NormalizedName) -> bool:
    """Whether a file name is one of *project*: a wheel by its first part, an sdist by its start.

    An sdist of ``a-b`` looks like one of ``a`` with a version ``b-1.0``; whoever reads versions
    tells them apart.
    """
    if filename.lower().endswith(".whl"):
        return canonicalize_name(filename.partition("-")[0]) == project
    for suffix in _SDISTS:
        if filename.lower().endswith(suffix):
            return canonicalize_name(filename[: -len(suffix)]).startswith(f"{project}-")
    return False


def is_distribution(filename: str) -> bool:
    """Whether a name is that of a wheel or an sdist, rather than of a page or a directory."""
    return filename.lower().endswith((".whl", *_SDISTS))


def filter_project(page: ParsedPage, project: NormalizedName) -> ParsedPage:
    """Keep the files of *project*: a find-links page lists many."""
    places = [i for i, name in enumerate(page.files.filenames) if belongs_to(name, project)]
    files = page.files
    names = [files.filenames[place] for place in places]
    mine = ProjectFiles(names, lambda i: files[places[i]])
    return ParsedPage(files=mine, warnings=page.warnings)


def read_local_index(root: Path, project: NormalizedName, index: str) -> ParsedPage | None:
    """Read the page of *project* under a local simple index (PEP 503's layout as folders).

    A folder without a page counts as one that lists its own files.

    :returns: None where the index doesn't have the project
    :raises IndexUnreachableError: if *root* isn't a readable directory
    """
    if not root.is_dir():
        raise IndexUnreachableError(
            "the index isn't a directory",
            context=(project, escape(str(root))),
            hint="a local index is a directory with one directory a project",
        )
    folder = root / project
    if not folder.is_dir():
        return None
    source = PageSource(url=folder.resolve().as_uri() + "/", index=index, project=project)
    for name in _PAGE_NAMES:
        page = folder / name
        if page.is_file():
            return read_local_page(page, source)
    return read_directory(folder, project, source)


def read_local_links(place: Path, project: NormalizedName, index: str) -> ParsedPage:
    """Read what a local find-links place has of *project*: a directory of files, or a page.

    :raises IndexUnreachableError: if there is nothing at *place*, or it can't be read
    """
    try:
        url = place.resolve().as_uri()
    except (OSError, ValueError) as error:
        raise _unreadable(place, project, error) from error
    source = PageSource(url=url, index=index, project="")
    if place.is_dir():
        return read_directory(place, project, source)
    if is_distribution(place.name):
        return read_directory(place.parent, project, source, only=place.name)
    return filter_project(read_local_page(place, source), project)


def read_local_page(path: Path, source: PageSource) -> ParsedPage:
    """Read a page from a file, by the suffix of its name.

    :raises IndexUnreachableError: if it can't be read
    :raises IndexResponseError: if it isn't an index page
    """
    json = path.name.endswith("json")
    try:
        with path.open("rb") as file:
            body = file.read(_LARGEST_PAGE + 1)
    except OSError as error:
        raise _unreadable(path, source.project, error) from error
    if len(body) > _LARGEST_PAGE:
        raise IndexResponseError(
            "the page is larger than 100 MB", context=source.context(), rule="page-size"
        )
    return parse_page(body, "application/json" if json else "text/html", source)


def read_directory(
    folder: Path, project: NormalizedName, source: PageSource, *, only: str | None = None
) -> ParsedPage:
    """List the files of *project* in *folder*, sorted by name, with their sizes and sha256.

    :param only: the one file name that is wanted
    :raises IndexUnreachableError: if the folder or one of the files can't be read
    """
    files = []
    warnings = []
    try:
        for path in sorted(folder.iterdir()):
            wanted = only is None or path.name == only
            if not (wanted and belongs_to(path.name, project) and path.is_file()):
                continue
            problem = filename_problem(path.name)
            if problem is not None:
                warnings.append(skipped(path.name, problem, source))
                continue
            files.append(
                ProjectFile(
                    filename=path.name,
                    url=folder.resolve().joinpath(path.name).as_uri(),
                    hashes={"sha256": hash_file(path)},
                    size=path.stat().st_size,
                    index=source.index,
                )
            )
    except OSError as error:
        raise _unreadable(folder, project, error) from error
    return ParsedPage(files=ProjectFiles.of(files), warnings=tuple(warnings))


def _unreadable(path: Path, project: str, error: Exception) -> IndexUnreachableError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    context = (project, escape(str(path))) if project else (escape(str(path)),)
    return IndexUnreachableError(
        f"a local index or find-links place can't be read: {reason}",
        context=context,
        hint="give a directory of wheels, or an HTML page that links to them",
    )
