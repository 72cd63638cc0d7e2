"""The end of a ZIP file: where its central directory lies (APPNOTE 4.3.14 to 4.3.16)."""

from __future__ import annotations

import importlib
import struct
import zlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from crossdeps.wheels.model import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType
    from typing import BinaryIO

_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """Where the central directory lies; *position* is the first byte after it."""

    count: int
    directory_size: int
    directory_offset: int
    position: int


def read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    """Up to *count* bytes at *offset*; fewer where the file ends."""
    file.seek(offset)
    return file.read(count)


def read_end(file: BinaryIO, size: int) -> End:
    """Read the end of central directory record (APPNOTE 4.3.16), which must be the file's end."""
    if size < _END.size:
        raise refusal("zip-end-record", f"not a ZIP file: only {size} bytes long")
    position = size - _END.size
    data = read_at(file, position, _END.size)
    if len(data) < _END.size or not data.startswith(b"PK\x05\x06"):
        raise refusal("zip-end-record", "no ZIP end record where the file ends")
    if b"PK\x05\x06" in data[1:]:
        raise refusal("zip-end-record", "a second ZIP end record within the first")
    _, disk, directory_disk, here, count, directory_size, offset, comment = _END.unpack(data)
    if comment:
        raise refusal("zip-end-record", "the end record announces a comment beyond the file's end")
    fields: tuple[int, ...] = (disk, directory_disk, here, count, directory_size, offset)
    if size >= _END.size + _END64_LOCATOR.size:
        before = read_at(file, position - _END64_LOCATOR.size, _END64_LOCATOR.size)
        if before.startswith(b"PK\x06\x07"):
            fields, position = _read_end64(file, before, position - _END64_LOCATOR.size, fields)
    disk, directory_disk, here, count, directory_size, offset = fields
    if disk or directory_disk or here != count:
        raise refusal("zip-end-record", "the archive claims to span several disks")
    if offset + directory_size != position:
        raise refusal("zip-gap", "the central directory doesn't reach exactly to the end record")
    return End(
        count=count, directory_size=directory_size, directory_offset=offset, position=position
    )


