"""Artifacts of earlier runs, recognised in passing: nobody means to package a package.

Known by the standard mark of who installed a project ("Recording installed projects", INSTALLER).
"""

from __future__ import annotations

import os
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.bundle.model import Entry, FileContent, compile_globs, parse_patterns
from crossdeps.bundle.placement import is_bytecode
from crossdeps.errors import InputError
from crossdeps.fs import hash_stream
from crossdeps.wheels.record import INSTALLER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pathspec import GitIgnoreSpec

    from crossdeps.bundle.model import Layout

_MARK = ".dist-info/INSTALLER"
_OURS = INSTALLER.encode()
_ENOUGH = len(_OURS) + 8


def is_previous_output(path: Path, *, is_directory: bool) -> bool:
    """Whether a directory or a zip holds a project that crossdeps laid out."""
    if is_directory:
        return _has_marked_project(path)
    return path.name.lower().endswith(".zip") and _has_marked_member(path)


def _has_marked_project(directory: Path) -> bool:
    try:
        with os.scandir(directory) as items:
            marks = [f"{item.path}/INSTALLER" for item in items if item.name.endswith(".dist-info")]
    except OSError:
        return False
    return any(_says_ours(mark) for mark in marks)


def _says_ours(mark: str) -> bool:
    try:
        with open(mark, "rb") as file:  # noqa: PTH123 - as scandir gave it
            return _is_ours(file.read(_ENOUGH))
    except OSError:
        return False


