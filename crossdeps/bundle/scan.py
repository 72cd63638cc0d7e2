"""Reading the files of a directory, before they are assigned to projects."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.bundle.model import Entry, FileContent, InlineContent
from crossdeps.fs import hash_stream, run_in_threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crossdeps.bundle.model import BundleKind, Content

_HEAD_SIZE = 8
_SMALL = 256 << 10
_MAX_KEPT = 32 << 20
_KEPT = (".dist-info/METADATA", ".dist-info/WHEEL", ".dist-info/RECORD", ".pth")
_SCRIPTS = ("bin", "scripts")


class ScanResult(msgspec.Struct, frozen=True, kw_only=True):
    """The files of an artifact.

    :param compressed: bytes of each path in a zip
    :param closed_folders: paths and modes of folders that not everyone can list and search
    """

    kind: BundleKind
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()
    compressed: Mapping[str, int] = msgspec.field(default_factory=dict)
    closed_folders: tuple[tuple[str, int], ...] = ()


def is_closed(mode: int) -> bool:
    """Whether a folder of this *mode* cannot be both listed and searched by everyone.

    The importer lists folders, and takes one that it cannot list for an empty one
    (``importlib.machinery.FileFinder``).
    """
    return mode & 0o005 != 0o005


def read_file(file: Path, path: str, *, hashes: bool = True, keep: bool = False) -> Entry:
    """Read a file, and make the entry *path* of it, with its mode and without an owner.

    :param hashes: if false, only the facts of a binary are read
    :param keep: whether the entry has the bytes of a small file instead of its name
    :raises OSError: if it cannot be read
    """
    with file.open("rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        size = status.st_size
        sha256 = ""
        source: bytes | BinaryIO = cast("BinaryIO", stream)
        content: Content = FileContent(file=file)
        if size <= _SMALL and (hashes or keep):
            source = head = stream.read()
            size = len(source)
            sha256 = hashlib.sha256(source).hexdigest() if hashes else ""
            content = InlineContent(data=source) if keep else content
        else:
            head = stream.read(_HEAD_SIZE)
            if hashes:
                sha256 = hash_stream(cast("BinaryIO", stream))["sha256"]
                size = stream.tell()
        binary = read_binary(source) if is_binary_head(head[:_HEAD_SIZE]) else None
    return Entry(
        path=path,
        mode=stat.S_IMODE(status.st_mode),
        size=size,
        sha256=sha256,
        content=content,
        owner=None,
        binary=binary,
    )


def read_directory(root: Path, *, hashes: bool = True) -> ScanResult:
    """Read every file below *root*. Symbolic links are followed if they stay inside.

    :param hashes: if false, only metadata, and the facts of binaries, are read
    :raises OSError: if a file or directory cannot be read
    """
    walk = _Walk(root)
    walk.read(root, "", (walk.real_root,))
    kept = choose_kept((path, size) for path, (_, size) in walk.files.items())
    entries: list[Entry] = []

    def read(files: Iterable[tuple[str, tuple[Path, int]]]) -> None:
        for path, (file, _) in files:
            entries.append(read_file(file, path, hashes=hashes, keep=path in kept))

    # For small files, passing the interpreter lock around costs more than a thread gains.
    read(item for item in walk.files.items() if item[1][1] <= _SMALL)
    large = [item for item in walk.files.items() if item[1][1] > _SMALL]
    run_in_threads(read, sorted(large, key=lambda item: -item[1][1]), threads=2)
    return ScanResult(
        kind="directory",
        entries=tuple(entries),
        warnings=tuple(walk.warnings),
        closed_folders=tuple(walk.closed_folders),
    )


class _Walk:
    """Lists the files below a directory, with their sizes."""

    def __init__(self, root: Path) -> None:
        self.files: dict[str, tuple[Path, int]] = {}
        self.warnings: list[str] = []
        self.closed_folders: list[tuple[str, int]] = []
        self.real_root = Path(os.path.realpath(root))

    def read(self, directory: Path, prefix: str, real_parents: tuple[Path, ...]) -> None:
        with os.scandir(directory) as items:
            found = sorted(items, key=lambda item: item.name)
        for item in found:
            path = directory / item.name
            relative = prefix + _decode_name(item.name)
            parents = real_parents
            if item.is_symlink():
                target = Path(os.path.realpath(path))
                problem = self._check_link(target, real_parents)
                if problem:
                    self.warnings.append(f"{relative} is a symbolic link {problem}: not read")
                    continue
                parents = (*real_parents, target)
            if item.is_dir():
                mode = stat.S_IMODE(item.stat().st_mode)
                if is_closed(mode):
                    self.closed_folders.append((relative, mode))
                self.read(path, f"{relative}/", parents)
            elif item.is_file():
                self.files[relative] = (path, item.stat().st_size)
            else:
                self.warnings.append(f"{relative} is neither a file nor a directory: not read")

    def _check_link(self, target: Path, real_parents: tuple[Path, ...]) -> str:
        if not target.exists():
            return "to a file that doesn't exist"
        if self.real_root != target and self.real_root not in target.parents:
            return "that leads out of the artifact"
        if any(target == parent or target in parent.parents for parent in real_parents):
            return "to a directory that it is in"
        return ""


def _decode_name(name: str) -> str:
    """Return a name with escapes for the bytes that are not UTF-8."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def choose_kept(files: Iterable[tuple[str, int]]) -> set[str]:
    """Choose the files whose bytes are kept: metadata, and what the rules on files read.

    :param files: paths and sizes
    """
    kept = set()
    room = _MAX_KEPT
    for path, size in files:
        is_read_again = path.endswith(_KEPT) or path.rpartition("/")[0].endswith(_SCRIPTS)
        if is_read_again and size <= room:
            room -= size
            kept.add(path)
    return kept
