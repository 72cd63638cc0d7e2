"""A directory, inflated from the wheels into a sibling, then renamed.

Files are private copies, never links into the store. Their times are those of the writing: with a
fixed time, Python would take bytecode that it cached elsewhere (PYTHONPYCACHEPREFIX) for an older
file of the same size as current.

Members of wheels are copied as they were compressed. Everything else (the user's source, launchers,
metadata written here) is stored: what deflate makes of the same bytes differs between releases
and forks of zlib, and the same input must give the same zip on every host.

Source: APPNOTE.TXT, the .ZIP File Format Specification, 4.3 to 4.5.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossdeps.bundle.content import Check, ContentReader
from crossdeps.bundle.destination import check_directory_destination, check_zip_destination
from crossdeps.bundle.model import InlineContent, WheelContent
from crossdeps.bundle.staging import Sink, Staging, Written, create_file, output_errors
from crossdeps.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossdeps.bundle.model import Bundle, Entry

_DIRECTORY_MODE = 0o755


def write_directory(
    bundle: Bundle, destination: Path, *, force: bool = False, progress: Progress | None = None
) -> Written:
    """Write *bundle* as a directory; modes are 0644 and 0755 whatever the umask is.

    An existing directory that crossdeps made is replaced; the destination is as before or complete.

    :param force: whether to replace a directory that holds other files
    :returns: where it is, and the bytes of its files
    :raises OutputError: if the destination holds something of the user's, or can't be written
    :raises IntegrityError: if a wheel isn't what was verified
    """
    progress = progress or Progress()
    check_directory_destination(bundle, destination, force=force)
    progress.writing(str(destination), len(bundle.entries))
    with output_errors(destination), Staging(destination, directory=True) as staging:
        made = {""}
        with ContentReader() as reader:
            for entry in bundle.entries:
                _make_directories(staging.path, entry.path.rpartition("/")[0], made)
                _write_entry(f"{staging.path}/{entry.path}", entry, reader)
        Path(staging.path).chmod(_DIRECTORY_MODE)
        # One call for all files: an fsync of each takes a hundred times as long.
        if hasattr(os, "sync"):
            os.sync()
        staging.commit_directory()
    written = Written(path=destination, size=bundle.size)
    progress.wrote(str(destination), written.size)
    return written


def _make_directories(root: Path, path: str, made: set[str]) -> None:
    if path in made:
        return
    _make_directories(root, path.rpartition("/")[0], made)
    directory = root / path
    directory.mkdir()
    directory.chmod(_DIRECTORY_MODE)
    made.add(path)


def _write_entry(path: str, entry: Entry, reader: ContentReader) -> None:
    mode = entry.mode & 0o777
    chunks = reader.iterate(entry.content)
    if not isinstance(entry.content, WheelContent):
        chunks = Check(entry).pass_through(chunks)
    with Sink(create_file(path, mode)) as sink:
        for chunk in chunks:
            sink.write(chunk)
        sink.flush()
        if hasattr(os, "fchmod"):
            os.fchmod(sink.fileno(), mode)
    if not hasattr(os, "fchmod"):
        Path(path).chmod(mode)


_UINT16: Final = 0xFFFF
_UINT32: Final = 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_PLAIN_VERSION, _ZIP64_VERSION = 20, 45
_UNIX = 3
_UTF8_FLAG = 1 << 11
# MS-DOS date of 1980-01-01, the format's first day; the time is 00:00:00.
_DATE, _TIME = (0 << 9) | (1 << 5) | 1, 0
# Up to this, a file is read once and kept; a larger one is read twice.
_KEPT = 8 << 20

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    """What a member's two headers say."""

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
        if max(sizes) >= _UINT32:
            extra = struct.pack("<2H2Q", 1, 16, self.size, self.compressed_size)
            sizes = (_UINT32, _UINT32)
        fields = _LOCAL.pack(
            b"PK\3\4", self._version(extra), self._flags(), self.method, _TIME, _DATE, self.crc32,
            *sizes, len(self.name), len(extra),
        )  # fmt: skip
        return fields + self.name + extra

    def central(self) -> bytes:
        large = [v for v in (self.size, self.compressed_size, self.offset) if v >= _UINT32]
        extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        version = self._version(extra)
        fields = _CENTRAL.pack(
            b"PK\1\2", _UNIX << 8 | version, version, self._flags(), self.method, _TIME, _DATE,
            self.crc32, min(self.compressed_size, _UINT32), min(self.size, _UINT32),
            len(self.name), len(extra), 0, 0, 0, (stat.S_IFREG | self.mode) << 16,
            min(self.offset, _UINT32),
        )  # fmt: skip
        return fields + self.name + extra

    def _flags(self) -> int:
        return 0 if self.name.isascii() else _UTF8_FLAG

    @staticmethod
    def _version(extra: bytes) -> int:
        return _ZIP64_VERSION if extra else _PLAIN_VERSION


