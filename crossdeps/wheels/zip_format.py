"""The parts of the ZIP file format: its records, its extra fields, and inflating a member.

Source: APPNOTE.TXT, the .ZIP File Format Specification, by whose sections the rules are cited.
"""

from __future__ import annotations

import importlib
import struct
import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from crossdeps.wheels.model import invalid_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType
    from typing import BinaryIO

LOCAL_HEADER: Final = struct.Struct("<4s5H3I2H")
CENTRAL_HEADER: Final = struct.Struct("<4s6H3I5H2I")
END_RECORD: Final = struct.Struct("<4s4H2IH")
END64_RECORD: Final = struct.Struct("<4sQ2H2I4Q")
END64_LOCATOR: Final = struct.Struct("<4sIQI")

STORED: Final = 0
DEFLATED: Final = 8
UINT16_MAX: Final = 0xFFFF
"""In a narrow field: the value is in the ZIP64 record (4.4.1.4)."""
UINT32_MAX: Final = 0xFFFFFFFF
"""The same, in a field of four bytes."""


class EndRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Where the central directory lies; *position* is the first byte after it."""

    count: int
    directory_size: int
    directory_offset: int
    position: int


def read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    """Read up to *count* bytes at *offset*; fewer where the file ends."""
    file.seek(offset)
    return file.read(count)


def read_end(file: BinaryIO, size: int) -> EndRecord:
    """Read the end of central directory record (4.3.16), which must be the file's end."""
    if size < END_RECORD.size:
        raise invalid_wheel("zip-end-record", f"it isn't a ZIP file: it has only {size} bytes")
    position = size - END_RECORD.size
    data = read_at(file, position, END_RECORD.size)
    if len(data) < END_RECORD.size or not data.startswith(b"PK\x05\x06"):
        raise invalid_wheel("zip-end-record", "the file doesn't end with a ZIP end record")
    if b"PK\x05\x06" in data[1:]:
        raise invalid_wheel("zip-end-record", "there is a second ZIP end record within the first")
    _, disk, directory_disk, here, count, directory_size, offset, comment = END_RECORD.unpack(data)
    if comment:
        raise invalid_wheel(
            "zip-end-record", "the end record declares a comment beyond the end of the file"
        )
    fields: tuple[int, ...] = (disk, directory_disk, here, count, directory_size, offset)
    if size >= END_RECORD.size + END64_LOCATOR.size:
        before = read_at(file, position - END64_LOCATOR.size, END64_LOCATOR.size)
        if before.startswith(b"PK\x06\x07"):
            fields, position = _read_end64(file, before, position - END64_LOCATOR.size, fields)
    disk, directory_disk, here, count, directory_size, offset = fields
    if disk or directory_disk or here != count:
        raise invalid_wheel("zip-end-record", "the archive claims to span several disks")
    if offset + directory_size != position:
        raise invalid_wheel(
            "zip-gap", "the central directory doesn't end where the end record starts"
        )
    return EndRecord(
        count=count, directory_size=directory_size, directory_offset=offset, position=position
    )


def _read_end64(
    file: BinaryIO, locator: bytes, position: int, fields: tuple[int, ...]
) -> tuple[tuple[int, ...], int]:
    """Return the values of the ZIP64 end record (4.3.14), and where it starts.

    It must be directly before its locator and agree with *fields*, the narrow values.
    """
    _, disk, offset, disks = END64_LOCATOR.unpack(locator)
    if disk or disks != 1 or offset + END64_RECORD.size != position:
        raise invalid_wheel("zip64", "the ZIP64 locator doesn't point directly before itself")
    data = read_at(file, offset, END64_RECORD.size)
    if len(data) < END64_RECORD.size or not data.startswith(b"PK\x06\x06"):
        raise invalid_wheel("zip64", "there is no ZIP64 end record where its locator points")
    _, record_size, _, _, *wide = END64_RECORD.unpack(data)
    if record_size != END64_RECORD.size - 12:
        raise invalid_wheel("zip64", "the ZIP64 end record has an unknown length")
    markers = (*[UINT16_MAX] * 4, *[UINT32_MAX] * 2)
    for narrow, marker, value in zip(fields, markers, wide, strict=True):
        if narrow not in (marker, value):
            raise invalid_wheel("zip64", "the ZIP64 end record contradicts the ordinary one")
    return tuple(wide), offset


ZIP64: Final = 0x0001
UNICODE_PATH: Final = 0x7075
NO_EXTRA: Final[Mapping[int, bytes]] = MappingProxyType({})


def parse_extra(data: bytes, raw_name: bytes, name: str) -> Mapping[int, bytes]:
    """Parse extra fields (4.5), by header id, and check that none gives the member another name.

    :param raw_name: the name in the header that the fields belong to
    :raises WheelError: if they are truncated, repeat a field that matters, or give another name
    """
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise invalid_wheel("zip-extra-field", "its extra fields are truncated", name)
        header_id, size = struct.unpack_from("<HH", data, position)
        position += 4
        value = data[position : position + size]
        position += size
        if len(value) < size:
            raise invalid_wheel("zip-extra-field", "its extra fields are truncated", name)
        if header_id in fields and header_id in (ZIP64, UNICODE_PATH):
            raise invalid_wheel(
                "zip-extra-field", f"it has the extra field {header_id:#06x} twice", name
            )
        fields[header_id] = value
    if UNICODE_PATH in fields:
        _check_unicode_path(fields[UNICODE_PATH], raw_name, name)
    return fields


