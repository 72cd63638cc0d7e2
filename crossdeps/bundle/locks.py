"""Locks on what a run is writing: they end with the process that holds them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def open_directory(path: Path) -> int | None:
    """A descriptor of a directory; None where it can't be had.

    :raises OSError: if the directory isn't there
    """
    try:
        return os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no directories; elsewhere it may not be readable
        return None


def try_lock(fd: int) -> bool | None:
    """Whether the lock was got; None where this system, or file system, has no such locks."""
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:  # Windows has other locks: there, what a killed run left stays
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_at(fd: int, path: Path) -> bool:
    """Whether *path* still names the file or directory that *fd* is open on."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False
