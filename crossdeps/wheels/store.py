"""The store: verified wheels by the SHA-256 of their bytes, shared by any number of processes.

A wheel is trusted for its hash alone, which is computed anew on every use. The name under which it
was published isn't part of the key, and is checked on every use. The files on disk are those of
:mod:`crossdeps.wheels.store_directory`.
"""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import CrossdepsError, HashMismatchError, IntegrityError
from crossdeps.fs import belongs_to_another, hash_stream, run_in_threads
from crossdeps.system_errors import resource_error
from crossdeps.wheels.facts import name_wheel
from crossdeps.wheels.store_directory import StoreDirectory, move

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from tempfile import TemporaryDirectory

    from typing_extensions import Self

    from crossdeps.wheels.model import CheckedName, Wheel, WheelFacts

_THREADS = 4
_UNWRITABLE = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.ELOOP}
)
"""What the system says of a directory that cannot be made or written: all but limits and faults."""


class Store:
    """Verified wheels under *root*, which need not exist yet; use it as a context manager.

    The files of the wheels that it returns stay readable while it is open, whatever other processes
    do to the store. Where *root* cannot be written, or belongs to another user, a temporary
    directory is used instead, with one of :attr:`warnings`. Safe to use from several threads.

    :param root: directory of the cache; None for a store that is removed when it is closed
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root
        self._warnings: list[str] = []
        self._lock = threading.Lock()
        self._directories: list[StoreDirectory] = []
        self._writable: StoreDirectory | None = None
        self._closed = False
        self._temporary: TemporaryDirectory[str] | None = None
        if root is None:
            return
        if belongs_to_another(root):
            self._warnings.append(f"{root} belongs to another user and isn't used")
        else:
            self._directories.append(StoreDirectory(root / "wheels"))

    @classmethod
    def temporary(cls) -> Store:
        """Return a store that is removed when it is closed."""
        return cls(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what is temporary; the files of wheels that were found may be gone after it."""
        with self._lock:
            self._closed = True
            for directory in self._directories:
                directory.close()
            if self._temporary is not None:
                self._temporary.cleanup()
                self._temporary = None
            self._writable = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the store, one sentence each."""
        return tuple(self._warnings)

    @property
    def folder(self) -> Path | None:
        """The directory of the cache, if the store uses it; else None."""
        directories = self._directories
        return self.root if directories and directories[0].base.parent == self.root else None

    def work_file(self, suffix: str = ".whl") -> Path:
        """Return a new private path on the store's file system, for a file that is to be added.

        :raises CrossdepsError: if the disk is full or fails
        """
        return self._writable_directory().work_file(suffix)

    def has(self, sha256: str) -> bool:
        """Whether there is a wheel under this hash; only :meth:`find` compares its bytes."""
        return any(directory.has_wheel(sha256) for directory in tuple(self._directories))

    def link(self, sha256: str) -> Path | None:
        """Return a path of the wheel with this hash, whose bytes are not compared with it.

        :returns: None if the store doesn't have the wheel
        """
        for directory in tuple(self._directories):
            file = directory.link_wheel(sha256)
            if file is not None:
                directory.touch_facts(sha256)
                return file
        return None

    def find(self, sha256: str, filename: str) -> Wheel | None:
        """Return the wheel with this hash, if the store has it undamaged.

        Its bytes are hashed; a file that has changed is removed, and untrusted facts are read again
        from the wheel.

        :param sha256: lower-case hex digest of the wheel file
        :param filename: the name under which it was published
        :raises WheelError: if project or version differ from the file name
        :raises ValueError: if *sha256* isn't a SHA-256
        """
        for directory in tuple(self._directories):
            file = directory.link_wheel(sha256)
            facts = file and _load_facts(directory, file, sha256, filename)
            if file and facts:
                return _name(facts, file, filename)
        return None

    def find_all(self, wanted: Sequence[tuple[str, str]]) -> list[Wheel | None]:
        """Find several wheels, given as for :meth:`find`; hashing uses every processor.

        :raises WheelError: the first one, in the order of *wanted*
        """
        found: list[Wheel | None] = [None] * len(wanted)
        errors: dict[int, Exception] = {}

        def work(indexes: Iterator[int]) -> None:
            for index in indexes:
                try:
                    found[index] = self.find(*wanted[index])
                except Exception as error:  # noqa: BLE001, PERF203 - raised below
                    errors[index] = error

        run_in_threads(work, range(len(wanted)), threads=_THREADS)
        if errors:
            raise errors[min(errors)]
        return found

    def add(self, path: Path, *, filename: str, hashes: Mapping[str, str]) -> Wheel:
        """Read *path* strictly and move it into the store; refused or not, it is moved away.

        :param path: a file that nothing else writes to; best one of :meth:`work_file`
        :param filename: the name under which it was published
        :param hashes: algorithm -> lower-case hex digest; each must match
        :raises HashMismatchError: if one doesn't
        :raises WheelError: if the wheel breaks a rule
        :raises CrossdepsError: if the disk is full or fails
        """
        directory = self._writable_directory()
        file = directory.work_file()
        try:
            move(path, file)
            sha256 = check_hashes(file, hashes, filename)["sha256"]
            facts = _read(file, sha256, filename)
            directory.add_wheel(file, sha256)
        except IntegrityError:
            file.unlink(missing_ok=True)
            raise
        except OSError as error:
            raise _disk_error(error, self.root) from error
        directory.add_facts(facts)
        return _name(facts, file, filename)

    def _writable_directory(self) -> StoreDirectory:
        """Return the directory under the root if it can be written, else a temporary one."""
        with self._lock:
            if self._closed:  # by a download that nobody waits for any more
                raise CrossdepsError("the store is closed")
            if self._writable is None:
                self._writable = self._open_writable()
            return self._writable

    def _open_writable(self) -> StoreDirectory:
        if self._directories and self._can_write(self._directories[0]):
            return self._directories[0]
        from tempfile import TemporaryDirectory  # noqa: PLC0415 - slow to load, rarely needed

        try:
            self._temporary = TemporaryDirectory(prefix="crossdeps-", ignore_cleanup_errors=True)
        except OSError as error:
            raise _disk_error(error, None) from error
        directory = StoreDirectory(Path(self._temporary.name))
        self._directories.append(directory)
        return directory

    def _can_write(self, directory: StoreDirectory) -> bool:
        try:
            directory.work_directory()
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise _disk_error(error, self.root) from error
            self._warnings.append(
                f"{self.root} cannot be written ({error.strerror}): downloads are not cached"
            )
            return False
        return True


def _load_facts(
    directory: StoreDirectory, file: Path, sha256: str, filename: str
) -> WheelFacts | None:
    """Return the facts of a stored wheel; None, after removing it, if it has changed."""
    try:
        with file.open("rb", buffering=0) as stream:
            found = hash_stream(stream)["sha256"]
            size = stream.tell()
    except OSError:
        return None
    if found != sha256:
        directory.remove_wheel(sha256)
        return None
    facts = directory.find_facts(sha256, size)
    if facts is None:
        facts = _read(file, sha256, filename)
        directory.add_facts(facts)
    return facts


def _check(facts: WheelFacts, filename: str) -> CheckedName:
    from crossdeps.wheels.reader import check_name  # noqa: PLC0415 - loads packaging

    return check_name(facts, filename)


def _read(file: Path, sha256: str, filename: str) -> WheelFacts:
    """Read a wheel that is, or will be, stored, and check its name."""
    from crossdeps.wheels.reader import read_facts  # noqa: PLC0415 - for new wheels only

    facts = read_facts(file, sha256=sha256, filename=filename)
    return msgspec.structs.replace(facts, checked_name=_check(facts, filename))


def _name(facts: WheelFacts, file: Path, filename: str) -> Wheel:
    """Make the wheel of a published name, which is checked unless that was its first one.

    :raises WheelError: if project or version differ from it
    """
    name = facts.checked_name
    if name is None or name.filename != filename:
        name = _check(facts, filename)
    return name_wheel(facts, file, name)


def check_hashes(path: Path, expected: Mapping[str, str], filename: str) -> dict[str, str]:
    """Check every *expected* hash of *path* whose algorithm is known.

    :returns: algorithm -> hex digest, for SHA-256 and these algorithms
    :raises HashMismatchError: if one differs
    """
    found = digest_file(path, expected)
    for algorithm in sorted(found.keys() & expected.keys()):
        if found[algorithm] != expected[algorithm].lower():
            raise HashMismatchError(
                f"{algorithm} mismatch: expected {expected[algorithm]}, got {found[algorithm]}",
                context=(filename,),
                hint="the file was damaged during the download, or replaced: if downloading it"
                " again doesn't help, find out which hash is right before you change the other",
                rule="hash-mismatch",
            )
    return found


def digest_file(path: Path, algorithms: Iterable[str]) -> dict[str, str]:
    """Return the hex digest of *path* by SHA-256 and by each of *algorithms* that is known."""
    from crossdeps.index.transfer import ALGORITHMS  # noqa: PLC0415 - for new wheels only

    names = dict.fromkeys(("sha256", *(name for name in algorithms if name in ALGORITHMS)))
    with path.open("rb", buffering=0) as file:
        return hash_stream(file, tuple(names))


def _disk_error(error: OSError, root: Path | None) -> CrossdepsError:
    path = error.filename or root
    problem = "the store cannot be written"
    if limit := resource_error(error, problem, path=path):
        return limit
    return CrossdepsError(
        f"{problem}: {error.strerror or error}",
        context=(str(path),) if path else (),
        hint="free some space there, or choose another directory with --cache-dir",
        rule="store-write",
    )
