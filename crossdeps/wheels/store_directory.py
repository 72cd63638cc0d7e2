"""The files of a store on disk, and the private directory of each process that uses it.

::

    BASE/sha256/ab/<64 hex digits>.whl        mode 0444, never changed
    BASE/sha256/ab/<64 hex digits>.facts3     its facts, as the strict reader found them
    BASE/tmp/run-*/                           what a running process works on

Nothing in the store is locked: a file is added by renaming it, and a process keeps what it uses by
a hard link in its own work directory. Nothing is synced either: since every use computes a wheel's
hash anew, one that was damaged by a power failure is removed and downloaded again.

A work directory has a file that its process keeps locked, which tells the directory of a running
process from one that was left behind, whatever the clock says.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import threading
import time
import weakref
from typing import TYPE_CHECKING, Final, TypeVar

from crossdeps.fs import make_private_directory, remove_directory, try_lock
from crossdeps.wheels.facts import FORMAT, decode_facts, encode_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from crossdeps.wheels.model import WheelFacts

T = TypeVar("T")

WHEEL_SUFFIX: Final = ".whl"
FACTS_SUFFIX: Final = f".facts{FORMAT}"
_LOCK = "lock"
_TRIES = 5
_YOUNG: Final = 60.0
"""Seconds for which a directory without a locked file may be one that is being made."""
_ABANDONED: Final = 3 * 86400.0
"""Seconds after which it counts as left behind, where files cannot be locked."""


class StoreDirectory:
    """The files under *base*, which need not exist yet. Safe to use from several threads."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._lock = threading.Lock()
        self._work_directory: WorkDirectory | None = None
        self._closed = False
        self._serial = 0

    def close(self) -> None:
        """Remove the work directory, with what :meth:`link_wheel` returned."""
        with self._lock:
            self._closed = True
            if self._work_directory is not None:
                self._work_directory.close()
                self._work_directory = None

    def work_directory(self) -> Path:
        """Return this process's private directory; when it is made, abandoned ones are removed.

        :raises OSError: if it cannot be made, or this is closed
        """
        with self._lock:
            if self._closed:  # by a download that nobody waits for any more
                raise OSError(errno.EBADF, "the store is closed")
            if self._work_directory is None:
                parent = self.base / "tmp"
                remove_abandoned(parent)
                self._work_directory = WorkDirectory(parent)
            return self._work_directory.path

    def work_file(self, suffix: str = WHEEL_SUFFIX) -> Path:
        """Return a path in the work directory that was never returned before.

        :raises OSError: if the directory cannot be made
        """
        directory = self.work_directory()
        with self._lock:
            self._serial += 1
            return directory / f"{self._serial}{suffix}"

    def path(self, sha256: str) -> Path:
        """Return the path of the wheel with this hash, whether it exists or not.

        :raises ValueError: if it isn't a SHA-256 in lower-case hex
        """
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise ValueError(sha256)
        return self.base / f"sha256/{sha256[:2]}/{sha256}{WHEEL_SUFFIX}"

    def has_wheel(self, sha256: str) -> bool:
        """Whether there is a file for this hash; False if it isn't a SHA-256."""
        try:
            return self.path(sha256).is_file()
        except (OSError, ValueError):
            return False

    def link_wheel(self, sha256: str) -> Path | None:
        """Return a path of the wheel that stays while this is open.

        :returns: None if the wheel doesn't exist; its own path on a read-only disk
        """
        path = self.path(sha256)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                return None
        except OSError:  # also if a directory above it cannot be entered
            return None
        try:
            link = self.work_file()
            os.link(path, link)
        except FileNotFoundError:
            return None
        except OSError:
            return path
        return link

    def add_wheel(self, file: Path, sha256: str) -> None:
        """Add a file of the work directory, which it stays in too.

        :raises OSError: if the disk is full or fails
        """
        file.chmod(0o444)
        destination = self.path(sha256)
        temporary = self.work_file()
        try:
            os.link(file, temporary)
        except OSError:  # a file system without hard links
            import shutil  # noqa: PLC0415 - where links are not possible

            shutil.copyfile(file, temporary)
        self._rename(temporary, destination)

    def remove_wheel(self, sha256: str) -> None:
        """Remove the wheel with this hash, and its facts."""
        path = self.path(sha256)
        for each in (path, path.with_suffix(FACTS_SUFFIX)):
            with contextlib.suppress(OSError):
                each.unlink(missing_ok=True)

    def find_facts(self, sha256: str, size: int) -> WheelFacts | None:
        """Return the stored facts of a wheel; None if there are none, or they are invalid."""
        path = self.path(sha256).with_suffix(FACTS_SUFFIX)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        self.touch_facts(sha256)
        return decode_facts(data, sha256=sha256, size=size)

    def touch_facts(self, sha256: str) -> None:
        """Note that a wheel is used now, so that pruning keeps it."""
        with contextlib.suppress(OSError):
            os.utime(self.path(sha256).with_suffix(FACTS_SUFFIX))

    def add_facts(self, facts: WheelFacts) -> None:
        """Store the facts of a wheel. Errors are ignored: the wheel can be read again."""
        with contextlib.suppress(OSError):
            temporary = self.work_file(FACTS_SUFFIX)
            temporary.write_bytes(encode_facts(facts))
            self._rename(temporary, self.path(facts.sha256).with_suffix(FACTS_SUFFIX))

    def _rename(self, source: Path, destination: Path) -> None:
        def rename() -> None:
            make_private_directory(destination.parent)
            source.replace(destination)

        retry(rename)


