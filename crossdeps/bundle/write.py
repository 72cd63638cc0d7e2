"""Writing a bundle: a directory inflated from the wheels, or a zip with their compressed members.

Files of a directory are private copies, never links into the store. Their times are those of the
writing: with a fixed time, Python would take bytecode that it cached elsewhere
(PYTHONPYCACHEPREFIX) for an older file of the same size as current.

In a zip, members of wheels are copied as they are compressed. Everything else (the user's source,
launchers, metadata written here) is stored: what deflate makes of the same bytes differs between
releases and forks of zlib, and the same input must give the same zip on every host.

Source: APPNOTE.TXT, the .ZIP File Format Specification, 4.3 to 4.5.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crossdeps.bundle.content import ContentReader, verify_chunks
from crossdeps.bundle.destination import check_directory_destination, check_zip_destination
from crossdeps.bundle.model import InlineContent, WheelContent
from crossdeps.bundle.staging import OutputFile, Staging, Written, output_errors
from crossdeps.fs import create_file
from crossdeps.progress import Progress
from crossdeps.wheels.zip_format import (
    CENTRAL_HEADER,
    END64_LOCATOR,
    END64_RECORD,
    END_RECORD,
    LOCAL_HEADER,
    STORED,
    UINT16_MAX,
    UINT32_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.bundle.destination import DestinationState
    from crossdeps.bundle.model import Bundle, Entry

_DIRECTORY_MODE = 0o755
_PLAIN_VERSION, _ZIP64_VERSION = 20, 45
_UNIX = 3
_UTF8_FLAG = 1 << 11
# MS-DOS date of 1980-01-01, the format's first day; the time is 00:00:00.
_DATE, _TIME = (0 << 9) | (1 << 5) | 1, 0
# Up to this, a file is read once and kept in memory; a larger one is read twice.
_KEPT = 8 << 20


def write_directory(
    bundle: Bundle,
    destination: Path,
    *,
    force: bool = False,
    checked: DestinationState | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write *bundle* as a directory; modes are 0644 and 0755 whatever the umask is.

    A directory that crossdeps made is replaced. The destination is unchanged, or complete.

    :param force: replace a directory that has other files
    :param checked: result of an earlier check of *destination*
    :returns: its path, and the bytes of its files
    :raises OutputError: if the destination has files of the user, or cannot be written
    :raises IntegrityError: if a wheel has changed since it was verified
    """
    progress = progress or Progress()
    check_directory_destination(bundle, destination, force=force, checked=checked)
    progress.writing(str(destination), len(bundle.entries))
    with output_errors(destination), Staging(destination, directory=True) as staging:
        created = {""}
        with ContentReader() as reader:
            for entry in bundle.entries:
                _create_directories(staging.path, entry.path.rpartition("/")[0], created)
                _write_entry(f"{staging.path}/{entry.path}", entry, reader)
        Path(staging.path).chmod(_DIRECTORY_MODE)
        # One call for all files: an fsync of each takes a hundred times as long.
        if hasattr(os, "sync"):
            os.sync()
        staging.commit_directory()
    written = Written(path=destination, size=bundle.size)
    progress.wrote(str(destination), written.size)
    return written


def _create_directories(root: Path, path: str, created: set[str]) -> None:
    if path in created:
        return
    _create_directories(root, path.rpartition("/")[0], created)
    directory = root / path
    directory.mkdir()
    directory.chmod(_DIRECTORY_MODE)
    created.add(path)