def _check_unicode_path(value: bytes, raw_name: bytes, name: str) -> None:
    """Check that the Info-ZIP Unicode Path field (4.6.9) repeats the name."""
    expected = struct.pack("<BI", 1, zlib.crc32(raw_name)) + raw_name
    if value != expected:
        raise invalid_wheel("zip-extra-field", "an extra field gives it another name", name)


def zip64_values(extra: Mapping[int, bytes], values: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Replace each 0xFFFFFFFF of *values* with its wide value (4.5.3), in the field's order.

    Some writers (Bazel's) repeat values there that fit the header; they must be the same then.

    :raises WheelError: if a value is missing, unused, or contradicts the header
    """
    needed = values.count(UINT32_MAX)
    field = extra.get(ZIP64)
    if field is None:
        if needed:
            raise invalid_wheel("zip64", "it needs a ZIP64 extra field and has none", name)
        return values
    count, rest = divmod(len(field), 8)
    if rest or not needed <= count <= len(values):
        raise invalid_wheel("zip64", "its ZIP64 extra field has too few or too many values", name)
    wide = struct.unpack(f"<{count}Q", field)
    if count == needed:
        supply = iter(wide)
        return tuple(next(supply) if value == UINT32_MAX else value for value in values)
    repeated = (*wide, *values[count:])
    if any(old not in (UINT32_MAX, new) for old, new in zip(values, repeated, strict=True)):
        raise invalid_wheel("zip64", "its ZIP64 extra field contradicts its header", name)
    if UINT32_MAX in values[count:]:
        raise invalid_wheel("zip64", "its ZIP64 extra field has too few values", name)
    return repeated


INPUT_CHUNK: Final = 256 * 1024
OUTPUT_CHUNK: Final = 1024 * 1024
_RAW_DEFLATE = -15


def _load_engine() -> ModuleType:
    """Load isal (the optional extra ``fast``) where it is installed, else zlib: they are alike."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return importlib.import_module("zlib")


_ENGINE = _load_engine()


class CompressedMember(Protocol):
    """Where a member's data lies; :class:`crossdeps.wheels.model.Member` is one."""

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
    """Return the CRC-32 of *data*, continued from *value*."""
    return int(_ENGINE.crc32(data, value))


def inflate(file: BinaryIO, member: CompressedMember, name: str) -> Iterator[bytes]:
    """Yield the content of *member*, in chunks of at most :data:`OUTPUT_CHUNK` bytes.

    :param file: the wheel, open and seekable
    :param name: for messages
    :raises WheelError: if the data is damaged, or longer or shorter than declared; without an error
        the chunks have exactly ``member.size`` bytes together
    """
    file.seek(member.offset)
    if member.method == STORED:
        return _stored(file, member, name)
    return _deflated(file, member, name)


def _stored(file: BinaryIO, member: CompressedMember, name: str) -> Iterator[bytes]:
    if member.size != member.compressed_size:
        raise invalid_wheel("zip-data", "it is stored, but its two sizes differ", name)
    left = member.size
    while left:
        chunk = file.read(min(left, OUTPUT_CHUNK))
        if not chunk:
            raise invalid_wheel("zip-data", "its data ends with the file", name)
        left -= len(chunk)
        yield chunk


def _deflated(file: BinaryIO, member: CompressedMember, name: str) -> Iterator[bytes]:
    stream = _ENGINE.decompressobj(_RAW_DEFLATE)
    compressed_left, left, pending = member.compressed_size, member.size, b""
    while not stream.eof:
        if not pending:
            pending = file.read(min(compressed_left, INPUT_CHUNK))
            compressed_left -= len(pending)
        at_end = not pending
        try:
            # One byte more than declared reveals a stream that is too long.
            chunk = stream.decompress(pending, min(left + 1, OUTPUT_CHUNK))
        except _ENGINE.error as error:
            raise invalid_wheel(
                "zip-data", f"its compressed data is damaged ({error})", name
            ) from None
        if at_end and not chunk and not stream.eof:
            raise invalid_wheel("zip-data", "its compressed data is truncated", name)
        pending = stream.unconsumed_tail
        left -= len(chunk)
        if left < 0:
            raise invalid_wheel("zip-data", "it inflates to more than its declared size", name)
        if chunk:
            yield chunk
    if left or compressed_left or pending or stream.unused_data:
        raise invalid_wheel(
            "zip-data",
            "it inflates to less than its declared size, or has data after the end",
            name,
        )


def inflate_small(data: bytes, size: int) -> bytes:
    """Inflate the whole *data* of a member of *size* bytes; too few bytes if it is damaged.

    It is damaged too if something follows the end of the stream. At most *size* + 1 bytes are
    returned.
    """
    stream = _ENGINE.decompressobj(_RAW_DEFLATE)
    try:
        content: bytes = stream.decompress(data, size + 1)
    except _ENGINE.error:
        return b""
    return content if stream.eof and not stream.unused_data else b""


def inflate_start(data: bytes, count: int) -> bytes:
    """Inflate the first *count* bytes, or fewer, of deflated *data*; nothing if it is damaged."""
    try:  # zlib is the faster one to start
        return zlib.decompressobj(_RAW_DEFLATE).decompress(data, count)
    except zlib.error:
        return b""
