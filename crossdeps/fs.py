"""Files and directories: atomic writes, private directories, locks and hashes, for every room.

Locks are advisory (``flock``) and end with the process that holds them.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import TYPE_CHECKING, Final, TypeVar

from crossdeps.errors import OutputError
from crossdeps.system_errors import resource_error, start_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import IO, BinaryIO

T = TypeVar("T")

DAY: Final = 86400.0
"""Seconds."""

CHUNK: Final = 1 << 20
"""Bytes to read from a file at a time."""


def hash_stream(file: BinaryIO, algorithms: Sequence[str] = ("sha256",)) -> dict[str, str]:
    """Return the hex digest of the whole of *file* by each of *algorithms*.

    The position is at the end of the file afterwards, so that ``tell()`` is its size.
    """
    import hashlib  # noqa: PLC0415 - loads OpenSSL

    hashes = {algorithm: hashlib.new(algorithm, usedforsecurity=False) for algorithm in algorithms}
    buffer = memoryview(bytearray(CHUNK))
    file.seek(0)
    while count := file.readinto(buffer):  # type: ignore[attr-defined]
        for digest in hashes.values():
            digest.update(buffer[:count])
    return {algorithm: digest.hexdigest() for algorithm, digest in hashes.items()}


def hash_bytes(data: bytes | memoryview) -> str:
    """Return the SHA-256 of *data*, in hex."""
    import hashlib  # noqa: PLC0415 - loads OpenSSL

    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path | str) -> str:
    """Return the SHA-256 of a file, in hex.

    :raises OSError: if it cannot be read
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs more than the rest
        if os.fstat(file.fileno()).st_size < CHUNK:
            return hash_bytes(file.read())
        return hash_stream(file)["sha256"]


def hash_input(path: Path) -> str:
    """Return the SHA-256 of a file that may be read again, in hex; empty if there is none.

    What a pipe or a device gives is gone once it was read, and is left to the one who needs it.
    """
    try:
        return hash_file(path) if stat.S_ISREG(path.stat().st_mode) else ""
    except (OSError, ValueError):
        return ""


def run_in_threads(
    work: Callable[[Iterator[T]], object], items: Iterable[T], *, threads: int
) -> None:
    """Call *work* in as many as *threads* threads, the current one among them.

    Each call gets an iterator; together these yield every item once, in order. After an exception
    they end early; the first exception is raised when all calls have returned. Reading files, zlib
    and hashlib release the interpreter lock, but for small files it costs more than it gains.
    """
    import threading  # noqa: PLC0415 - for many files only
    from collections import deque  # noqa: PLC0415

    pending = deque(items)
    errors: list[BaseException] = []

    def take() -> Iterator[T]:
        with contextlib.suppress(IndexError):  # none is left
            while True:
                yield pending.popleft()

    def run() -> None:
        try:
            work(take())
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)
            pending.clear()

    others = [
        threading.Thread(target=run, name="crossdeps-read", daemon=True)
        for _ in range(min(threads, len(pending)) - 1)
    ]
    started = start_threads(others)
    run()
    for thread in others[:started]:
        thread.join()
    if errors:
        raise errors[0]


def mark_used(path: Path, status: os.stat_result | None = None) -> None:
    """Record that a file of a cache is used, for pruning, unless that was recorded today."""
    with contextlib.suppress(OSError):
        if time.time() - (status or path.stat()).st_mtime > DAY:
            os.utime(path)