def _write_entry(path: str, entry: Entry, reader: ContentReader) -> None:
    mode = entry.mode & 0o777
    chunks = reader.iterate(entry.content)
    if not isinstance(entry.content, WheelContent):
        chunks = verify_chunks(entry, chunks)
    with OutputFile(create_file(path, mode)) as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), mode)
    if not hasattr(os, "fchmod"):
        Path(path).chmod(mode)


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a member's two headers."""

    name: bytes
    mode: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    offset: int

    def local(self) -> bytes:
        # 4.5.3: a local header has both sizes in its extra field, or neither.
        extra = b""
        sizes = (self.compressed_size, self.size)
        if max(sizes) >= UINT32_MAX:
            extra = struct.pack("<2H2Q", 1, 16, self.size, self.compressed_size)
            sizes = (UINT32_MAX, UINT32_MAX)
        fields = LOCAL_HEADER.pack(
            b"PK\3\4", self._version(extra), self._flags(), self.method, _TIME, _DATE, self.crc32,
            *sizes, len(self.name), len(extra),
        )  # fmt: skip
        return fields + self.name + extra

    def central(self) -> bytes:
        large = [v for v in (self.size, self.compressed_size, self.offset) if v >= UINT32_MAX]
        extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        version = self._version(extra)
        fields = CENTRAL_HEADER.pack(
            b"PK\1\2", _UNIX << 8 | version, version, self._flags(), self.method, _TIME, _DATE,
            self.crc32, min(self.compressed_size, UINT32_MAX), min(self.size, UINT32_MAX),
            len(self.name), len(extra), 0, 0, 0, (stat.S_IFREG | self.mode) << 16,
            min(self.offset, UINT32_MAX),
        )  # fmt: skip
        return fields + self.name + extra

    def _flags(self) -> int:
        return 0 if self.name.isascii() else _UTF8_FLAG

    @staticmethod
    def _version(extra: bytes) -> int:
        return _ZIP64_VERSION if extra else _PLAIN_VERSION


def write_zip(
    bundle: Bundle,
    destination: Path,
    *,
    force: bool = False,
    checked: DestinationState | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write *bundle* as a zip: sorted, dated 1980-01-01, with Unix modes, and nothing optional.

    A zip that crossdeps made is replaced. The destination is unchanged, or complete.

    :param force: replace another file
    :param checked: result of an earlier check of *destination*
    :returns: its path, its size in bytes and its SHA-256
    :raises OutputError: if the destination is a file of the user, or cannot be written
    :raises IntegrityError: if a wheel has changed since it was verified
    """
    progress = progress or Progress()
    check_zip_destination(bundle, destination, force=force, checked=checked)
    progress.writing(str(destination), len(bundle.entries))
    with output_errors(destination), Staging(destination, directory=False) as staging:
        with staging.open_file() as file, ContentReader() as reader:
            _write_members(bundle, file, reader)
            file.flush(sync=True)
            written = Written(path=destination, size=file.size, sha256=file.sha256)
        staging.commit_file()
    progress.wrote(str(destination), written.size)
    return written


def _write_members(bundle: Bundle, file: OutputFile, reader: ContentReader) -> None:
    headers = []
    for entry in sorted(bundle.entries, key=lambda entry: entry.path.encode()):
        header, chunks = _read_member(entry, file.size, reader)
        file.write(header.local())
        for chunk in chunks:
            file.write(chunk)
        headers.append(header)
    start = file.size
    for header in headers:
        file.write(header.central())
    file.write(_end(len(headers), start, file.size - start))


def _read_member(
    entry: Entry, offset: int, reader: ContentReader
) -> tuple[_Header, Iterable[bytes]]:
    content = entry.content
    if isinstance(content, WheelContent):
        member = content.member
        header = _header(entry, offset, member.method, member.crc32, member.compressed_size)
        return header, reader.iterate_compressed(content)
    chunks: Iterable[bytes] = verify_chunks(entry, reader.iterate(content))
    if isinstance(content, InlineContent) or entry.size <= _KEPT:
        chunks = tuple(chunks)
    crc32 = 0
    for chunk in chunks:
        crc32 = zlib.crc32(chunk, crc32)
    if not isinstance(chunks, tuple):
        chunks = verify_chunks(entry, reader.iterate(content))
    return _header(entry, offset, STORED, crc32, entry.size), chunks


def _header(entry: Entry, offset: int, method: int, crc32: int, compressed: int) -> _Header:
    return _Header(
        name=entry.path.encode(),
        mode=entry.mode & 0o777,
        method=method,
        crc32=crc32,
        compressed_size=compressed,
        size=entry.size,
        offset=offset,
    )


def _end(count: int, start: int, size: int) -> bytes:
    end = END_RECORD.pack(
        b"PK\5\6", 0, 0, min(count, UINT16_MAX), min(count, UINT16_MAX), min(size, UINT32_MAX),
        min(start, UINT32_MAX), 0,
    )  # fmt: skip
    if count < UINT16_MAX and max(size, start) < UINT32_MAX:
        return end
    end64 = END64_RECORD.pack(
        b"PK\6\6", END64_RECORD.size - 12, _UNIX << 8 | _ZIP64_VERSION, _ZIP64_VERSION, 0, 0, count,
        count, size, start,
    )  # fmt: skip
    return end64 + END64_LOCATOR.pack(b"PK\6\7", 0, start + size, 1) + end
