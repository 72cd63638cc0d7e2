"""A strict reader of ZIP structure: it accepts only files that every reader understands alike.

Field names and layouts are those of APPNOTE.TXT, the ZIP file format specification. Beyond it we
require that the members tile the file: the first local header stands at offset 0, each next one
where the one before ended, the central directory after the last, the end record after that, and
then the file ends. What is not in the central directory is thus not in the file.

Limits (:data:`MAX_MEMBERS`, :data:`MAX_TOTAL_SIZE`, :data:`MAX_RATIO`) are checked on declared
sizes, before anything is inflated; inflating never yields more than was declared.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from crossdeps.wheels.model import refusal
from crossdeps.wheels.zip_format import NO_EXTRA, End, parse_extra, read_at, read_end, zip64_values

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_MEMBERS: Final = 200_000
MAX_DIRECTORY_SIZE: Final = 64 * 1024**2
"""Bytes of the central directory."""
MAX_TOTAL_SIZE: Final = 8 * 1024**3
"""Bytes of all members, inflated."""
MAX_RATIO: Final = 200
"""Inflated to packed, of the whole wheel; only asked of more than :data:`RATIO_FREE_SIZE` bytes."""
RATIO_FREE_SIZE: Final = 128 * 1024**2

STORED: Final = 0
DEFLATED: Final = 8

_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")

_FLAG_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_FLAG_DEFLATE_LEVEL = 0x0006
_FLAG_DESCRIPTOR = 0x0008
_FLAG_UTF8 = 0x0800
_FLAGS_KNOWN = _FLAG_DEFLATE_LEVEL | _FLAG_DESCRIPTOR | _FLAG_UTF8


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveMember:
    """One entry of the central directory, agreed with its local header.

    :param raw_name: as in both headers
    :param name: decoded; not yet checked as a path
    :param flags: general purpose bits
    :param header_offset: of the local header in the file
    :param offset: of the first byte of compressed data
    :param mode: the upper half of the external attributes: a Unix mode, or 0
    :param dos_directory: whether the DOS directory attribute is set
    """

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    header_offset: int
    offset: int
    mode: int
    dos_directory: bool

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory entry."""
        return self.name.endswith("/")


def read_archive(file: BinaryIO, size: int) -> tuple[ArchiveMember, ...]:
    """All members of the archive in *file*, in the order in which they lie in it.

    :param file: seekable; read, not inflated
    :param size: bytes of the whole file
    :raises WheelError: if its structure breaks a rule
    """
    end = read_end(file, size)
    entries = _read_central_directory(file, end)
    _check_limits(entries, size)
    return _read_local_headers(file, entries, end.directory_offset)


def _read_central_directory(file: BinaryIO, end: End) -> list[ArchiveMember]:
    if end.count > MAX_MEMBERS or end.directory_size > MAX_DIRECTORY_SIZE:
        raise refusal("zip-bomb", f"{end.count} members, more than {MAX_MEMBERS}")
    data = read_at(file, end.directory_offset, end.directory_size)
    if len(data) < end.directory_size:
        raise refusal("zip-directory", "the central directory is cut short")
    members, position = [], 0
    while position < len(data):
        member, position = _parse_central(data, position)
        members.append(member)
    if len(members) != end.count:
        raise refusal(
            "zip-directory",
            f"the end record counts {end.count} members, the directory lists {len(members)}",
        )
    if not members:
        raise refusal("zip-directory", "the archive is empty")
    return members


def _parse_central(data: bytes, position: int) -> tuple[ArchiveMember, int]:
    """One central directory header (APPNOTE 4.3.12) at *position*, and where the next starts."""
    if len(data) - position < _CENTRAL.size or not data.startswith(b"PK\x01\x02", position):
        raise refusal("zip-directory", "the central directory holds something else than headers")
    fields = _CENTRAL.unpack_from(data, position)
    _, _, _, flags, method, _, _, crc32, packed, size, name_length, extra_length = fields[:12]
    comment_length, disk, _, attributes, header_offset = fields[12:]
    start = position + _CENTRAL.size
    stop = start + name_length + extra_length + comment_length
    if stop > len(data):
        raise refusal("zip-directory", "the central directory is cut short")
    raw_name = data[start : start + name_length]
    name = _decode_name(raw_name, flags)
    _check_flags(name, flags, method)
    extra = NO_EXTRA
    if extra_length:
        extra = parse_extra(data[start + name_length : stop - comment_length], raw_name, name)
    size, packed, header_offset = zip64_values(extra, (size, packed, header_offset), name)
    if disk:
        raise refusal("zip-directory", "a member claims to lie on another disk", member=name)
    return ArchiveMember(
        raw_name=raw_name,
        name=name,
        flags=flags,
        method=method,
        crc32=crc32,
        compressed_size=packed,
        size=size,
        header_offset=header_offset,
        offset=-1,
        mode=attributes >> 16,
        dos_directory=bool(attributes & 0x10),
    ), stop


