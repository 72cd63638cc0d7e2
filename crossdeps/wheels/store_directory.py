"""Private folders inside the store for what is under way, which die with their process.

Each open store has one. It holds a lock file that its process keeps locked, so that another can
tell the folder of a living process from one that was left behind, whatever the clock says.

::

    BASE/sha256/ab/<64 hex digits>.whl        mode 0444, never changed once there
    BASE/sha256/ab/<64 hex digits>.facts1     what the strict reader found (facts.py)
    BASE/tmp/run-*/                           what a running process works on (scratch.py)

Nothing here is locked: a file comes in by rename, and a process holds what it uses by a second
name in its own scratch folder. Nothing is synced either: every use takes a wheel's hash anew, so
that one torn by a power cut is dropped and fetched again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from crossdeps.fs import make_private_directory, try_lock
from crossdeps.wheels.facts import SUFFIX, decode_facts, encode_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from crossdeps.wheels.contents import WheelContents

T = TypeVar("T")

_LOCK = "lock"
_TRIES = 5
_YOUNG: Final = 60.0
"""Seconds for which a folder without a locked file may still be in the making."""
_ABANDONED: Final = 3 * 86400.0
"""Seconds after which it is left behind, where files can't be locked."""


class WorkDirectory:
    """A private folder (mode 0700) under *parent*, gone when it is closed or the process ends.

    :raises OSError: if it can't be made
    """

    def __init__(self, parent: Path) -> None:
        self.path = retrying(lambda: _new_folder(parent))
        self._lock = (self.path / _LOCK).open("wb")
        try_lock(self._lock.fileno())
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
    make_private_directory(parent)
    return Path(tempfile.mkdtemp(prefix="run-", dir=parent))


def _remove(path: Path, lock: BinaryIO) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.close()


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
            locked = try_lock(lock.fileno())
    except FileNotFoundError:
        return True
    return age > _ABANDONED if locked is None else locked


def link_or_copy(source: Path, destination: Path) -> None:
    """Give *source* a second name, or copy it where file systems don't do that."""
    try:
        os.link(source, destination)
    except OSError:
        shutil.copyfile(source, destination)


WHEEL_SUFFIX: Final = ".whl"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class StoreDirectory:
    """The files under one *base* folder, which need not exist. Safe to use from several threads."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._lock = threading.Lock()
        self._scratch: WorkDirectory | None = None
        self._serial = 0

    def close(self) -> None:
        """Remove the scratch folder; what :meth:`hold` gave is gone with it."""
        with self._lock:
            if self._scratch is not None:
                self._scratch.close()
                self._scratch = None

    def work_directory(self) -> Path:
        """This process's private folder; made when first asked for, after others' were swept.

        :raises OSError: if it can't be made
        """
        with self._lock:
            if self._scratch is None:
                folder = self.base / "tmp"
                sweep(folder)
                self._scratch = WorkDirectory(folder)
            return self._scratch.path

    def work_file(self, suffix: str = WHEEL_SUFFIX) -> Path:
        """A name in the scratch folder that was never given before.

        :raises OSError: if the folder can't be made
        """
        folder = self.work_directory()
        with self._lock:
            self._serial += 1
            return folder / f"{self._serial}{suffix}"

    def path(self, sha256: str) -> Path:
        """Where the wheel with this hash lies, or would lie.

        :raises ValueError: if it isn't a SHA-256 in lower-case hex
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(sha256)
        return self.base / "sha256" / sha256[:2] / f"{sha256}{WHEEL_SUFFIX}"

    def hold(self, sha256: str) -> Path | None:
        """A name of the wheel that stays while this is open; its own one on a read-only disk.

        :returns: None if it isn't there
        """
        path = self.path(sha256)
        try:
            if not path.is_file() or path.is_symlink():
                return None
        except OSError:  # a folder above it is closed to this user
            return None
        try:
            held = self.work_file()
            os.link(path, held)
        except FileNotFoundError:
            return None
        except OSError:
            return path
        return held

    def put(self, held: Path, sha256: str) -> None:
        """Bring in a file of the scratch folder, which keeps its name there.

        :raises OSError: if the disk is full or fails
        """
        held.chmod(0o444)
        final = self.path(sha256)
        aside = self.work_file()
        link_or_copy(held, aside)
        self._rename(aside, final)

    def drop(self, sha256: str) -> None:
        """Forget the wheel with this hash."""
        path = self.path(sha256)
        for each in (path, path.with_suffix(SUFFIX)):
            with contextlib.suppress(OSError):
                each.unlink(missing_ok=True)

    def facts(self, sha256: str, size: int) -> WheelContents | None:
        """What was noted of the wheel; None where there is nothing that can be believed."""
        path = self.path(sha256).with_suffix(SUFFIX)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # when the wheel was last used, for pruning
        return decode_facts(data, sha256=sha256, size=size)

    def note(self, contents: WheelContents) -> None:
        """Note what was found in a wheel. Errors are passed over: it can be found again."""
        with contextlib.suppress(OSError):
            aside = self.work_file(SUFFIX)
            aside.write_bytes(encode_facts(contents))
            self._rename(aside, self.path(contents.sha256).with_suffix(SUFFIX))

    def _rename(self, source: Path, final: Path) -> None:
        def rename() -> None:
            make_private_directory(final.parent)
            source.replace(final)

        retrying(rename)


def move(source: Path, destination: Path) -> None:
    """Rename, or copy and remove where they lie on different file systems.

    :raises OSError: if neither works
    """
    try:
        source.replace(destination)
    except OSError:
        shutil.copyfile(source, destination)
        with contextlib.suppress(OSError):
            source.unlink()
