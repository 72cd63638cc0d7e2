"""Reading the files of a zip, before they are assigned to projects."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import posixpath
import stat
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.bundle.content import zip_errors
from crossdeps.bundle.model import ArchiveContent, Entry
from crossdeps.bundle.scan import ScanResult, choose_kept, is_closed
from crossdeps.bundle.zip_members import scan_members
from crossdeps.errors import ArtifactReadError
from crossdeps.fs import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zipfile import ZipFile, ZipInfo

    from crossdeps.bundle.model import Bundle

_HEAD_SIZE = 8
_MAX_IN_MEMORY = 16 << 20
_MAX_ZIP_SIZE = 8 << 30
_MAX_LINK_SIZE = 4096
_MAX_LINKS = 40
_UNIX = 3
_ENCRYPTED = 1


def read_zip(path: Path, *, hashes: bool = True, known: Bundle | None = None) -> ScanResult:
    """Read every file of the zip at *path*; each is inflated once and checked against its CRC-32.

    :param hashes: if false, only binaries and metadata are inflated, as far as they are needed;
        the sizes are those of the directory
    :param known: without hashes, members with the data of its members get their facts
    :raises ArtifactReadError: if it isn't a zip, or one that is damaged, encrypted or inflates to
        more than 8 GiB
    :raises OSError: if the file cannot be read
    """
    from zipfile import ZipFile  # noqa: PLC0415 - slow to load, only for zips that are read

    try:
        with ZipFile(path) as archive:
            return _read_archive(path, archive, hashes=hashes, known=known)
    except zip_errors() as error:
        raise ArtifactReadError(
            f"{path} isn't a valid zip: {error}", hint="give a directory or an undamaged zip"
        ) from error


def _read_archive(
    path: Path, archive: ZipFile, *, hashes: bool, known: Bundle | None
) -> ScanResult:
    warnings: list[str] = []
    entries: dict[str, Entry] = {}
    links: dict[str, str] = {}
    compressed: dict[str, int] = {}
    infos = _list_files(path, archive, warnings)
    files = {name: info for name, info in infos.items() if not _is_link(info)}
    kept = choose_kept((name, info.file_size) for name, info in files.items())
    ends = _find_ends(archive)
    scanned = scan_members(path, files, ends=ends, kept=kept, hashes=hashes, known=known)
    for name, info in infos.items():
        if name in files:
            member = scanned.get(name)
            entries[name] = (
                _scan_unusual(path, archive, info, name)
                if member is None
                else Entry(
                    path=name,
                    mode=_read_mode(info),
                    size=info.file_size,
                    sha256=member.sha256,
                    content=member.content,
                    owner=None,
                    binary=member.binary,
                )
            )
            compressed[name] = info.compress_size
        else:
            is_short = info.file_size <= _MAX_LINK_SIZE
            data = b"".join(_read_member(path, archive, info)) if is_short else b""
            links[name] = data.decode("utf-8", "replace")
    for name in sorted(links):
        target = _follow_link(name, links)
        if target in entries:
            entries[name] = msgspec.structs.replace(entries[target], path=name)
        else:
            warnings.append(f"{name} is a symbolic link to {links[name]}: not followed")
    return ScanResult(
        kind="zip",
        entries=tuple(entries.values()),
        warnings=tuple(warnings),
        compressed=compressed,
        closed_folders=tuple(_find_closed_folders(archive)),
    )


def _find_closed_folders(archive: ZipFile) -> Iterator[tuple[str, int]]:
    """Yield those folders that have an entry of their own with such a mode.

    A mode of 0 is that of an archiver without Unix modes.
    """
    for info in archive.infolist():
        mode = stat.S_IMODE(info.external_attr >> 16)
        if mode and info.filename.endswith("/") and is_closed(mode):
            name = posixpath.normpath(info.filename)
            if name != "." and not name.startswith(("/", "..")):
                yield name, mode


def _is_link(info: ZipInfo) -> bool:
    return info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16)


def _find_ends(archive: ZipFile) -> dict[int, int]:
    """Map the offset of each local header to that of the next, or of the directory."""
    offsets = sorted({info.header_offset for info in archive.infolist()})
    return dict(itertools.pairwise([*offsets, archive.start_dir]))


def _list_files(path: Path, archive: ZipFile, warnings: list[str]) -> dict[str, ZipInfo]:
    infos: dict[str, ZipInfo] = {}
    for info in archive.infolist():
        if info.filename and info.is_dir():
            continue
        name = posixpath.normpath(info.filename)
        if name.startswith(("/", "../")) or name in {".", ".."}:
            warnings.append(f"{info.filename} leads out of the artifact: not read")
            continue
        if "\\" in name:
            warnings.append(f"{name} has a backslash, which on Linux is part of the name")
        if name in infos:
            warnings.append(f"{name} is in the zip twice: only the last one is used")
        infos[name] = info
    if sum(info.file_size for info in infos.values()) > _MAX_ZIP_SIZE:
        raise ArtifactReadError(f"{path} inflates to more than {_MAX_ZIP_SIZE >> 30} GiB")
    return infos


def _follow_link(name: str, links: dict[str, str]) -> str:
    for _ in range(_MAX_LINKS):
        if name not in links:
            return name
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), links[name]))
    return ""


def _scan_unusual(path: Path, archive: ZipFile, info: ZipInfo, name: str) -> Entry:
    """Read a member as ``zipfile`` does, which has the words for what is wrong with it."""
    digest = hashlib.sha256()
    size = 0
    binary = None
    chunks = _read_member(path, archive, info)
    head = next(chunks, b"")
    copy = None
    with contextlib.ExitStack() as stack:
        if is_binary_head(head[:_HEAD_SIZE]):
            from tempfile import SpooledTemporaryFile  # noqa: PLC0415 - for native binaries only

            copy = stack.enter_context(SpooledTemporaryFile(max_size=_MAX_IN_MEMORY))
        for chunk in itertools.chain((head,), chunks):
            digest.update(chunk)
            size += len(chunk)
            if copy is not None:
                copy.write(chunk)
        if copy is not None:
            binary = read_binary(cast("BinaryIO", copy))
    return Entry(
        path=name,
        mode=_read_mode(info),
        size=size,
        sha256=digest.hexdigest(),
        content=ArchiveContent(archive=path, name=info.filename),
        owner=None,
        binary=binary,
    )


def _read_mode(info: ZipInfo) -> int:
    """Return the permissions of a member; 0644 if it has none, by an archiver without modes."""
    mode = info.external_attr >> 16
    if mode == 0 and info.create_system != _UNIX:
        return 0o644
    return stat.S_IMODE(mode)


def _read_member(path: Path, archive: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise ArtifactReadError("a member is encrypted", context=(str(path), info.filename))
    try:
        with archive.open(info) as member:
            while data := member.read(CHUNK):
                yield data
    except zip_errors() as error:
        raise ArtifactReadError(
            f"a member cannot be read: {error}", context=(str(path), info.filename)
        ) from error