def _decode_name(raw: bytes, flags: int) -> str:
    """The name as text; APPNOTE appendix D reads it as code page 437 where bit 11 isn't set."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise refusal(
            "path-encoding", "a name is not UTF-8", member=raw.decode("utf-8", "backslashreplace")
        ) from None
    if not (flags & _FLAG_UTF8 or name.isascii()):
        raise refusal("path-encoding", "a name is not ASCII, and not marked as UTF-8", member=name)
    return name


def _check_flags(name: str, flags: int, method: int) -> None:
    if flags & _FLAG_ENCRYPTED:
        raise refusal("zip-encrypted", "encrypted", member=name)
    if flags & ~_FLAGS_KNOWN:
        raise refusal("zip-flags", f"has unknown flags {flags & ~_FLAGS_KNOWN:#06x}", member=name)
    if method not in (STORED, DEFLATED):
        raise refusal("zip-method", f"compressed with method {method}", member=name)


def _check_limits(members: list[ArchiveMember], file_size: int) -> None:
    total = sum(member.size for member in members)
    if total > MAX_TOTAL_SIZE:
        raise refusal("zip-bomb", f"inflates to {total:,} bytes, more than {MAX_TOTAL_SIZE:,}")
    if total > RATIO_FREE_SIZE and total > MAX_RATIO * file_size:
        raise refusal(
            "zip-bomb",
            f"inflates from {file_size:,} to {total:,} bytes, more than {MAX_RATIO} times",
        )


def _read_local_headers(
    file: BinaryIO, entries: list[ArchiveMember], directory_offset: int
) -> tuple[ArchiveMember, ...]:
    """Walk the local headers from offset 0 and hold each against its central directory entry."""
    entries = sorted(entries, key=lambda entry: entry.header_offset)
    stops = [*(entry.header_offset for entry in entries[1:]), directory_offset]
    if entries[0].header_offset != 0:
        raise refusal("zip-gap", "the first member doesn't stand at the start of the file")
    return tuple(
        _read_local_header(file, entry, stop) for entry, stop in zip(entries, stops, strict=True)
    )


def _read_local_header(file: BinaryIO, entry: ArchiveMember, stop: int) -> ArchiveMember:
    """The member with its data's offset, from the header (APPNOTE 4.3.7) up to *stop*, the next."""
    name = entry.name
    if stop - entry.header_offset < _LOCAL.size:
        raise refusal("zip-overlap", "overlaps the next member", member=name)
    data = read_at(file, entry.header_offset, _LOCAL.size)
    if len(data) < _LOCAL.size or not data.startswith(b"PK\x03\x04"):
        raise refusal("zip-header-mismatch", "no local header where it should be", member=name)
    fields = _LOCAL.unpack(data)
    _, _, flags, method, _, _, crc32, packed, size, name_length, extra_length = fields
    tail = file.read(name_length + extra_length)
    if flags != entry.flags or method != entry.method or tail[:name_length] != entry.raw_name:
        raise refusal(
            "zip-header-mismatch",
            "name, method or flags differ between local header and central directory",
            member=name,
        )
    extra = NO_EXTRA
    if extra_length:
        extra = parse_extra(tail[name_length:], entry.raw_name, name)
    size, packed = zip64_values(extra, (size, packed), name)
    expected = (entry.crc32, entry.compressed_size, entry.size)
    streamed = flags & _FLAG_DESCRIPTOR
    for found, value in zip((crc32, packed, size), expected, strict=True):
        if found != value and not (streamed and found == 0):
            raise refusal(
                "zip-header-mismatch",
                "size or checksum differs between local header and central directory",
                member=name,
            )
    offset = entry.header_offset + _LOCAL.size + name_length + extra_length
    _check_descriptor(file, entry, offset + entry.compressed_size, stop)
    return replace(entry, offset=offset)


def _check_descriptor(file: BinaryIO, entry: ArchiveMember, start: int, stop: int) -> None:
    """Between *start* and *stop* lies nothing, or the data descriptor announced (APPNOTE 4.3.9)."""
    if stop < start:
        raise refusal("zip-overlap", "overlaps the next member", member=entry.name)
    if not entry.flags & _FLAG_DESCRIPTOR:
        if stop != start:
            raise refusal(
                "zip-gap", f"{stop - start} bytes after it belong to no member", member=entry.name
            )
        return
    layout = {12: "<3I", 16: "<4I", 20: "<I2Q", 24: "<2I2Q"}.get(stop - start)
    expected = (entry.crc32, entry.compressed_size, entry.size)
    if layout is not None:
        found = struct.unpack(layout, read_at(file, start, stop - start))
        if found in (expected, (0x08074B50, *expected)):
            return
    raise refusal("zip-descriptor", "no data descriptor that agrees", member=entry.name)
