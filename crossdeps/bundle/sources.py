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
from crossdeps.bundle.unwanted_files import (
    Reason,
    describe_left_out,
    describe_links,
    find_reason,
    is_system_file,
)
from crossdeps.errors import InputError
from crossdeps.wheels.facts import is_bytecode
from crossdeps.wheels.record import INSTALLER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pathspec import GitIgnoreSpec

    from crossdeps.bundle.model import Entry, Layout

# What everybody knows not to be deployed: version control, environments, caches of tools.
_EXCLUDED_NAMES = frozenset({
    ".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj",
    ".venv", ".tox", ".nox", ".eggs",
    "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
    ".crossdeps", ".gitignore", ".gitattributes", ".gitmodules",
})  # fmt: skip
_SOURCE_HINT = "--source takes a directory or a file"


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The user's source.

    :param warnings: about what was excluded, one sentence each
    :param notes: the same, about what was rightly excluded
    :param left_out: what isn't meant for deployment, in the order of the source: (reason, path),
        where paths are relative to the source, and those of directories end with a slash
    """

    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[Reason, str], ...] = ()


def read_sources(layout: Layout) -> Sources:
    """Read the files of the layout's sources, and what was excluded of them.

    A directory stands for its contents. Version control, virtual environments, caches of tools,
    bytecode, the output itself, previous artifacts and what git ignores are excluded; so are
    secrets, the directories of deploy tools, and links to what is in no source, which are named.
    An include pattern includes any of them again, except bytecode and the output.

    :raises InputError: if a source doesn't exist or cannot be read
    """
    walk = _Walk(layout)
    entries = [entry for source in layout.sources for entry in walk.read(source)]
    left_out = tuple(dict.fromkeys(walk.left_out))
    return Sources(
        entries=tuple(entries),
        warnings=(*walk.warnings, *describe_links(left_out)),
        notes=describe_left_out(left_out),
        left_out=left_out,
    )


class _GitIgnore(msgspec.Struct, frozen=True, kw_only=True):
    """The patterns of a gitignore file, and the directory that they are relative to."""

    directory: Path
    patterns: GitIgnoreSpec


class _Walk:
    def __init__(self, layout: Layout) -> None:
        self.warnings: list[str] = []
        self.left_out: list[tuple[Reason, str]] = []
        self._roots = [Path(os.path.realpath(source)) for source in layout.sources]
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
        items = sorted(os.scandir(directory), key=lambda item: item.name)
        if any(item.name == ".gitignore" and item.is_file() for item in items):
            gitignores = [*gitignores, *_read_gitignore(directory)]
        for item in items:
            path = directory / item.name
            relative = path.relative_to(root).as_posix()
            if path == self._output or (item.is_symlink() and not self._is_followed(path)):
                continue
            is_directory = item.is_dir()
            shown = f"{relative}/" if is_directory else relative
            leads_out = item.is_symlink() and self._leads_out(path)
            is_excluded = (
                excluded
                or self._excludes(path, shown, gitignores, is_directory=is_directory)
                or self._leaves_out(path, shown, is_link=item.is_symlink(), leads_out=leads_out)
                or self._is_previous(path, shown)
            )
            if leads_out and not self._is_included(shown):
                continue  # what is there isn't even searched
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
        self, path: Path, shown: str, gitignores: Sequence[_GitIgnore], *, is_directory: bool
    ) -> bool:
        name = path.name
        if name in _EXCLUDED_NAMES or name.endswith(TEMPORARY_SUFFIXES) or is_system_file(name):
            return True
        # Path.exists() raises in a directory that cannot be entered; scandir reports that better.
        if is_directory and os.path.exists(path / "pyvenv.cfg"):  # noqa: PTH110
            return True
        if self._is_excluded(shown):
            return True
        # git: the last pattern that matches decides, and a nearer file overrides a farther one.
        for gitignore in reversed(gitignores):
            inside = path.relative_to(gitignore.directory).as_posix()
            inside += "/" * is_directory
            is_ignored = gitignore.patterns.check_file(inside).include
            if is_ignored is not None:
                return is_ignored
        return False

    def _leaves_out(self, path: Path, shown: str, *, is_link: bool, leads_out: bool) -> bool:
        """Whether a file or directory isn't meant for deployment, which is noted."""
        is_directory = shown.endswith("/")
        reason = find_reason(path, is_directory=is_directory)
        if is_link and reason is None:
            reason = find_reason(Path(os.path.realpath(path)), is_directory=is_directory)
        if leads_out and reason is None:
            reason = "links"
        if reason is None or self._is_included(shown):
            return False
        self.left_out.append((reason, shown))
        return True

    def _is_previous(self, path: Path, shown: str) -> bool:
        is_previous = _is_previous_output(path, is_directory=shown.endswith("/"))
        if is_previous and not self._is_included(shown):
            self.warnings.append(f"{path} is a package that crossdeps made: excluded")
        return is_previous

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

    def _leads_out(self, link: Path) -> bool:
        target = Path(os.path.realpath(link))
        return not any(target == root or root in target.parents for root in self._roots)

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
    except (FileNotFoundError, IsADirectoryError):
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
