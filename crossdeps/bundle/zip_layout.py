"""The layout of a zip: every byte of it, before the first one is written.

Members of wheels are extents, to be copied as they are compressed. Everything else that crossdeps
makes (launchers, metadata) is stored, and so are the user's files: what deflate makes of the same
bytes differs between releases and forks of zlib, and the same input must give the same zip on every
host. Headers hold nothing optional: members are sorted, dated 1980-01-01, with Unix modes.

Source: APPNOTE.TXT, the .ZIP File Format Specification, 4.3 to 4.5.
"""

from __future__ import annotations

import stat
import struct
import zlib
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.bundle.content import ContentReader, verify_chunks
from crossdeps.bundle.model import FileContent, InlineContent, WheelContent
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
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.wheels.model import Wheel

_PLAIN_VERSION, _ZIP64_VERSION = 20, 45
_UNIX = 3
_UTF8_FLAG = 1 << 11
# MS-DOS date of 1980-01-01, the format's first day; the time is 00:00:00.
_DATE, _TIME = (0 << 9) | (1 << 5) | 1, 0
# Both headers have these ten fields in a row: from the version to the length of the extra field.
_SHARED = struct.Struct("<5H3I2H")
_CENTRAL_REST = struct.Struct("<3H2I")
_LOCAL_START = b"PK\3\4"
_CENTRAL_START = struct.pack("<4sH", b"PK\1\2", _UNIX << 8 | _PLAIN_VERSION)


class LayoutFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A file that extents are copied from.

    :param name: for messages: of the wheel as it was published, or the path of the user's file
    :param sha256: hex digest of the whole file
    :param is_wheel: whether it is a verified wheel; the user's file is one extent, and its size and
        hash are compared when it is copied
    """

    name: str
    sha256: str
    is_wheel: bool


class ZipLayout(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A zip as bytes that are known and extents of files, alternating: plain, serialisable data.

    The last four columns have an element for each extent. The same layout with the same files gives
    the same zip.

    :param count: of its members
    :param files: which :attr:`inputs` refer to
    :param data: headers, stored members, central directory and end record, one after another
    :param lengths: bytes of *data* before the extent; the rest of them follows the last extent
    :param inputs: index in *files*
    :param offsets: of the first byte in the file
    :param sizes: bytes
    """

    count: int
    files: tuple[LayoutFile, ...]
    data: bytes
    lengths: tuple[int, ...]
    inputs: tuple[int, ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the zip."""
        return len(self.data) + sum(self.sizes)


_DECODER: Final = msgspec.msgpack.Decoder(ZipLayout)


def decode_layout(data: bytes | msgspec.Raw) -> ZipLayout:
    """Decode a layout from MessagePack.

    :raises msgspec.MsgspecError: if it is none
    """
    return _DECODER.decode(data)


def plan_zip(bundle: Bundle) -> tuple[ZipLayout, tuple[Path, ...]]:
    """Lay out *bundle* as a zip; of the user's files, the checksums are taken.

    :returns: the layout, and the paths of its files in their order
    :raises OutputError: if a file of the user has changed since it was planned
    :raises OSError: if one cannot be read
    """
    files = _Files()
    data: list[bytes] = []
    directory: list[bytes] = []
    extents: list[tuple[int, int, int, int]] = []
    position = length = index = 0
    wheel: Wheel | None = None
    for entry in sorted(bundle.entries, key=attrgetter("path")):
        content, stored = entry.content, None
        if isinstance(content, WheelContent):
            if content.wheel is not wheel:
                wheel = content.wheel
                index = files.add_wheel(wheel)
            member = content.member
            method, crc32 = member.method, member.crc32
            offset, size = member.offset, member.compressed_size
        elif isinstance(content, FileContent):
            wheel, index = None, files.add_user_file(content.file, entry.sha256)
            method, crc32 = STORED, _checksum(_read(entry))
            offset, size = 0, entry.size
        else:
            stored = content.data if isinstance(content, InlineContent) else b"".join(_read(entry))
            method, crc32 = STORED, zlib.crc32(stored)
            offset, size = 0, len(stored)
        local, central = make_headers(
            entry.path.encode(),
            mode=entry.mode & 0o777,
            method=method,
            crc32=crc32,
            compressed_size=size,
            size=entry.size,
            offset=position,
        )
        directory.append(central)
        data.append(local)
        position += len(local) + size
        length += len(local)
        if stored is None:
            extents.append((length, index, offset, size))
            length = 0
        else:
            data.append(stored)
            length += size
    directory_size = sum(map(len, directory))
    end = make_end(len(directory), position, directory_size)
    lengths, inputs, offsets, sizes = zip(*extents, strict=True) if extents else ((), (), (), ())
    layout = ZipLayout(
        count=len(directory),
        files=tuple(files.files),
        data=b"".join((*data, *directory, end)),
        lengths=lengths,
        inputs=inputs,
        offsets=offsets,
        sizes=sizes,
    )
    return layout, tuple(files.paths)


class _Files:
    """The files that extents are copied from; a wheel is one, however many members it has."""

    def __init__(self) -> None:
        self.files: list[LayoutFile] = []
        self.paths: list[Path] = []
        self._wheels: dict[str, int] = {}

    def add_wheel(self, wheel: Wheel) -> int:
        index = self._wheels.get(wheel.sha256)
        if index is None:
            index = self._wheels[wheel.sha256] = len(self.files)
            self.paths.append(wheel.file)
            self.files.append(LayoutFile(name=wheel.filename, sha256=wheel.sha256, is_wheel=True))
        return index

    def add_user_file(self, file: Path, sha256: str) -> int:
        self.paths.append(file)
        self.files.append(LayoutFile(name=str(file), sha256=sha256, is_wheel=False))
        return len(self.files) - 1


def _checksum(chunks: Iterable[bytes]) -> int:
    crc32 = 0
    for chunk in chunks:
        crc32 = zlib.crc32(chunk, crc32)
    return crc32


def _read(entry: Entry) -> Iterator[bytes]:
    """Yield the bytes of an entry, which are compared with the plan."""
    content = entry.content
    name = content.file if isinstance(content, FileContent) else entry.path
    with ContentReader() as reader:
        chunks = reader.iterate(content)
        yield from verify_chunks(chunks, size=entry.size, sha256=entry.sha256, name=name)


def make_headers(
    name: bytes, *, mode: int, method: int, crc32: int, compressed_size: int, size: int, offset: int
) -> tuple[bytes, bytes]:
    """Make the local header (4.3.7) and the central header (4.3.12) of a member.

    :param mode: permission bits
    :param offset: of the local header
    """
    attributes = (stat.S_IFREG | mode) << 16
    flags = 0 if name.isascii() else _UTF8_FLAG
    if compressed_size < UINT32_MAX and size < UINT32_MAX and offset < UINT32_MAX:
        shared = _SHARED.pack(
            _PLAIN_VERSION, flags, method, _TIME, _DATE, crc32, compressed_size, size, len(name), 0
        )
        rest = _CENTRAL_REST.pack(0, 0, 0, attributes, offset)
        return _LOCAL_START + shared + name, _CENTRAL_START + shared + rest + name
    # 4.5.3: a local header has both sizes in its extra field, or neither.
    extra, sizes, version = b"", (compressed_size, size), _PLAIN_VERSION
    if max(sizes) >= UINT32_MAX:
        extra = struct.pack("<2H2Q", 1, 16, size, compressed_size)
        sizes, version = (UINT32_MAX, UINT32_MAX), _ZIP64_VERSION
    local = LOCAL_HEADER.pack(
        _LOCAL_START, version, flags, method, _TIME, _DATE, crc32, *sizes, len(name), len(extra)
    )
    large = [value for value in (size, compressed_size, offset) if value >= UINT32_MAX]
    wide = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large)
    central = CENTRAL_HEADER.pack(
        b"PK\1\2", _UNIX << 8 | _ZIP64_VERSION, _ZIP64_VERSION, flags, method, _TIME, _DATE, crc32,
        min(compressed_size, UINT32_MAX), min(size, UINT32_MAX), len(name), len(wide), 0, 0, 0,
        attributes, min(offset, UINT32_MAX),
    )  # fmt: skip
    return local + name + extra, central + name + wide


def make_end(count: int, start: int, size: int) -> bytes:
    """Make the end record (4.3.16), after those of ZIP64 if a value needs them.

    :param start: offset of the central directory
    :param size: bytes of the central directory
    """
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


def find_member(header: bytes) -> str:
    """Return the name in the last local header of *header*, which ends with it."""
    start = header.rindex(_LOCAL_START)
    name_length = LOCAL_HEADER.unpack_from(header, start)[-2]
    start += LOCAL_HEADER.size
    return header[start : start + name_length].decode()