def list_entries(directory: Path, pattern: str) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files of a cache that match *pattern*, but those that a process is writing."""
    for path in directory.glob(pattern):
        with contextlib.suppress(OSError):
            status = path.stat()
            if not path.name.startswith(".") or time.time() - status.st_mtime > DAY:
                yield path, status


def remove_unused(entries: Iterable[tuple[Path, os.stat_result]], *, unused_days: float) -> int:
    """Remove files that were last used longer ago than this; return the bytes freed."""
    since = time.time() - unused_days * DAY
    freed = 0
    for path, status in entries:
        if status.st_mtime < since:
            with contextlib.suppress(OSError):
                path.unlink()
                freed += status.st_size
    return freed


def belongs_to_another(path: Path) -> bool:
    """Whether *path* exists and its owner is neither this user nor root.

    Where owners are unknown (Windows, an unreadable parent), False.
    """
    try:
        owner, user = path.stat().st_uid, os.geteuid()
    except (OSError, AttributeError):
        return False
    return owner not in {user, 0}


def make_private_directory(path: Path) -> None:
    """Create *path* and every missing parent directory, with mode 0700.

    The XDG Base Directory Specification prescribes this mode for missing directories.

    :raises OSError: if it cannot be created, or a file has this path
    """
    try:
        path.mkdir(mode=0o700)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError:  # FileExistsError; for a root, the errors of systems differ
        if not path.is_dir():
            raise


def temporary_sibling(path: Path, suffix: str = "") -> Path:
    """Return an unused hidden path in the same directory: ``.NAME.1a2b3c4d`` and *suffix*."""
    return path.parent / f".{path.name[:60]}.{os.urandom(4).hex()}{suffix}"


@contextlib.contextmanager
def atomic_write(path: Path, *, mode: int = 0o600, sync: bool = False) -> Iterator[IO[bytes]]:
    """Open a temporary file beside *path*, renamed to it at the end, or removed after an error.

    :param mode: permissions of the file, before the umask
    :param sync: wait until the bytes are on disk: a power failure leaves the old file or the new
    :raises OSError: if it cannot be written
    """
    aside = temporary_sibling(path, ".tmp")
    with open(aside, "x+b", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        try:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
            file.close()  # Windows renames no open file
            os.replace(aside, path)  # noqa: PTH105 - the same call on every Python
        except BaseException as error:
            if isinstance(error, OSError) and error.filename is None:
                error.filename = str(path)
            with contextlib.suppress(OSError):
                file.close()
            with contextlib.suppress(OSError):
                aside.unlink()
            raise


def current_directory() -> Path:
    """The current directory; ``.`` where it has no path: it was removed, or is not accessible."""
    from pathlib import Path  # noqa: PLC0415 - not needed for help

    try:
        return Path.cwd()
    except OSError:
        return Path()


def write_output(
    path: Path, text: str, *, what: str, hint: str | None = None, rule: str | None = None
) -> None:
    """Write *text* as UTF-8 to *path*, replacing it atomically.

    A pipe or a terminal is written to directly. A symbolic link is followed: its target is
    replaced. The permissions of an existing file are kept.

    :param what: noun phrase for the error message, such as ``the report``
    :raises OutputError: if it cannot be written; *path* is unchanged
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        target = path.resolve()
        with atomic_write(target, mode=0o666, sync=True) as file:
            file.write(text.encode("utf-8"))
            with contextlib.suppress(FileNotFoundError):
                os.chmod(file.name, target.stat().st_mode & 0o777)  # noqa: PTH101 - a str
    except OSError as error:
        problem = f"{what} cannot be written to {path}"
        if limit := resource_error(error, problem, path=path):
            limit.rule = rule or limit.rule
            raise limit from error
        reason = error.strerror or error
        raise OutputError(f"{problem}: {reason}", hint=hint, rule=rule) from error


def open_directory(path: Path) -> int | None:
    """Open a directory and return its descriptor, or None where directories cannot be opened.

    :raises OSError: if the directory doesn't exist
    """
    try:
        return os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no directories; elsewhere it may not be readable
        return None


def try_lock(fd: int) -> bool | None:
    """Lock an open file or directory without waiting.

    :returns: whether it is locked now; None where the system or the file system has no such locks
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
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


def remove_directory(path: Path) -> None:
    """Remove a directory with all its content; what cannot be removed stays."""
    try:
        for name in os.listdir(path):  # noqa: PTH208 - joined in the next line
            (path / name).unlink()
        path.rmdir()
    except OSError:  # it has directories, or is not there
        import shutil  # noqa: PLC0415 - loads the modules of all archive formats

        shutil.rmtree(path, ignore_errors=True)


def create_file(path: Path | str, mode: int = 0o666) -> int:
    """Create a file that does not exist yet, and return its descriptor.

    :raises OSError: if it cannot be created, or *path* exists
    """
    binary = getattr(os, "O_BINARY", 0)  # Windows
    return os.open(path, binary | os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