def _has_marked_member(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            marks = [info for info in archive.infolist() if info.filename.endswith(_MARK)]
            return any(_is_ours(archive.open(info).read(_ENOUGH)) for info in marks)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return False


def _is_ours(text: bytes) -> bool:
    return text.strip() == _OURS


# What is never meant to be deployed: version control, environments, caches of tools.
_LEFT_OUT = frozenset({
    ".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj",
    ".venv", "node_modules", ".tox", ".nox", ".eggs",
    "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
    ".idea", ".vscode", ".aws-sam", ".serverless", ".terraform",
    ".crossdeps", ".DS_Store", "Thumbs.db", ".gitignore", ".gitattributes",
})  # fmt: skip
_TEMPORARY_SUFFIXES = (".crossdeps-tmp", ".crossdeps-old")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ignore:
    """A gitignore file's patterns and the directory that they are relative to."""

    directory: Path
    patterns: GitIgnoreSpec


def read_sources(layout: Layout) -> tuple[list[Entry], list[str]]:
    """The files of the layout's sources, and warnings about what was left out.

    A directory gives its contents. Version control, virtual environments, caches of tools,
    bytecode, the output itself, earlier artifacts and what git ignores are left out; an include
    glob brings any of them back, except bytecode and the output.

    :raises InputError: if a source doesn't exist or can't be read
    """
    walk = _Walk(layout)
    entries = [entry for source in layout.sources for entry in walk.entries(source)]
    return entries, walk.warnings


class _Walk:
    def __init__(self, layout: Layout) -> None:
        self.warnings: list[str] = []
        self._trail: list[Path] = []
        self._prefix = layout.prefix
        self._output = Path(os.path.realpath(layout.output)) if layout.output else None
        self._excluded = compile_globs(layout.exclude)
        self._included = compile_globs(layout.include)
        self._has_includes = bool(layout.include)

    def entries(self, source: Path) -> Iterator[Entry]:
        try:
            if source.is_dir():
                root = Path(os.path.realpath(source))
                yield from self._directory(root, root, _ignores_above(root), ignored=False)
            elif stat.S_ISREG(source.stat().st_mode):
                yield self._entry(source, source.name)
            else:
                raise InputError(
                    f"the source {source} is neither a directory nor a file",
                    hint="--source takes a directory or a file",
                )
        except OSError as error:
            at = str(error.filename or source)
            raise InputError(
                f"the source {source} can't be read: {error.strerror or error}",
                context=(at,) if at != str(source) else (),
                hint="--source takes a directory or a file",
            ) from error

    def _directory(
        self, root: Path, directory: Path, ignores: Sequence[_Ignore], *, ignored: bool
    ) -> Iterator[Entry]:
        self._trail.append(Path(os.path.realpath(directory)))
        ignores = [*ignores, *_ignore_of(directory)]
        for item in sorted(os.scandir(directory), key=lambda item: item.name):
            path = directory / item.name
            relative = path.relative_to(root).as_posix()
            if self._is_output(path):
                continue
            if item.is_symlink() and not self._is_followed(path):
                continue
            is_directory = item.is_dir()
            left_out = ignored or self._is_left_out(
                path, relative, ignores, is_directory=is_directory
            )
            if not left_out and is_previous_output(path, is_directory=is_directory):
                left_out = True
                if not self._included(relative):
                    self.warnings.append(f"{path} is a package that crossdeps made: left out")
            if is_directory:
                # What is left out is searched only for what a glob may bring back.
                if not left_out or self._has_includes:
                    yield from self._directory(root, path, ignores, ignored=left_out)
            elif is_bytecode(relative) or (left_out and not self._included(relative)):
                continue
            elif item.is_file():
                yield self._entry(path, relative)
            else:
                self.warnings.append(f"{path} is neither a file nor a directory: left out")
        self._trail.pop()

    def _is_left_out(
        self, path: Path, relative: str, ignores: Sequence[_Ignore], *, is_directory: bool
    ) -> bool:
        if path.name in _LEFT_OUT or path.name.endswith(_TEMPORARY_SUFFIXES):
            return True
        # Path.exists() raises in a folder that may not be entered; scandir says it better.
        if is_directory and os.path.exists(path / "pyvenv.cfg"):  # noqa: PTH110
            return True
        slash = "/" if is_directory else ""
        if self._excluded(relative + slash):
            return True
        # git: the last pattern that says anything decides, a nearer file's after a farther one's.
        for ignore in reversed(ignores):
            inside = path.relative_to(ignore.directory).as_posix() + slash
            answer = ignore.patterns.check_file(inside).include
            if answer is not None:
                return answer
        return False

    def _is_followed(self, link: Path) -> bool:
        target = Path(os.path.realpath(link))
        if not target.exists():
            self.warnings.append(f"{link} is a broken symbolic link: left out")
            return False
        if any(target == above or target in above.parents for above in self._trail):
            self.warnings.append(f"{link} is a symbolic link to a folder that it is in: left out")
            return False
        return not self._is_output(target)

    def _is_output(self, path: Path) -> bool:
        return self._output is not None and path == self._output

    def _entry(self, path: Path, relative: str) -> Entry:
        if "\\" in relative or not _is_utf8(relative):
            raise InputError(
                f"the source file {relative!a} has a name that a zip can't hold",
                context=(ascii(str(path.parent)),),
                hint="rename it, or leave it out with --exclude",
            )
        with path.open("rb") as file:
            head = file.read(8)
            sha256 = hash_stream(file)["sha256"]
            size = file.tell()
            binary = read_binary(file) if is_binary_head(head) else None
            executable = os.fstat(file.fileno()).st_mode & 0o111
        return Entry(
            path=self._prefix + relative,
            mode=0o755 if executable else 0o644,
            size=size,
            sha256=sha256,
            content=FileContent(file=path),
            owner=None,
            binary=binary,
        )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ignores_above(root: Path) -> list[_Ignore]:
    """The gitignore files between the repository's top and *root*, the top's first."""
    above: list[Path] = []
    for directory in (root, *root.parents):
        if directory != root:
            above.append(directory)
        if os.path.exists(directory / ".git"):  # noqa: PTH110
            return [found for parent in reversed(above) for found in _ignore_of(parent)]
    return []


def _ignore_of(directory: Path) -> list[_Ignore]:
    try:
        text = (directory / ".gitignore").read_text("utf-8-sig", "replace")
    except FileNotFoundError:
        return []
    return [_Ignore(directory=directory, patterns=parse_patterns(text.splitlines()))]
