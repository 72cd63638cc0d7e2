"""Writing to a sibling, then renaming it: the destination is unchanged, or complete.

Whatever stops a run (a full disk, Ctrl-C) removes what it wrote; what a killed run left behind is
removed by the next one. A lock, which ends with its process, distinguishes the two.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.errors import OutputError
from crossdeps.fs import (
    create_file,
    is_at,
    open_directory,
    remove_directory,
    temporary_sibling,
    try_lock,
)
from crossdeps.system_errors import resource_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from crossdeps.bundle.zip_layout import ZipLayout

_TEMPORARY, _OLD = ".crossdeps-tmp", ".crossdeps-old"
TEMPORARY_SUFFIXES: Final = (_TEMPORARY, _OLD)
# Other runs with the same destination may each win once before this one does.
_TRIES = 100
_CONTENTION = frozenset({errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST})
_HINTS = {
    errno.ENOSPC: "free some space, or give an output on another disk",
    errno.EDQUOT: "your quota is used up: give an output elsewhere",
    errno.EACCES: "give an output in a directory that you may write to",
    errno.EPERM: "give an output in a directory that you may write to",
    errno.EROFS: "the file system is read-only: give an output elsewhere",
    errno.EXDEV: "it is a mount point: give a directory inside it",
    errno.EBUSY: "it is a mount point or in use: give a directory inside it",
    errno.ENOTEMPTY: "another program is writing there: run again",
    errno.ENAMETOOLONG: "give an output with a shorter path",
}


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact on disk.

    :param size: bytes of the zip, or of all files of the directory
    :param sha256: hex digest of the zip; empty for a directory
    :param layout: of the zip; None for a directory
    """

    path: Path
    size: int
    sha256: str = ""
    layout: ZipLayout | None = None


def write_all(fd: int, data: bytes) -> None:
    """Write all of *data*, however many calls it takes.

    :raises OSError: if it cannot be written
    """
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class Staging:
    """A sibling of *destination* to write to, which replaces it or is removed.

    :param directory: whether the sibling is a directory or a file
    """

    def __init__(self, destination: Path, *, directory: bool) -> None:
        self.destination = destination
        self._is_directory = directory
        self._created_parents: list[Path] = []
        self._descriptors: list[int] = []
        self.path: Path = temporary_sibling(destination, _TEMPORARY)

    def __enter__(self) -> Self:
        try:
            self._create_parents()
            self._remove_abandoned()
            self._create()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())
        with contextlib.suppress(OSError):  # the next run tries again
            _remove(self.path)
        for parent in self._created_parents:
            with contextlib.suppress(OSError):
                parent.rmdir()

    def fileno(self) -> int:
        """Return the descriptor of the sibling that is a file, open for writing."""
        return self._descriptors[0]

    def _create_parents(self) -> None:
        missing = [parent for parent in self.destination.parents if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            self._created_parents.insert(0, parent)

    def _remove_abandoned(self) -> None:
        name = re.escape(self.destination.name[:60])
        suffixes = "|".join(map(re.escape, TEMPORARY_SUFFIXES))
        pattern = re.compile(rf"\.{name}\.[0-9a-f]{{8}}({suffixes})")
        with contextlib.suppress(OSError):
            for item in list(os.scandir(self.destination.parent)):
                if pattern.fullmatch(item.name) and not item.is_symlink():
                    _remove_unlocked(Path(item.path))

    def _create(self) -> None:
        for _ in range(_TRIES):
            # Before it is locked, another run may take it for an abandoned one.
            if self._create_locked():
                return
            self.path = temporary_sibling(self.destination, _TEMPORARY)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self.path))

    def _create_locked(self) -> bool:
        # The descriptor stays open to the end: its lock shows that the sibling is in use.
        if self._is_directory:
            self.path.mkdir(mode=0o700)
            try:
                fd = open_directory(self.path)
            except FileNotFoundError:
                return False
        else:
            fd = create_file(self.path)
        if fd is None:
            return True
        if try_lock(fd) is not False and is_at(fd, self.path):
            self._descriptors.append(fd)
            return True
        os.close(fd)
        return False

    def commit_file(self) -> None:
        """Rename the file to the destination, over an existing file.

        :raises OSError: if it cannot be renamed; the destination is unchanged
        """
        os.replace(self.path, self.destination)  # noqa: PTH105 - the same call on every Python
        self._created_parents.clear()

    def commit_directory(self) -> None:
        """Rename the directory to the destination, and remove the previous one.

        :raises OSError: if it cannot be renamed; the destination is unchanged
        """
        previous: list[Path] = []
        try:
            for tries_left in reversed(range(_TRIES)):
                try:
                    self._swap(previous)
                    break
                except OSError as error:
                    # Another run has just put its own there, or is about to.
                    if error.errno not in _CONTENTION or not tries_left:
                        raise
            self._created_parents.clear()
        finally:
            for path in previous:
                _remove_previous(path)

    def _swap(self, previous: list[Path]) -> None:
        old = temporary_sibling(self.destination, _OLD)
        try:
            if self.destination.is_dir():
                self._lock(self.destination)
                os.rename(self.destination, old)  # noqa: PTH104 - the same on every Python
            os.rename(self.path, self.destination)  # noqa: PTH104 - the same
        except BaseException:
            if old.exists() and not self.destination.exists():
                os.rename(old, self.destination)  # noqa: PTH104 - the same
            raise
        finally:
            if old.exists():
                previous.append(old)

    def _lock(self, directory: Path) -> None:
        """Lock a directory, so that no other run takes it for an abandoned one."""
        with contextlib.suppress(OSError):
            fd = open_directory(directory)
            if fd is not None:
                self._descriptors.append(fd)
                try_lock(fd)


def _remove(path: Path) -> None:
    if path.is_dir():
        remove_directory(path)
    else:
        path.unlink(missing_ok=True)


def _remove_previous(path: Path) -> None:
    """Remove a directory; again if Ctrl-C was pressed meanwhile, or if something remains."""
    try:
        with contextlib.suppress(OSError):
            remove_directory(path)
    finally:
        if path.exists():
            with contextlib.suppress(OSError):  # the next run tries again
                remove_directory(path)


def _remove_unlocked(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        if try_lock(fd):
            _remove(path)
    finally:
        os.close(fd)


@contextlib.contextmanager
def output_errors(destination: Path) -> Iterator[None]:
    """Turn errors of the system into an OutputError that names the path.

    :raises OutputError: for every OSError inside, but one that tells of a limit of this machine
    :raises ResourceError: for that, such as a full disk
    """
    try:
        yield
    except OSError as error:
        path = str(error.filename or "")
        is_other = path not in {"", str(destination)} and "crossdeps-" not in path
        problem, context = f"cannot write {destination}", (path,) if is_other else ()
        hint = _HINTS.get(error.errno or 0)
        if limit := resource_error(error, problem):
            limit.context, limit.hint = context, hint or limit.hint
            raise limit from error
        raise OutputError(
            f"{problem}: {error.strerror or error}", context=context, hint=hint
        ) from error
