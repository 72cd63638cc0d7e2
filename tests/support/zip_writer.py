"""Zip archives in which every header field can be chosen, right by default.

The layout is that of the ZIP application note (APPNOTE.TXT, sections 4.3 to 4.5). Nothing here
checks anything: an archive that breaks a rule is what a test often wants.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STORED = 0
DEFLATED = 8
ENCRYPTED_FLAG = 0x0001
DESCRIPTOR_FLAG = 0x0008
UTF8_FLAG = 0x0800
EPOCH_1980 = (1980, 1, 1, 0, 0, 0)
_ZIP64_LIMIT = 0xFFFFFFFF
_NO_OVERRIDES: Mapping[str, int | bytes] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One member of an archive.

    :param name: its path; ``bytes`` are written as they are
    :param data: the plain content
    :param mode: Unix file type and permissions
    :param method: 0 stored, 8 deflated; any other number is written with the data as it is
    :param flags: general purpose bits, besides those that the other parameters imply
    :param raw: the stream to write instead of the compressed *data*
    :param descriptor: ``""`` none, ``"signed"`` or ``"plain"``: sizes follow the data (4.3.9)
    :param zip64: write the sizes in a ZIP64 extra field (4.5.3)
    :param extra: extra field of both headers, before any ZIP64 one
    :param local: fields of the local header to write otherwise: ``signature``, ``version``,
        ``flags``, ``method``, ``time``, ``date``, ``crc``, ``compressed_size``, ``size``,
        ``name``, ``extra``
    :param central: the same for the directory, with also ``made_by``, ``comment``, ``disk``,
        ``internal``, ``external``, ``offset``
    :param in_directory: whether the central directory lists it
    :param in_archive: whether a local header and data are written
    """

    name: str | bytes
    data: bytes = b""
    mode: int = stat.S_IFREG | 0o644
    method: int = DEFLATED
    flags: int = 0
    modified: tuple[int, int, int, int, int, int] = EPOCH_1980
    raw: bytes | None = None
    descriptor: str = ""
    zip64: bool = False
    extra: bytes = b""
    comment: bytes = b""
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    in_directory: bool = True
    in_archive: bool = True

    @property
    def encoded_name(self) -> bytes:
        """The name as it is written: UTF-8, or the bytes that were given."""
        return self.name if isinstance(self.name, bytes) else self.name.encode()

    @property
    def stream(self) -> bytes:
        """The bytes that are written as the member's data."""
        if self.raw is not None:
            return self.raw
        if self.method != DEFLATED:
            return self.data
        compressor = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        return compressor.compress(self.data) + compressor.flush()


def symlink_member(name: str, target: str) -> Member:
    """A symbolic link, as Info-ZIP stores it: the target is the content."""
    return Member(name=name, data=target.encode(), mode=stat.S_IFLNK | 0o777, method=STORED)


def folder_member(name: str) -> Member:
    """A folder entry, whose name ends in a slash."""
    return Member(name=name.rstrip("/") + "/", mode=stat.S_IFDIR | 0o755, method=STORED)


def write_zip(
    members: list[Member] | tuple[Member, ...],
    *,
    end: Mapping[str, int | bytes] = _NO_OVERRIDES,
    zip64_end: bool = False,
    zip64_overrides: Mapping[str, int | bytes] = _NO_OVERRIDES,
    between: bytes = b"",
) -> bytes:
    """The bytes of an archive.

    :param end: fields of the end record to write otherwise: ``disk``, ``directory_disk``,
        ``disk_entries``, ``entries``, ``size``, ``offset``, ``comment``
    :param zip64_end: write a ZIP64 end record and its locator as well (4.3.14, 4.3.15)
    :param zip64_overrides: fields of those two: ``entries``, ``size``, ``offset``,
        ``record_offset``
    :param between: bytes put between the last member and the central directory
    """
    body = bytearray()
    directory = bytearray()
    listed = 0
    for member in members:
        offset = len(body)
        if member.in_archive:
            body += _local_record(member)
        if member.in_directory:
            directory += _directory_entry(member, offset)
            listed += 1
    body += between
    start = len(body)
    body += directory
    if zip64_end:
        body += _zip64_end(listed, len(directory), start, zip64_overrides)
    return bytes(body + _end_record(listed, len(directory), start, end))


