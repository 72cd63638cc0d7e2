"""A strict reader of ZIP structure: it accepts only files that every reader understands alike.

Field names and layouts are those of APPNOTE.TXT, the .ZIP File Format Specification. Beyond it,
the members must tile the file: the first local header is at offset 0, each other one where the
previous member ends, the central directory after the last member, the end record after that, and
then the file ends. So the file holds nothing that the central directory doesn't list.

Limits (:data:`MAX_MEMBERS`, :data:`MAX_TOTAL_SIZE`, :data:`MAX_RATIO`) are checked on declared
sizes, before anything is inflated; inflating never yields more than was declared.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.wheels.model import invalid_wheel
from crossdeps.wheels.zip_format import (
    CENTRAL_HEADER,
    DEFLATED,
    LOCAL_HEADER,
    NO_EXTRA,
    STORED,
    EndRecord,
    parse_extra,
    read_at,
    read_end,
    zip64_values,
)

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_MEMBERS: Final = 200_000
MAX_DIRECTORY_SIZE: Final = 64 * 1024**2
"""Bytes of the central directory."""
MAX_TOTAL_SIZE: Final = 8 * 1024**3
"""Bytes of all members, inflated."""
MAX_RATIO: Final = 200
"""Inflated to compressed, of a whole wheel that inflates to more than :data:`RATIO_FREE_SIZE`."""
RATIO_FREE_SIZE: Final = 128 * 1024**2

_FLAG_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_FLAG_DEFLATE_LEVEL = 0x0006
_FLAG_DESCRIPTOR = 0x0008
_FLAG_UTF8 = 0x0800
_FLAGS_KNOWN = _FLAG_DEFLATE_LEVEL | _FLAG_DESCRIPTOR | _FLAG_UTF8


class ArchiveMember(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the central directory, which its local header agrees with.

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
    """Return all members of the archive in *file*, in the order of their data.

    :param file: seekable; nothing is inflated
    :param size: bytes of the whole file
    :raises WheelError: if its structure breaks a rule
    """
    end = read_end(file, size)
    entries = _read_central_directory(file, end)
    _check_limits(entries, size)
    return _read_local_headers(file, entries, end.directory_offset)


def _read_central_directory(file: BinaryIO, end: EndRecord) -> list[ArchiveMember]:
    if end.count > MAX_MEMBERS or end.directory_size > MAX_DIRECTORY_SIZE:
        raise invalid_wheel(
            "zip-bomb", f"the archive has {end.count} members; at most {MAX_MEMBERS} are allowed"
        )
    data = read_at(file, end.directory_offset, end.directory_size)
    if len(data) < end.directory_size:
        raise invalid_wheel("zip-directory", "the central directory is truncated")
    members, position = [], 0
    while position < len(data):
        member, position = _parse_central(data, position)
        members.append(member)
    if len(members) != end.count:
        raise invalid_wheel(
            "zip-directory",
            f"the end record counts {end.count} members, the directory lists {len(members)}",
        )
    if not members:
        raise invalid_wheel("zip-directory", "the archive is empty")
    return members


def _parse_central(data: bytes, position: int) -> tuple[ArchiveMember, int]:
    """Parse the header (APPNOTE 4.3.12) at *position*; return also where the next one starts."""
    if len(data) - position < CENTRAL_HEADER.size or not data.startswith(b"PK\x01\x02", position):
        raise invalid_wheel(
            "zip-directory", "the central directory contains something other than headers"
        )
    fields = CENTRAL_HEADER.unpack_from(data, position)
    _, _, _, flags, method, _, _, crc32, compressed_size, size, name_length, extra_length = fields[
        :12
    ]
    comment_length, disk, _, attributes, header_offset = fields[12:]
    start = position + CENTRAL_HEADER.size
    stop = start + name_length + extra_length + comment_length
    if stop > len(data):
        raise invalid_wheel("zip-directory", "the central directory is truncated")
    raw_name = data[start : start + name_length]
    name = _decode_name(raw_name, flags)
    _check_flags(name, flags, method)
    extra = NO_EXTRA
    if extra_length:
        extra = parse_extra(data[start + name_length : stop - comment_length], raw_name, name)
    size, compressed_size, header_offset = zip64_values(
        extra, (size, compressed_size, header_offset), name
    )
    if disk:
        raise invalid_wheel("zip-directory", "it claims to be on another disk", name)
    return ArchiveMember(
        raw_name=raw_name,
        name=name,
        flags=flags,
        method=method,
        crc32=crc32,
        compressed_size=compressed_size,
        size=size,
        header_offset=header_offset,
        offset=-1,
        mode=attributes >> 16,
        dos_directory=bool(attributes & 0x10),
    ), stop


def _decode_name(raw: bytes, flags: int) -> str:
    """Decode a name; without bit 11 it is in code page 437 (APPNOTE, appendix D)."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid_wheel(
            "path-encoding", "its name isn't UTF-8", raw.decode("utf-8", "backslashreplace")
        ) from None
    if not (flags & _FLAG_UTF8 or name.isascii()):
        raise invalid_wheel(
            "path-encoding", "its name isn't ASCII, and isn't marked as UTF-8", name
        )
    return name


