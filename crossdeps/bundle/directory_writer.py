"""Writing the files of a bundle into a new directory, in a few threads.

Inflating, hashing and the calls to the system release the interpreter lock. A file that a previous
directory has already, found unchanged, gets a second name instead of being written again; the first
name goes with that directory.
"""

from __future__ import annotations

import os
import stat
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import msgspec

from crossdeps.bundle.content import ContentReader, verify_chunks
from crossdeps.bundle.model import FileContent, WheelContent
from crossdeps.bundle.staging import write_all
from crossdeps.fs import create_file
from crossdeps.system_errors import start_threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from crossdeps.bundle.destination import DestinationState
    from crossdeps.bundle.model import Entry

_DIRECTORY_MODE = 0o755
_MAX_THREADS = 4
# Neighbours are mostly of one wheel and one directory.
_BATCH = 64
# In each thread; a limit of 256 descriptors, as macOS has, must suffice for all of them.
_MAX_OPEN = 4


class PreviousDirectory(msgspec.Struct, frozen=True, kw_only=True):
    """A directory that crossdeps wrote earlier, and what was found in it."""

    path: Path
    state: DestinationState


def write_files(
    entries: Sequence[Entry], root: Path, *, previous: PreviousDirectory | None = None
) -> None:
    """Write *entries* into an empty directory; modes are those of the plan whatever the umask is.

    :param previous: whose unchanged files are used again
    :raises IntegrityError: if a wheel has changed since it was verified
    :raises OutputError: if a file of the user has changed since it was planned
    :raises OSError: if a file cannot be read or written
    """
    # What a directory with a set-group-ID bit gives to this one would be inherited further.
    root.chmod(0o700)
    allowed = _find_allowed_modes(root)
    _create_directories(entries, root, allowed)
    _Writer(entries, root, allowed, previous).run()


def _find_allowed_modes(root: Path) -> int:
    """Find the permission bits that the umask and default ACLs leave to new files."""
    path = f"{root}/.mode"
    fd = create_file(path, 0o777)
    try:
        return stat.S_IMODE(os.fstat(fd).st_mode)
    finally:
        os.close(fd)
        os.unlink(path)  # noqa: PTH108 - the same call for each file here


def _create_directories(entries: Iterable[Entry], root: Path, allowed: int) -> None:
    created = {""}
    last = ""
    for entry in entries:
        parent = entry.path.rpartition("/")[0]
        if parent == last:
            continue
        last = parent
        missing = []
        while parent not in created:
            missing.append(parent)
            created.add(parent)
            parent = parent.rpartition("/")[0]
        for name in reversed(missing):
            os.mkdir(f"{root}/{name}", _DIRECTORY_MODE)  # noqa: PTH102 - twice as fast
            if _DIRECTORY_MODE & ~allowed:
                os.chmod(f"{root}/{name}", _DIRECTORY_MODE)  # noqa: PTH101 - as above


class _Writer:
    def __init__(
        self,
        entries: Sequence[Entry],
        root: Path,
        allowed: int,
        previous: PreviousDirectory | None,
    ) -> None:
        self._root = str(root)
        self._allowed = allowed
        self._previous = previous
        self._batches: SimpleQueue[Sequence[Entry]] = SimpleQueue()
        for start in range(0, len(entries), _BATCH):
            self._batches.put(entries[start : start + _BATCH])
        self._errors: list[BaseException] = []

    def run(self) -> None:
        count = min(_count_threads(), self._batches.qsize())
        threads = [Thread(target=self._work, daemon=True) for _ in range(count - 1)]
        try:
            start_threads(threads)
            self._work()
        except BaseException as error:
            self._errors.append(error)  # which stops the threads
            raise
        finally:
            for thread in threads:
                if thread.ident:
                    thread.join()
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        """Write batches until there are none left, or a thread has failed."""
        try:
            with ContentReader(max_open=_MAX_OPEN) as reader:
                while not self._errors:
                    for entry in self._batches.get_nowait():
                        self._write(entry, reader)
        except Empty:
            pass
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            self._errors.append(error)

    def _write(self, entry: Entry, reader: ContentReader) -> None:
        path, mode = f"{self._root}/{entry.path}", entry.mode & 0o777
        if self._previous and _link(entry, path, self._previous):
            return
        content = entry.content
        chunks = reader.iterate(content)
        if not isinstance(content, WheelContent):
            name = content.file if isinstance(content, FileContent) else entry.path
            chunks = verify_chunks(chunks, size=entry.size, sha256=entry.sha256, name=name)
        fd = create_file(path, mode)
        try:
            for chunk in chunks:
                write_all(fd, chunk)
        finally:
            os.close(fd)
        if mode & ~self._allowed:
            os.chmod(path, mode)  # noqa: PTH101 - a str


def _count_threads() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    count = len(usable(0)) if usable else os.cpu_count() or 1
    # One more than processors: some wait for the disk, or for the lock of a directory.
    return min(count + 1, _MAX_THREADS)


def _link(entry: Entry, path: str, previous: PreviousDirectory) -> bool:
    """Give the file of the previous directory another name, if it is what was planned.

    A file that has more names already is the user's too, and is not shared with the new directory.
    """
    found = previous.state.files.get(entry.path)
    if (
        found is None
        or not entry.sha256
        or previous.state.hashes.get(entry.path) != entry.sha256
        or found.mode != stat.S_IFREG | (entry.mode & 0o777)
        or found.links != 1
    ):
        return False
    try:
        os.link(f"{previous.path}/{entry.path}", path)
    except OSError:  # no such file system, or another run has replaced the directory meanwhile
        return False
    status = os.lstat(path)
    if (
        (status.st_mode, status.st_dev, status.st_ino) == (found.mode, found.device, found.inode)
        and (status.st_size, status.st_mtime_ns) == (found.size, found.modified)
        and status.st_nlink == 2
    ):
        return True
    os.unlink(path)  # noqa: PTH108 - a str
    return False