def _read_end64(
    file: BinaryIO, locator: bytes, position: int, fields: tuple[int, ...]
) -> tuple[tuple[int, ...], int]:
    """The values of the ZIP64 end record (APPNOTE 4.3.14), and where it starts.

    It must stand right before its locator and agree with *fields*, the narrow values.
    """
    _, disk, offset, disks = _END64_LOCATOR.unpack(locator)
    if disk or disks != 1 or offset + _END64.size != position:
        raise refusal("zip64", "the ZIP64 locator doesn't point right before itself")
    data = read_at(file, offset, _END64.size)
    if len(data) < _END64.size or not data.startswith(b"PK\x06\x06"):
        raise refusal("zip64", "no ZIP64 end record where its locator points")
    _, record_size, _, _, *wide = _END64.unpack(data)
    if record_size != _END64.size - 12:
        raise refusal("zip64", "the ZIP64 end record has an unknown length")
    markers = (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    for narrow, marker, value in zip(fields, markers, wide, strict=True):
        if narrow not in (marker, value):
            raise refusal("zip64", "the ZIP64 end record contradicts the ordinary one")
    return tuple(wide), offset


ZIP64: Final = 0x0001
UNICODE_PATH: Final = 0x7075
NO_EXTRA: Final[Mapping[int, bytes]] = MappingProxyType({})
_MARKER = 0xFFFFFFFF


def parse_extra(data: bytes, raw_name: bytes, name: str) -> Mapping[int, bytes]:
    """The extra fields by header id (APPNOTE 4.5), once those that rename are known to agree.

    :param raw_name: the name in the header that the fields belong to
    :raises WheelError: if they are cut short, repeat a field that matters, or give another name
    """
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise refusal("zip-extra-field", "extra fields cut short", member=name)
        header_id, size = struct.unpack_from("<HH", data, position)
        position += 4
        value = data[position : position + size]
        position += size
        if len(value) < size:
            raise refusal("zip-extra-field", "extra fields cut short", member=name)
        if header_id in fields and header_id in (ZIP64, UNICODE_PATH):
            raise refusal("zip-extra-field", f"extra field {header_id:#06x} twice", member=name)
        fields[header_id] = value
    if UNICODE_PATH in fields:
        _check_unicode_path(fields[UNICODE_PATH], raw_name, name)
    return fields


def _check_unicode_path(value: bytes, raw_name: bytes, name: str) -> None:
    """The Info-ZIP Unicode Path field (APPNOTE 4.6.9) must repeat the name."""
    expected = struct.pack("<BI", 1, zlib.crc32(raw_name)) + raw_name
    if value != expected:
        raise refusal("zip-extra-field", "an extra field gives it another name", member=name)


def zip64_values(extra: Mapping[int, bytes], values: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Replace each 0xFFFFFFFF of *values* by its wide value (APPNOTE 4.5.3), in the field's order.

    Some writers (Bazel's) repeat values there that fit the header; they must be the same then.

    :raises WheelError: if a value is missing, left over, or contradicts the header
    """
    wanted = values.count(_MARKER)
    field = extra.get(ZIP64)
    if field is None:
        if wanted:
            raise refusal("zip64", "needs a ZIP64 extra field, and has none", member=name)
        return values
    count, rest = divmod(len(field), 8)
    if rest or not wanted <= count <= len(values):
        raise refusal("zip64", "its ZIP64 extra field has too few or too many values", member=name)
    wide = struct.unpack(f"<{count}Q", field)
    if count == wanted:
        supply = iter(wide)
        return tuple(next(supply) if value == _MARKER else value for value in values)
    repeated = (*wide, *values[count:])
    if any(old not in (_MARKER, new) for old, new in zip(values, repeated, strict=True)):
        raise refusal("zip64", "its ZIP64 extra field contradicts its header", member=name)
    if _MARKER in values[count:]:
        raise refusal("zip64", "its ZIP64 extra field has too few values", member=name)
    return repeated


INPUT_CHUNK: Final = 256 * 1024
OUTPUT_CHUNK: Final = 1024 * 1024
_STORED = 0
_RAW_DEFLATE = -15


def _load_engine() -> ModuleType:
    """isal, the optional extra ``fast``, where it is installed; else zlib, its model."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return importlib.import_module("zlib")


_ENGINE = _load_engine()


class Packed(Protocol):
    """Where a member's data lie; :class:`crossdeps.wheels.model.Member` is one."""

    @property
    def offset(self) -> int:
        """Of the first byte of compressed data."""

    @property
    def compressed_size(self) -> int:
        """Bytes."""

    @property
    def size(self) -> int:
        """Bytes, inflated."""

    @property
    def method(self) -> int:
        """0 stored, 8 deflated."""


def checksum(data: bytes, value: int = 0) -> int:
    """CRC-32 of *data* that follows what gave *value*."""
    return int(_ENGINE.crc32(data, value))


def inflate(file: BinaryIO, member: Packed, name: str) -> Iterator[bytes]:
    """The content of *member*, in pieces of at most :data:`OUTPUT_CHUNK` bytes.

    :param file: the wheel, open and seekable
    :param name: for messages
    :raises WheelError: if the data are damaged, or longer or shorter than declared; a caller that
        ran out of pieces without an error has had exactly ``member.size`` bytes
    """
    file.seek(member.offset)
    if member.method == _STORED:
        return _stored(file, member, name)
    return _deflated(file, member, name)


def _stored(file: BinaryIO, member: Packed, name: str) -> Iterator[bytes]:
    if member.size != member.compressed_size:
        raise refusal("zip-data", "is stored, yet its two sizes differ", member=name)
    left = member.size
    while left:
        chunk = file.read(min(left, OUTPUT_CHUNK))
        if not chunk:
            raise refusal("zip-data", "ends with the file", member=name)
        left -= len(chunk)
        yield chunk


def _deflated(file: BinaryIO, member: Packed, name: str) -> Iterator[bytes]:
    stream = _ENGINE.decompressobj(_RAW_DEFLATE)
    packed_left, left, pending = member.compressed_size, member.size, b""
    while not stream.eof:
        if not pending:
            pending = file.read(min(packed_left, INPUT_CHUNK))
            packed_left -= len(pending)
        drained = not pending
        try:
            # One byte more than is due shows a stream that is too long.
            chunk = stream.decompress(pending, min(left + 1, OUTPUT_CHUNK))
        except _ENGINE.error as error:
            raise refusal(
                "zip-data", f"its compressed data are damaged ({error})", member=name
            ) from None
        if drained and not chunk and not stream.eof:
            raise refusal("zip-data", "its compressed data are cut short", member=name)
        pending = stream.unconsumed_tail
        left -= len(chunk)
        if left < 0:
            raise refusal("zip-data", "inflates to more than it declares", member=name)
        if chunk:
            yield chunk
    if left or packed_left or pending or stream.unused_data:
        raise refusal("zip-data", "its compressed data end too early", member=name)