def _check_flags(name: str, flags: int, method: int) -> None:
    if flags & _FLAG_ENCRYPTED:
        raise invalid_wheel("zip-encrypted", "it is encrypted", name)
    if flags & ~_FLAGS_KNOWN:
        raise invalid_wheel("zip-flags", f"it has unknown flags {flags & ~_FLAGS_KNOWN:#06x}", name)
    if method not in (STORED, DEFLATED):
        raise invalid_wheel(
            "zip-method", f"it is compressed with the unknown method {method}", name
        )


def _check_limits(members: list[ArchiveMember], file_size: int) -> None:
    total = sum(member.size for member in members)
    if total > MAX_TOTAL_SIZE:
        raise invalid_wheel(
            "zip-bomb", f"it inflates to {total:,} bytes; at most {MAX_TOTAL_SIZE:,} are allowed"
        )
    if total > RATIO_FREE_SIZE and total > MAX_RATIO * file_size:
        raise invalid_wheel(
            "zip-bomb",
            f"it inflates from {file_size:,} to {total:,} bytes, more than {MAX_RATIO} times",
        )


def _read_local_headers(
    file: BinaryIO, entries: list[ArchiveMember], directory_offset: int
) -> tuple[ArchiveMember, ...]:
    """Read the local headers from offset 0, and compare each with its central directory entry."""
    entries = sorted(entries, key=lambda entry: entry.header_offset)
    stops = [*(entry.header_offset for entry in entries[1:]), directory_offset]
    if entries[0].header_offset != 0:
        raise invalid_wheel("zip-gap", "the first member isn't at the start of the file")
    return tuple(
        _read_local_header(file, entry, stop) for entry, stop in zip(entries, stops, strict=True)
    )


def _read_local_header(file: BinaryIO, entry: ArchiveMember, stop: int) -> ArchiveMember:
    """Return *entry* with the offset of its data, from its header (APPNOTE 4.3.7).

    :param stop: where the next header starts
    """
    name = entry.name
    if stop - entry.header_offset < LOCAL_HEADER.size:
        raise invalid_wheel("zip-overlap", "it overlaps the next member", name)
    data = read_at(file, entry.header_offset, LOCAL_HEADER.size)
    if len(data) < LOCAL_HEADER.size or not data.startswith(b"PK\x03\x04"):
        raise invalid_wheel("zip-header-mismatch", "its local header is missing", name)
    fields = LOCAL_HEADER.unpack(data)
    _, _, flags, method, _, _, crc32, compressed_size, size, name_length, extra_length = fields
    tail = file.read(name_length + extra_length)
    if flags != entry.flags or method != entry.method or tail[:name_length] != entry.raw_name:
        raise invalid_wheel(
            "zip-header-mismatch",
            "its local header and the central directory have different names, methods or flags",
            name,
        )
    extra = NO_EXTRA
    if extra_length:
        extra = parse_extra(tail[name_length:], entry.raw_name, name)
    size, compressed_size = zip64_values(extra, (size, compressed_size), name)
    expected = (entry.crc32, entry.compressed_size, entry.size)
    streamed = flags & _FLAG_DESCRIPTOR
    for found, value in zip((crc32, compressed_size, size), expected, strict=True):
        if found != value and not (streamed and found == 0):
            raise invalid_wheel(
                "zip-header-mismatch",
                "its local header and the central directory have different sizes or checksums",
                name,
            )
    offset = entry.header_offset + LOCAL_HEADER.size + name_length + extra_length
    _check_descriptor(file, entry, offset + entry.compressed_size, stop)
    return msgspec.structs.replace(entry, offset=offset)


def _check_descriptor(file: BinaryIO, entry: ArchiveMember, start: int, stop: int) -> None:
    """Check that *start* to *stop* is empty, or is the declared data descriptor (APPNOTE 4.3.9)."""
    if stop < start:
        raise invalid_wheel("zip-overlap", "it overlaps the next member", entry.name)
    if not entry.flags & _FLAG_DESCRIPTOR:
        if stop != start:
            raise invalid_wheel(
                "zip-gap", f"the {stop - start} bytes after it belong to no member", entry.name
            )
        return
    layout = {12: "<3I", 16: "<4I", 20: "<I2Q", 24: "<2I2Q"}.get(stop - start)
    expected = (entry.crc32, entry.compressed_size, entry.size)
    if layout is not None:
        found = struct.unpack(layout, read_at(file, start, stop - start))
        if found in (expected, (0x08074B50, *expected)):
            return
    raise invalid_wheel(
        "zip-descriptor",
        "its data descriptor is missing or contradicts the central directory",
        entry.name,
    )
