"""The user's source: which files of it belong into the artifact.

Previous artifacts are excluded: nobody intends to package a package. They are recognised by the
INSTALLER of their projects ("Recording installed projects").
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from crossdeps.bundle.content import zip_errors
from crossdeps.bundle.model import compile_globs, parse_patterns
from crossdeps.bundle.scan import read_file
from crossdeps.bundle.staging import TEMPORARY_SUFFIXES
from crossdeps.errors import InputError
from crossdeps.wheels.facts import is_bytecode
from crossdeps.wheels.record import INSTALLER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pathspec import GitIgnoreSpec

    from crossdeps.bundle.model import Entry, Layout

# What nobody intends to deploy: version control, environments, caches of tools.
_EXCLUDED_NAMES = frozenset({
    ".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj",
    ".venv", "node_modules", ".tox", ".nox", ".eggs",
    "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
    ".idea", ".vscode", ".aws-sam", ".serverless", ".terraform",
    ".crossdeps", ".DS_Store", "Thumbs.db", ".gitignore", ".gitattributes",
})  # fmt: skip
_SOURCE_HINT = "--source takes a directory or a file"


def read_sources(layout: Layout) -> tuple[list[Entry], list[str]]:
    """Return the files of the layout's sources, and warnings about what was excluded.

    A directory stands for its contents. Version control, virtual environments, caches of tools,
    bytecode, the output itself, previous artifacts and what git ignores are excluded; an include
    pattern includes any of them again, except bytecode and the output.

    :raises InputError: if a source doesn't exist or cannot be read
    """
    walk = _Walk(layout)
    entries = [entry for source in layout.sources for entry in walk.read(source)]
    return entries, walk.warnings


class _GitIgnore(msgspec.Struct, frozen=True, kw_only=True):
    """The patterns of a gitignore file, and the directory that they are relative to."""

    directory: Path
    patterns: GitIgnoreSpec


class _Walk:
    def __init__(self, layout: Layout) -> None:
        self.warnings: list[str] = []
        self._real_parents: list[Path] = []
        self._prefix = layout.prefix
        self._output = Path(os.path.realpath(layout.output)) if layout.output else None
        self._is_excluded = compile_globs(layout.exclude)
        self._is_included = compile_globs(layout.include)
        self._has_includes = bool(layout.include)

    def read(self, source: Path) -> Iterator[Entry]:
        try:
            if source.is_dir():
                root = Path(os.path.realpath(source))
                yield from self._read_directory(root, root, _gitignores_above(root), excluded=False)
            elif stat.S_ISREG(source.stat().st_mode):
                yield self._read_file(source, source.name)
            else:
                raise InputError(
                    f"the source {source} is neither a directory nor a file", hint=_SOURCE_HINT
                )
        except OSError as error:
            path = str(error.filename or source)
            raise InputError(
                f"the source {source} cannot be read: {error.strerror or error}",
                context=(path,) if path != str(source) else (),
                hint=_SOURCE_HINT,
            ) from error

    def _read_directory(
        self, root: Path, directory: Path, gitignores: Sequence[_GitIgnore], *, excluded: bool
    ) -> Iterator[Entry]:
        self._real_parents.append(Path(os.path.realpath(directory)))
        gitignores = [*gitignores, *_read_gitignore(directory)]
        for item in sorted(os.scandir(directory), key=lambda item: item.name):
            path = directory / item.name
            relative = path.relative_to(root).as_posix()
            if path == self._output or (item.is_symlink() and not self._is_followed(path)):
                continue
            is_directory = item.is_dir()
            is_excluded = excluded or self._excludes(
                path, relative, gitignores, is_directory=is_directory
            )
            if not is_excluded and _is_previous_output(path, is_directory=is_directory):
                is_excluded = True
                if not self._is_included(relative):
                    self.warnings.append(f"{path} is a package that crossdeps made: excluded")
            if is_directory:
                # An excluded directory is searched only if a pattern may include something of it.
                if not is_excluded or self._has_includes:
                    yield from self._read_directory(root, path, gitignores, excluded=is_excluded)
            elif is_bytecode(relative) or (is_excluded and not self._is_included(relative)):
                continue
            elif item.is_file():
                yield self._read_file(path, relative)
            else:
                self.warnings.append(f"{path} is neither a file nor a directory: excluded")
        self._real_parents.pop()

    def _excludes(
        self, path: Path, relative: str, gitignores: Sequence[_GitIgnore], *, is_directory: bool
    ) -> bool:
        if path.name in _EXCLUDED_NAMES or path.name.endswith(TEMPORARY_SUFFIXES):
            return True
        # Path.exists() raises in a directory that cannot be entered; scandir reports that better.
        if is_directory and os.path.exists(path / "pyvenv.cfg"):  # noqa: PTH110
            return True
        slash = "/" if is_directory else ""
        if self._is_excluded(relative + slash):
            return True
        # git: the last pattern that matches decides, and a nearer file overrides a farther one.
        for gitignore in reversed(gitignores):
            inside = path.relative_to(gitignore.directory).as_posix() + slash
            is_ignored = gitignore.patterns.check_file(inside).include
            if is_ignored is not None:
                return is_ignored
        return False

    def _is_followed(self, link: Path) -> bool:
        target = Path(os.path.realpath(link))
        if not target.exists():
            self.warnings.append(f"{link} is a broken symbolic link: excluded")
            return False
        if any(target == parent or target in parent.parents for parent in self._real_parents):
            self.warnings.append(
                f"{link} is a symbolic link to a directory that it is in: excluded"
            )
            return False
        return target != self._output

    def _read_file(self, file: Path, relative: str) -> Entry:
        if "\\" in relative or not _is_utf8(relative):
            raise InputError(
                f"the source file {relative!a} has a name that a zip cannot hold",
                context=(ascii(str(file.parent)),),
                hint="rename it, or exclude it with --exclude",
            )
        entry = read_file(file, self._prefix + relative)
        return msgspec.structs.replace(entry, mode=0o755 if entry.mode & 0o111 else 0o644)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _gitignores_above(root: Path) -> list[_GitIgnore]:
    """Read the gitignore files above *root*, from the top directory of its repository down."""
    above: list[Path] = []
    for directory in (root, *root.parents):
        if directory != root:
            above.append(directory)
        if os.path.exists(directory / ".git"):  # noqa: PTH110
            return [found for parent in reversed(above) for found in _read_gitignore(parent)]
    return []


def _read_gitignore(directory: Path) -> list[_GitIgnore]:
    try:
        text = (directory / ".gitignore").read_text("utf-8-sig", "replace")
    except FileNotFoundError:
        return []
    return [_GitIgnore(directory=directory, patterns=parse_patterns(text.splitlines()))]


def _is_previous_output(path: Path, *, is_directory: bool) -> bool:
    """Whether a directory or a zip has a project that crossdeps installed."""
    if not is_directory:
        return path.name.lower().endswith(".zip") and _has_our_member(path)
    try:
        with os.scandir(path) as items:
            dist_infos = [item.path for item in items if item.name.endswith(".dist-info")]
    except OSError:
        return False
    return any(_is_our_file(f"{dist_info}/INSTALLER") for dist_info in dist_infos)


def _is_our_file(installer: str) -> bool:
    try:
        with open(installer, "rb") as file:  # noqa: PTH123 - as scandir gave it
            return _is_ours(file)
    except OSError:
        return False


def _has_our_member(path: Path) -> bool:
    from zipfile import ZipFile  # noqa: PLC0415 - slow to load, for zips among the source only

    try:
        with ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".dist-info/INSTALLER")]
            return any(_is_ours(archive.open(name)) for name in names)
    except zip_errors(OSError):
        return False


def _is_ours(file: IO[bytes]) -> bool:
    ours = INSTALLER.encode()
    return file.read(len(ours) + 8).strip() == ours