class WorkDirectory:
    """A private directory (mode 0700) under *parent*, removed when closed or when the process ends.

    :raises OSError: if it cannot be made
    """

    def __init__(self, parent: Path) -> None:
        self.path: Path = retry(lambda: _make_directory(parent))
        self._lock = (self.path / _LOCK).open("wb")
        try_lock(self._lock.fileno())
        self._finalizer = weakref.finalize(self, _remove, self.path, self._lock)

    def close(self) -> None:
        """Remove the directory with all that is in it."""
        self._finalizer()


def _make_directory(parent: Path) -> Path:
    make_private_directory(parent)
    path = parent / f"run-{os.urandom(8).hex()}"
    path.mkdir(mode=0o700)
    return path


def _remove(path: Path, lock: BinaryIO) -> None:
    remove_directory(path)
    lock.close()


def retry(action: Callable[[], T]) -> T:
    """Call *action*, again if another process has removed an empty directory meanwhile.

    :raises OSError: what the last try raised
    """
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            return action()
    return action()


def remove_abandoned(parent: Path) -> int:
    """Remove the work directories under *parent* whose process has ended; return the bytes freed.

    Errors are ignored: the next run tries again.
    """
    freed = 0
    for directory in _work_directories(parent):
        with contextlib.suppress(OSError):
            if _is_abandoned(directory):
                freed += sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
                remove_directory(directory)
    return freed


def _work_directories(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.name.startswith("run-"))
    except OSError:
        return []


def _is_abandoned(directory: Path) -> bool:
    age = abs(time.time() - directory.stat().st_mtime)
    if age < _YOUNG:
        return False
    try:
        with (directory / _LOCK).open("r+b") as lock:
            locked = try_lock(lock.fileno())
    except FileNotFoundError:
        return True
    return age > _ABANDONED if locked is None else locked


def move(source: Path, destination: Path) -> None:
    """Rename a file, or copy and remove it where the two are on different file systems.

    :raises OSError: if neither works
    """
    try:
        source.replace(destination)
    except OSError:
        import shutil  # noqa: PLC0415 - where links are not possible

        shutil.copyfile(source, destination)
        with contextlib.suppress(OSError):
            source.unlink()
