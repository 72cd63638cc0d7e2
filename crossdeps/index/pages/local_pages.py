"""Pages that are local: directories of wheels, simple indexes on disk, and pages in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import IndexUnreachableError
from crossdeps.fs import hash_file
from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.index_page import parse_page
from crossdeps.index.pages.project_files import (
    PageSource,
    ParsedPage,
    ProjectFiles,
    find_filename_problem,
    skip_warning,
)
from crossdeps.text import escape, local_path

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.index.model import IndexLocation

LARGEST_PAGE = 100_000_000
"""Bytes of a page, decoded."""

_PAGE_NAMES = ("index.v1_json", "index.json", "index.html", "index.htm")
_SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


def read_local(location: IndexLocation, project: NormalizedName) -> ParsedPage | None:
    """Read the files of *project* at a local location; None if it does not have the project.

    :raises IndexAccessError: if it cannot be read
    """
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
            body = file.read(LARGEST_PAGE + 1)
    except OSError as error:
        raise _unreadable_error(path, source.project, error) from error
    if len(body) > LARGEST_PAGE:
        raise source.error(f"the page is larger than {LARGEST_PAGE:,} bytes", rule="page-size")
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
