"""The end of a ZIP file: where its central directory lies (APPNOTE 4.3.14 to 4.3.16)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.wheels.faults import refusal

if TYPE_CHECKING:
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