def write_zip(
    bundle: Bundle, destination: Path, *, force: bool = False, progress: Progress | None = None
) -> Written:
    """Write *bundle* as a zip: sorted, dated 1980-01-01, with Unix modes, and nothing optional.

    An existing zip that crossdeps made is replaced; the destination is as before or complete.

    :param force: whether to replace a file that isn't such a zip
    :returns: where it is, its size in bytes and its SHA-256
    :raises OutputError: if the destination holds something of the user's, or can't be written
    :raises IntegrityError: if a wheel isn't what was verified
    """
    progress = progress or Progress()
    check_zip_destination(bundle, destination, force=force)
    progress.writing(str(destination), len(bundle.entries))
    with output_errors(destination), Staging(destination, directory=False) as staging:
        with staging.open_file() as sink, ContentReader() as reader:
            _write_members(bundle, sink, reader)
            sink.flush(sync=True)
            written = Written(path=destination, size=sink.size, sha256=sink.sha256)
        staging.commit_file()
    progress.wrote(str(destination), written.size)
    return written


def _write_members(bundle: Bundle, sink: Sink, reader: ContentReader) -> None:
    headers = []
    for entry in sorted(bundle.entries, key=lambda entry: entry.path.encode()):
        header, data = _member(entry, sink.size, reader)
        sink.write(header.local())
        for chunk in data():
            sink.write(chunk)
        headers.append(header)
    start = sink.size
    for header in headers:
        sink.write(header.central())
    sink.write(_end(len(headers), start, sink.size - start))


def _member(
    entry: Entry, offset: int, reader: ContentReader
) -> tuple[_Header, Callable[[], Iterator[bytes]]]:
    content = entry.content
    if isinstance(content, WheelContent):
        member = content.member
        header = _header(entry, offset, member.method, member.crc32, member.compressed_size)
        return header, lambda: reader.compressed(content)
    if isinstance(content, InlineContent) or entry.size <= _KEPT:
        check = Check(entry)
        data = b"".join(check.pass_through(reader.iterate(content)))
        return _header(entry, offset, _STORED, zlib.crc32(data), len(data)), lambda: iter((data,))
    crc = 0
    for chunk in Check(entry).pass_through(reader.iterate(content)):
        crc = zlib.crc32(chunk, crc)
    header = _header(entry, offset, _STORED, crc, entry.size)
    return header, lambda: Check(entry).pass_through(reader.iterate(content))


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
    end = _END.pack(
        b"PK\5\6", 0, 0, min(count, _UINT16), min(count, _UINT16), min(size, _UINT32),
        min(start, _UINT32), 0,
    )  # fmt: skip
    if count < _UINT16 and max(size, start) < _UINT32:
        return end
    end64 = _END64.pack(
        b"PK\6\6", _END64.size - 12, _UNIX << 8 | _ZIP64_VERSION, _ZIP64_VERSION, 0, 0, count,
        count, size, start,
    )  # fmt: skip
    return end64 + _LOCATOR64.pack(b"PK\6\7", 0, start + size, 1) + end
