"""What reading an artifact gives, before its files are told apart by project."""

from __future__ import annotations

import hashlib
import lzma
import os
import posixpath
import stat
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.bundle.model import ArchiveContent, Entry, FileContent
from crossdeps.errors import ArtifactReadError
from crossdeps.fs import CHUNK, hash_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.bundle.model import BundleKind

_IN_MEMORY = 16 << 20
_HEAD = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanResult:
    """An artifact's files.

    :param compressed: bytes of each path in a zip
    """

    kind: BundleKind
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()
    compressed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFacts:
    """What reading a file's bytes once tells."""

    size: int
    sha256: str
    binary: BinaryFacts | None


def read_facts(chunks: Iterable[bytes]) -> FileFacts:
    """Hash *chunks*, and read them as a native binary if they start like one.

    At most 16 MiB of a binary are held in memory; a larger one goes to a temporary file.
    """
    digest = hashlib.sha256()
    size = 0
    head = b""
    binary = None
    pending = iter(chunks)
    for chunk in pending:
        digest.update(chunk)
        size += len(chunk)
        head += chunk
        if len(head) >= _HEAD:
            break
    if is_binary_head(head[:_HEAD]):
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            file.write(head)
            for chunk in pending:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            binary = read_binary(cast("BinaryIO", file))
    else:
        for chunk in pending:
            digest.update(chunk)
            size += len(chunk)
    return FileFacts(size=size, sha256=digest.hexdigest(), binary=binary)


def read_directory(root: Path) -> ScanResult:
    """Read every file below *root*. Links are followed as far as they stay inside.

    :raises OSError: if a file or directory can't be read
    """
    walk = _Walk(root)
    walk.directory(root, "", (Path(os.path.realpath(root)),))
    return ScanResult(kind="directory", entries=tuple(walk.entries), warnings=tuple(walk.warnings))


class _Walk:
    def __init__(self, root: Path) -> None:
        self.entries: list[Entry] = []
        self.warnings: list[str] = []
        self._real_root = Path(os.path.realpath(root))

    def directory(self, directory: Path, prefix: str, search_log: tuple[Path, ...]) -> None:
        for item in sorted(os.scandir(directory), key=lambda item: item.name):
            path = directory / item.name
            relative = prefix + item.name.encode("utf-8", "surrogateescape").decode(
                "utf-8", "backslashreplace"
            )
            inner = search_log
            if item.is_symlink():
                target = Path(os.path.realpath(path))
                problem = self._problem_of_link(target, search_log)
                if problem:
                    self.warnings.append(f"{relative} is a symbolic link {problem}: not read")
                    continue
                inner = (*search_log, target)
            if item.is_dir():
                self.directory(path, f"{relative}/", inner)
            elif item.is_file():
                self.entries.append(_directory_entry(path, relative))
            else:
                self.warnings.append(f"{relative} is neither a file nor a directory: not read")

    def _problem_of_link(self, target: Path, search_log: tuple[Path, ...]) -> str:
        if not target.exists():
            return "to nothing"
        if self._real_root != target and self._real_root not in target.parents:
            return "that leads out of the artifact"
        if any(target == above or target in above.parents for above in search_log):
            return "to a folder that it is in"
        return ""


def _directory_entry(path: Path, relative: str) -> Entry:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        head = file.read(8)
        sha256 = hash_stream(file)["sha256"]
        size = file.tell()
        binary = read_binary(file) if is_binary_head(head) else None
    return Entry(
        path=relative,
        mode=mode,
        size=size,
        sha256=sha256,
        content=FileContent(file=path),
        owner=None,
        binary=binary,
    )


_LARGEST = 8 << 30
_LONGEST_LINK = 4096
_LINK_STEPS = 40
_UNIX = 3
_ENCRYPTED = 1
# What the standard library raises for damaged, encrypted and unsupported archives.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


def read_zip(path: Path) -> ScanResult:
    """Read every file of the zip at *path*; each is inflated once and checked against its CRC-32.

    :raises ArtifactReadError: if it isn't a zip, or one that is damaged, encrypted or inflates to
        more than 8 GiB
    :raises OSError: if the file can't be read
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive)
    except ZIP_FAULTS as error:
        raise ArtifactReadError(
            f"{path} isn't a zip that can be read: {error}",
            hint="give a directory or an undamaged zip",
        ) from error


def _read(path: Path, archive: zipfile.ZipFile) -> ScanResult:
    warnings: list[str] = []
    entries: dict[str, Entry] = {}
    links: dict[str, str] = {}
    compressed: dict[str, int] = {}
    for name, info in _files(path, archive, warnings).items():
        if _is_link(info):
            links[name] = _read_link(path, archive, info)
        else:
            entries[name] = _zip_entry(path, archive, info, name)
            compressed[name] = info.compress_size
    for name in sorted(links):
        target = _follow(name, links)
        if target in entries:
            entries[name] = replace(entries[target], path=name)
        else:
            warnings.append(f"{name} is a symbolic link to {links[name]}: not followed")
    return ScanResult(
        kind="zip",
        entries=tuple(entries.values()),
        warnings=tuple(warnings),
        compressed=compressed,
    )


def _files(path: Path, archive: zipfile.ZipFile, warnings: list[str]) -> dict[str, zipfile.ZipInfo]:
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = _plain(info.filename)
        if info.filename and info.is_dir():
            continue
        if name is None:
            warnings.append(f"{info.filename} leads out of the artifact: not read")
            continue
        if "\\" in name:
            warnings.append(f"{name} has a backslash, which Linux takes as part of the name")
        if name in infos:
            warnings.append(f"{name} is in the zip twice: the last one counts")
        infos[name] = info
    if sum(info.file_size for info in infos.values()) > _LARGEST:
        raise ArtifactReadError(f"{path} inflates to more than {_LARGEST >> 30} GiB")
    return infos


def _plain(name: str) -> str | None:
    path = posixpath.normpath(name)
    if path.startswith(("/", "../")) or path in {".", ".."}:
        return None
    return path


def _is_link(info: zipfile.ZipInfo) -> bool:
    return info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16)


def _read_link(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    data = b"".join(_stream(path, archive, info)) if info.file_size <= _LONGEST_LINK else b""
    return data.decode("utf-8", "replace")


def _follow(name: str, links: dict[str, str]) -> str:
    for _ in range(_LINK_STEPS):
        if name not in links:
            return name
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), links[name]))
    return ""


def _zip_entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Entry:
    facts = read_facts(_stream(path, archive, info))
    return Entry(
        path=name,
        mode=_mode(info),
        size=facts.size,
        sha256=facts.sha256,
        content=ArchiveContent(archive=path, name=info.filename),
        owner=None,
        binary=facts.binary,
    )


def _mode(info: zipfile.ZipInfo) -> int:
    """The member's permissions; an archive without any leaves them to whoever unpacks it."""
    mode = info.external_attr >> 16
    if mode == 0 and info.create_system != _UNIX:
        return 0o644
    return stat.S_IMODE(mode)


def _stream(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise ArtifactReadError("a member is encrypted", context=(str(path), info.filename))
    try:
        with archive.open(info) as member:
            while data := member.read(CHUNK):
                yield data
    except ZIP_FAULTS as error:
        raise ArtifactReadError(
            f"a member can't be read: {error}", context=(str(path), info.filename)
        ) from error
