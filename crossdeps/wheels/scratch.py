"""Private folders inside the store for what is under way, which die with their process.

Each open store has one. It holds a lock file that its process keeps locked, so that another can
tell the folder of a living process from one that was left behind, whatever the clock says.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

T = TypeVar("T")

_LOCK = "lock"
_TRIES = 5
_YOUNG: Final = 60.0
"""Seconds for which a folder without a locked file may still be in the making."""
_ABANDONED: Final = 3 * 86400.0
"""Seconds after which it is left behind, where files can't be locked."""


class Scratch:
    """A private folder (mode 0700) under *parent*, gone when it is closed or the process ends.

    :raises OSError: if it can't be made
    """

    def __init__(self, parent: Path) -> None:
        self.path = retrying(lambda: _new_folder(parent))
        self._lock = (self.path / _LOCK).open("wb")
        _try_lock(self._lock)
        self._finalizer = weakref.finalize(self, _remove, self.path, self._lock)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        self._finalizer()


def retrying(action: Callable[[], T]) -> T:
    """Do *action*, again where another process has removed an empty folder meanwhile.

    :raises OSError: what the last try raised
    """
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            return action()
    return action()


def _new_folder(parent: Path) -> Path:
    for folder in (parent.parent.parent, parent.parent, parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="run-", dir=parent))


def _remove(path: Path, lock: BinaryIO) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.close()


def _try_lock(file: BinaryIO) -> bool | None:
    """Whether the lock was got; None where this system has no such locks."""
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ImportError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def sweep(parent: Path) -> int:
    """Remove the folders under *parent* whose process is gone; bytes won.

    Errors are passed over: the next run tries again.
    """
    won = 0
    for folder in _folders(parent):
        with contextlib.suppress(OSError):
            if _is_left_behind(folder):
                won += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
                shutil.rmtree(folder, ignore_errors=True)
    return won


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.name.startswith("run-"))
    except OSError:
        return []


def _is_left_behind(folder: Path) -> bool:
    age = abs(time.time() - folder.stat().st_mtime)
    if age < _YOUNG:
        return False
    try:
        with (folder / _LOCK).open("r+b") as lock:
            locked = _try_lock(lock)
    except FileNotFoundError:
        return True
    return age > _ABANDONED if locked is None else locked


def link_or_copy(source: Path, destination: Path) -> None:
    """Give *source* a second name, or copy it where file systems don't do that."""
    try:
        os.link(source, destination)
    except OSError:
        shutil.copyfile(source, destination)