def _timestamp(member: Member) -> tuple[int, int]:
    year, month, day, hour, minute, second = member.modified
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def _common_fields(member: Member) -> dict[str, int | bytes]:
    time, date = _timestamp(member)
    flags = member.flags
    if isinstance(member.name, str) and not member.name.isascii():
        flags |= UTF8_FLAG
    if member.descriptor:
        flags |= DESCRIPTOR_FLAG
    return {
        "version": 45 if member.zip64 else 20,
        "flags": flags,
        "method": member.method,
        "time": time,
        "date": date,
        "crc": zlib.crc32(member.data),
        "compressed_size": len(member.stream),
        "size": len(member.data),
        "name": member.encoded_name,
        "extra": member.extra,
    }


def _local_record(member: Member) -> bytes:
    fields = {"signature": 0x04034B50, **_common_fields(member)}
    descriptor = _descriptor(member) if member.descriptor else b""
    if member.descriptor:
        fields |= {"crc": 0, "compressed_size": 0, "size": 0}
    if member.zip64:
        sizes = struct.pack("<QQ", *((0, 0) if descriptor else _sizes(member)))
        fields["extra"] = member.extra + struct.pack("<HH", 1, len(sizes)) + sizes
        fields |= {"compressed_size": _ZIP64_LIMIT, "size": _ZIP64_LIMIT}
    fields |= member.local
    name, extra = bytes(_blob(fields["name"])), bytes(_blob(fields["extra"]))
    numbers = [
        "signature",
        "version",
        "flags",
        "method",
        "time",
        "date",
        "crc",
        "compressed_size",
        "size",
    ]
    header = struct.pack(
        "<IHHHHHIIIHH", *(fields[number] for number in numbers), len(name), len(extra)
    )
    return header + name + extra + member.stream + descriptor


def _sizes(member: Member) -> tuple[int, int]:
    return len(member.data), len(member.stream)


def _descriptor(member: Member) -> bytes:
    size, compressed = _sizes(member)
    form = "<IQQ" if member.zip64 else "<III"
    record = struct.pack(form, zlib.crc32(member.data), compressed, size)
    return b"PK\x07\x08" + record if member.descriptor == "signed" else record


def _directory_entry(member: Member, offset: int) -> bytes:
    fields: dict[str, int | bytes] = {
        "signature": 0x02014B50,
        "made_by": 3 << 8 | 20,
        **_common_fields(member),
        "comment": member.comment,
        "disk": 0,
        "internal": 0,
        "external": member.mode << 16 | (0x10 if stat.S_ISDIR(member.mode) else 0),
        "offset": offset,
    }
    if member.zip64:
        sizes = struct.pack("<QQ", *_sizes(member))
        fields["extra"] = member.extra + struct.pack("<HH", 1, len(sizes)) + sizes
        fields |= {"compressed_size": _ZIP64_LIMIT, "size": _ZIP64_LIMIT}
    fields |= member.central
    name, extra, comment = (_blob(fields[key]) for key in ("name", "extra", "comment"))
    before = ("signature", "made_by", "version", "flags", "method", "time", "date")
    after = ("disk", "internal", "external", "offset")
    header = struct.pack(
        "<IHHHHHHIIIHHHHHII",
        *(fields[key] for key in before),
        *(fields[key] for key in ("crc", "compressed_size", "size")),
        *(len(blob) for blob in (name, extra, comment)),
        *(fields[key] for key in after),
    )
    return header + name + extra + comment


def _end_record(
    entries: int, size: int, offset: int, overrides: Mapping[str, int | bytes]
) -> bytes:
    fields: dict[str, int | bytes] = {
        "disk": 0,
        "directory_disk": 0,
        "disk_entries": entries,
        "entries": entries,
        "size": size,
        "offset": offset,
        "comment": b"",
        **overrides,
    }
    comment = _blob(fields.pop("comment"))
    return struct.pack("<IHHHHIIH", 0x06054B50, *fields.values(), len(comment)) + comment


def _zip64_end(entries: int, size: int, offset: int, overrides: Mapping[str, int | bytes]) -> bytes:
    fields: dict[str, int | bytes] = {
        "entries": entries,
        "size": size,
        "offset": offset,
        "record_offset": offset + size,
        **overrides,
    }
    record = struct.pack(
        "<IQHHIIQQQQ",
        0x06064B50,
        44,
        3 << 8 | 45,
        45,
        0,
        0,
        fields["entries"],
        fields["entries"],
        fields["size"],
        fields["offset"],
    )
    return record + struct.pack("<IIQI", 0x07064B50, 0, fields["record_offset"], 1)


def _blob(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("this field holds bytes")
    return value
