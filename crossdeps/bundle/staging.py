"""Writing aside, then renaming: the destination is as before, or complete.

Whatever stops a run (a full disk, Ctrl-C) removes what it wrote; what a killed run left is removed
by the next one. A lock tells the two apart: it ends with the process that holds it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.errors import OutputError
from crossdeps.fs import CHUNK, is_at, open_directory, temporary_sibling, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

_BINARY = getattr(os, "O_BINARY", 0)
_TEMPORARY, _OLD = "crossdeps-tmp", "crossdeps-old"
# Other runs with the same destination may each win once before this one does.
_TRIES = 100
_CONTENDED = frozenset({errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST})
_HINTS = {
    errno.ENOSPC: "free some space, or give an output on another disk",
    errno.EDQUOT: "your quota is used up: give an output elsewhere",
    errno.EACCES: "give an output in a folder that you may write to",
    errno.EPERM: "give an output in a folder that you may write to",
    errno.EROFS: "the file system is read-only: give an output elsewhere",
    errno.EXDEV: "it is a mount point: give a folder inside it",
    errno.EBUSY: "it is a mount point or in use: give a folder inside it",
    errno.ENOTEMPTY: "another program is writing there: run again",
    errno.ENAMETOOLONG: "give an output with a shorter path",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An artifact on disk.

    :param size: bytes of the zip, or of all files of the directory
    :param sha256: hex digest of the zip; empty for a directory
    """

    path: Path
    size: int
    sha256: str = ""


def create_file(path: Path | str, mode: int = 0o666) -> int:
    """Create a file, never over an existing one, and give its descriptor.

    :raises OSError: if the system can't, or the path exists
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)


class Sink:
    """A file to write to, with a buffer.

    :param fd: its descriptor, which is now the sink's own
    :param digest: whether to hash what is written
    """

    def __init__(self, fd: int, *, digest: bool = False) -> None:
        self._fd = fd
        self._buffer = bytearray()
        self._digest = hashlib.sha256() if digest else None
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._fd)

    @property
    def sha256(self) -> str:
        """Hex digest of what was written; empty if none was asked for."""
        return self._digest.hexdigest() if self._digest else ""

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._fd

    def write(self, data: bytes) -> None:
        """Take *data*; it is on its way to the disk after :meth:`flush`.

        :raises OSError: if the system can't write
        """
        self.size += len(data)
        if self._digest:
            self._digest.update(data)
        if len(self._buffer) + len(data) < CHUNK:
            self._buffer += data
            return
        self.flush()
        _write_all(self._fd, data)

    def flush(self, *, sync: bool = False) -> None:
        """Hand everything to the system, and with *sync* have it on the disk.

        :raises OSError: if the system can't write
        """
        if self._buffer:
            _write_all(self._fd, self._buffer)
            self._buffer.clear()
        if sync:
            os.fsync(self._fd)


class Staging:
    """A sibling of *destination* to write to, which takes its place or goes away.

    :param directory: whether the sibling is a directory or a file
    """

    def __init__(self, destination: Path, *, directory: bool) -> None:
        self.destination = destination
        self._directory = directory
        self._made_parents: list[Path] = []
        self._held: list[int] = []
        self.path = self._sibling(_TEMPORARY)

    def __enter__(self) -> Self:
        try:
            self._make_parents()
            self._remove_stale()
            self._create()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        while self._held:
            os.close(self._held.pop())
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)
        for parent in self._made_parents:
            with contextlib.suppress(OSError):
                parent.rmdir()

    def open_file(self) -> Sink:
        """The sibling that is a file, to be written once."""
        return Sink(os.dup(self._held[0]), digest=True)

    def _create(self) -> None:
        for _ in range(_TRIES):
            # Between its making and its lock, another run may take it for a killed one's.
            if self._made_and_held():
                return
            self.path = self._sibling(_TEMPORARY)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self.path))

    def _made_and_held(self) -> bool:
        # The descriptor is held to the end: its lock says that the sibling is in use.
        if self._directory:
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
            self._held.append(fd)
            return True
        os.close(fd)
        return False

    def commit_file(self) -> None:
        """Put the file in the destination's place, over a file that is there.

        :raises OSError: if it can't be; the destination is as before
        """
        os.replace(self.path, self.destination)  # noqa: PTH105 - the same call on every Python
        self._committed()

    def commit_directory(self) -> None:
        """Put the directory in the destination's place, and remove the one that was there.

        :raises OSError: if it can't be; the destination is as before
        """
        replaced: list[Path] = []
        try:
            for tries_left in reversed(range(_TRIES)):
                try:
                    self._swap(replaced)
                    break
                except OSError as error:
                    # Another run has just put its own there, or is about to.
                    if error.errno not in _CONTENDED or not tries_left:
                        raise
            self._committed()
        finally:
            for old in replaced:
                shutil.rmtree(old, ignore_errors=True)

    def _swap(self, replaced: list[Path]) -> None:
        old = self._sibling(_OLD)
        try:
            if self.destination.is_dir():
                self._hold(self.destination)
                os.rename(self.destination, old)  # noqa: PTH104 - the same on every Python
            os.rename(self.path, self.destination)  # noqa: PTH104 - the same
        except BaseException:
            if old.exists() and not self.destination.exists():
                os.rename(old, self.destination)  # noqa: PTH104 - the same
            raise
        finally:
            if old.exists():
                replaced.append(old)

    def _hold(self, directory: Path) -> None:
        """Lock a directory, so that no other run takes it for a killed one's leavings."""
        with contextlib.suppress(OSError):
            fd = open_directory(directory)
            if fd is not None:
                self._held.append(fd)
                try_lock(fd)

    def _committed(self) -> None:
        self._made_parents.clear()
        # The rename is done: a file system that can't sync a directory doesn't undo it.
        with contextlib.suppress(OSError):
            fd = open_directory(self.destination.parent)
            if fd is not None:
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)

    def _sibling(self, suffix: str) -> Path:
        return temporary_sibling(self.destination, f".{suffix}")

    def _make_parents(self) -> None:
        missing = [p for p in self.destination.parents if not p.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            self._made_parents.insert(0, parent)

    def _remove_stale(self) -> None:
        name = re.escape(self.destination.name[:60])
        pattern = re.compile(rf"\.{name}\.[0-9a-f]{{8}}\.({_TEMPORARY}|{_OLD})")
        with contextlib.suppress(OSError):
            for item in list(os.scandir(self.destination.parent)):
                if pattern.fullmatch(item.name) and not item.is_symlink():
                    _remove_unused(Path(item.path))


@contextlib.contextmanager
def output_errors(destination: Path) -> Iterator[None]:
    """Turn what the system refuses into an OutputError that names the path.

    :raises OutputError: for every OSError inside
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        at = str(error.filename) if error.filename else ""
        raise OutputError(
            f"can't write {destination}: {reason}",
            context=(at,) if at and at != str(destination) and "crossdeps-" not in at else (),
            hint=_HINTS.get(error.errno or 0),
        ) from error


def _write_all(fd: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _remove_unused(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        if not try_lock(fd):
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    finally:
        os.close(fd)
