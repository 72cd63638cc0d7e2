"""Changes to the headers of a zip archive that exists, to make the lies that readers fall for.

Every function takes the bytes of an archive and gives new ones. For an archive that is to be
strange from the start, :mod:`tests.support.zip_writer` is simpler.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_LOCAL_FIELDS = {
    "signature": (0, "<I"),
    "version": (4, "<H"),
    "flags": (6, "<H"),
    "method": (8, "<H"),
    "time": (10, "<H"),
    "date": (12, "<H"),
    "crc": (14, "<I"),
    "compressed_size": (18, "<I"),
    "size": (22, "<I"),
    "name_length": (26, "<H"),
    "extra_length": (28, "<H"),
}
_CENTRAL_FIELDS = {
    "signature": (0, "<I"),
    "made_by": (4, "<H"),
    **{
        key: (place + 2, form) for key, (place, form) in _LOCAL_FIELDS.items() if key != "signature"
    },
    "comment_length": (32, "<H"),
    "disk": (34, "<H"),
    "internal": (36, "<H"),
    "external": (38, "<I"),
    "offset": (42, "<I"),
}
_END_FIELDS = {
    "disk": (4, "<H"),
    "directory_disk": (6, "<H"),
    "disk_entries": (8, "<H"),
    "entries": (10, "<H"),
    "size": (12, "<I"),
    "offset": (16, "<I"),
    "comment_length": (20, "<H"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexLocation:
    """Where the parts of one member are, in bytes from the start of the archive."""

    name: bytes
    local: int
    central: int
    data: int
    compressed_size: int


def find_members(content: bytes) -> tuple[IndexLocation, ...]:
    """Where each member's headers and data are, in the order of the central directory."""
    end = content.rindex(b"PK\x05\x06")
    entries, _size, position = struct.unpack_from("<HII", content, end + 10)
    places = []
    for _ in range(entries):
        compressed, _plain, name_length, extra, comment = struct.unpack_from(
            "<IIHHH", content, position + 20
        )
        (local,) = struct.unpack_from("<I", content, position + 42)
        name = content[position + 46 : position + 46 + name_length]
        lengths = struct.unpack_from("<HH", content, local + 26)
        places.append(
            IndexLocation(
                name=name,
                local=local,
                central=position,
                data=local + 30 + sum(lengths),
                compressed_size=compressed,
            )
        )
        position += 46 + name_length + extra + comment
    return tuple(places)


def find_member(content: bytes, name: str | bytes) -> IndexLocation:
    """Where the first member of this name is.

    :raises KeyError: if the archive has none
    """
    wanted = name.encode() if isinstance(name, str) else name
    for place in find_members(content):
        if place.name == wanted:
            return place
    raise KeyError(wanted)


def patch_local(content: bytes, member: str | bytes, **fields: int | bytes) -> bytes:
    """Write other values into a member's local header; ``name`` must keep its length."""
    start = find_member(content, member).local
    return _patch(content, start, _LOCAL_FIELDS, name_at=30, fields=fields)


def patch_central(content: bytes, member: str | bytes, **fields: int | bytes) -> bytes:
    """Write other values into a member's directory entry; ``name`` must keep its length."""
    start = find_member(content, member).central
    return _patch(content, start, _CENTRAL_FIELDS, name_at=46, fields=fields)


def patch_both(content: bytes, member: str | bytes, **fields: int | bytes) -> bytes:
    """Write the same other values into both headers of a member."""
    place = find_member(content, member)
    content = _patch(content, place.local, _LOCAL_FIELDS, name_at=30, fields=fields)
    return _patch(content, place.central, _CENTRAL_FIELDS, name_at=46, fields=fields)


def patch_end(content: bytes, **fields: int | bytes) -> bytes:
    """Write other values into the end record."""
    return _patch(content, content.rindex(b"PK\x05\x06"), _END_FIELDS, name_at=22, fields=fields)


def encrypt_flag(content: bytes, member: str | bytes) -> bytes:
    """Say that a member is encrypted, in both headers."""
    place = find_member(content, member)
    (flags,) = struct.unpack_from("<H", content, place.local + 6)
    return patch_both(content, member, flags=flags | 1)


def overlap(content: bytes, member: str | bytes, other: str | bytes) -> bytes:
    """Point the directory entry of *member* at the local header of *other*."""
    return patch_central(content, member, offset=find_member(content, other).local)


def flip_byte(content: bytes, member: str | bytes, position: int = 0) -> bytes:
    """Invert one byte of a member's data as stored."""
    place = find_member(content, member).data + position
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def prepend(content: bytes, prefix: bytes, *, fix_offsets: bool = False) -> bytes:
    """Put bytes before the archive; the offsets stay as they were unless *fix_offsets*."""
    moved = prefix + content
    if not fix_offsets:
        return moved
    end = content.rindex(b"PK\x05\x06")
    (directory,) = struct.unpack_from("<I", content, end + 16)
    for place in find_members(content):
        at = len(prefix) + place.central + 42
        moved = moved[:at] + struct.pack("<I", place.local + len(prefix)) + moved[at + 4 :]
    return patch_end(moved, offset=directory + len(prefix))


def append(content: bytes, suffix: bytes, *, as_comment: bool = False) -> bytes:
    """Put bytes after the archive, loose or declared as its comment."""
    if as_comment:
        content = patch_end(content, comment_length=len(suffix))
    return content + suffix


def _patch(
    content: bytes,
    start: int,
    places: dict[str, tuple[int, str]],
    *,
    name_at: int,
    fields: dict[str, int | bytes],
) -> bytes:
    patched = bytearray(content)
    for key, value in fields.items():
        if isinstance(value, bytes):
            patched[start + name_at : start + name_at + len(value)] = value
        else:
            offset, form = places[key]
            struct.pack_into(form, patched, start + offset, value)
    return bytes(patched)
