"""The store: verified wheels by the SHA-256 of their bytes, shared by any number of processes.

A wheel is believed for its hash alone, taken anew on every use. The name under which it was
published is no part of the key, and is checked on every use. How files lie on disk is told in
:mod:`crossdeps.wheels.shelf`.
"""

from __future__ import annotations

import errno
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.errors import CrossdepsError, HashMismatchError, IntegrityError, WheelError
from crossdeps.fs import belongs_to_another, hash_stream
from crossdeps.index.transfer import ALGORITHMS
from crossdeps.wheels.contents import WheelContents, read_contents
from crossdeps.wheels.reader import name_wheel
from crossdeps.wheels.store_directory import StoreDirectory, move

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from crossdeps.wheels.model import Wheel

_UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST})


class Store:
    """Verified wheels under *root*, which need not exist yet; use it as a context manager.

    The files of the wheels that it gives stay readable while it is open, whatever other processes
    do to the store. Where *root* can't be written, or belongs to another user, a temporary folder
    takes its place, and :attr:`warnings` says so once. Safe to use from several threads.

    :param root: folder of the cache; None for a store that is gone when it is closed
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root
        self._warnings: list[str] = []
        self._lock = threading.Lock()
        self._shelves: list[StoreDirectory] = []
        self._writable: StoreDirectory | None = None
        self._closed = False
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if root is None:
            return
        if belongs_to_another(root):
            self._warnings.append(f"{root} belongs to another user: working without it")
        else:
            self._shelves.append(StoreDirectory(root / "wheels"))

    @classmethod
    def temporary(cls) -> Store:
        """A store that is gone when it is closed."""
        return cls(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up what is temporary; the files of wheels that were found may be gone after it."""
        with self._lock:
            self._closed = True
            for shelf in self._shelves:
                shelf.close()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None
            self._writable = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the store, one sentence each."""
        return tuple(self._warnings)

    @property
    def folder(self) -> Path | None:
        """The cache folder, where it is the user's own; None for a temporary store."""
        return (
            self.root if len(self._shelves) and self._shelves[0].base.parent == self.root else None
        )

    def work_file(self, suffix: str = ".whl") -> Path:
        """A new private name on the store's file system, for a file that is to be added.

        :raises CrossdepsError: if the disk is full or fails
        """
        return self._writable_shelf().work_file(suffix)

    def find(self, sha256: str, filename: str) -> Wheel | None:
        """The wheel with this hash, if the store has it whole.

        Its bytes are hashed; a file that has changed is dropped, and facts that can't be believed
        are read again from the wheel.

        :param sha256: lower-case hex digest of the wheel file
        :param filename: the name under which it was published
        :raises WheelError: if project or version differ from the file name
        :raises ValueError: if *sha256* isn't one
        """
        for shelf in tuple(self._shelves):
            held = shelf.hold(sha256)
            if held is None:
                continue
            contents = _believed(shelf, held, sha256, filename)
            if contents is not None:
                return _named(contents, held, filename)
        return None

    def add(self, path: Path, *, filename: str, hashes: Mapping[str, str]) -> Wheel:
        """Read *path* strictly and move it into the store; refused or not, it is moved away.

        :param path: a file that nothing else writes to; best one of :meth:`scratch_file`
        :param filename: the name under which it was published
        :param hashes: algorithm -> lower-case hex digest; each must be right
        :raises HashMismatchError: if one isn't
        :raises WheelError: if the wheel breaks a rule
        :raises CrossdepsError: if the disk is full or fails
        """
        shelf = self._writable_shelf()
        held = shelf.work_file()
        try:
            move(path, held)
            sha256 = _check_hashes(held, hashes, filename)
            contents = _read(held, size=held.stat().st_size, sha256=sha256, filename=filename)
            wheel = _named(contents, held, filename)
            shelf.put(held, sha256)
        except IntegrityError:
            held.unlink(missing_ok=True)
            raise
        except OSError as error:
            raise _disk_error(error, self.root) from error
        shelf.note(contents)
        return wheel

    def _writable_shelf(self) -> StoreDirectory:
        """The shelf under the root if it can be written, else one in a temporary folder."""
        with self._lock:
            if self._closed:  # a download that was still under way: nobody waits for it
                raise CrossdepsError("the store is closed")
            if self._writable is None:
                self._writable = self._open_writable()
            return self._writable

    def _open_writable(self) -> StoreDirectory:
        if self._shelves and self._can_write(self._shelves[0]):
            return self._shelves[0]
        try:
            self._folder = tempfile.TemporaryDirectory(
                prefix="crossdeps-", ignore_cleanup_errors=True
            )
        except OSError as error:
            raise _disk_error(error, None) from error
        shelf = StoreDirectory(Path(self._folder.name))
        self._shelves.append(shelf)
        return shelf

    def _can_write(self, shelf: StoreDirectory) -> bool:
        try:
            shelf.work_directory()
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise _disk_error(error, self.root) from error
            self._warnings.append(
                f"{self.root} can't be written ({error.strerror}): what is fetched is not kept"
            )
            return False
        return True


def _believed(
    shelf: StoreDirectory, held: Path, sha256: str, filename: str
) -> WheelContents | None:
    """What is true of a stored file; None, and it is dropped, if it isn't what it was."""
    try:
        with held.open("rb") as file:
            found = hash_stream(file)["sha256"]
            size = file.tell()
    except OSError:
        return None
    if found != sha256:
        shelf.drop(sha256)
        return None
    contents = shelf.facts(sha256, size)
    if contents is None:
        contents = _read(held, size=size, sha256=sha256, filename=filename)
        shelf.note(contents)
    return contents


def _check_hashes(path: Path, hashes: Mapping[str, str], filename: str) -> str:
    """The SHA-256 of *path*, once all *hashes* that can be taken here are known to be right."""
    known = {key: value for key, value in hashes.items() if key in ALGORITHMS}
    algorithms = tuple(dict.fromkeys(("sha256", *known)))
    with path.open("rb") as file:
        found = hash_stream(file, algorithms)
    for algorithm, expected in known.items():
        if found[algorithm] != expected.lower():
            raise HashMismatchError(
                f"{algorithm} mismatch: expected {expected}, got {found[algorithm]}",
                context=(filename,),
                hint="the file was damaged on the way, or replaced: if a new try doesn't help,"
                " find out which hash is right before you change the expected one",
                rule="hash-mismatch",
            )
    return found["sha256"]


def _read(path: Path, *, size: int, sha256: str, filename: str) -> WheelContents:
    try:
        with path.open("rb") as file:
            return read_contents(file, size=size, sha256=sha256)
    except WheelError as error:
        error.within(filename)
        raise


def _named(contents: WheelContents, path: Path, filename: str) -> Wheel:
    try:
        return name_wheel(contents, path, filename)
    except WheelError as error:
        error.within(filename)
        raise


def _disk_error(error: OSError, root: Path | None) -> CrossdepsError:
    place = error.filename or root or tempfile.gettempdir()
    return CrossdepsError(
        f"the store can't be written: {error.strerror or error}",
        context=(str(place),),
        hint="make room there, or choose another folder with --cache-dir",
        rule="store-write",
    )
