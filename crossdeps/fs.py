"""Locks on what a run is writing: they end with the process that holds them."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from crossdeps.errors import OutputError

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


def write_aside(
    path: Path, text: str, *, what: str, hint: str | None = None, rule: str | None = None
) -> None:
    """Write *text* as UTF-8 beside *path*, and rename it when it is complete.

    What isn't a file (a pipe, a terminal) is written as it is; a link keeps leading where it leads.

    :param what: is written, for the message
    :raises OutputError: if it can't be written; what was there before is still there
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        _replace(path.resolve(), text.encode("utf-8"))
    except OSError as error:
        raise OutputError(
            f"{what} can't be written to {path}: {error.strerror or error}", hint=hint, rule=rule
        ) from error


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            aside.chmod(path.stat().st_mode & 0o777)
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
