"""The small index beside a stored wheel: what one strict pass found, so that it is made once.

An index is msgpack behind a header: a magic word with the format's version, and the SHA-256 of
what follows. It is a convenience, not evidence: an index that is absent, damaged, of another
version or of another wheel is made again from the wheel.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Final

import msgspec

from crossdeps.binaries.model import BinaryFacts  # noqa: TC001 - msgspec reads the annotation
from crossdeps.wheels.contents import WheelContents
from crossdeps.wheels.model import Member

FORMAT: Final = 1
"""Raise it with every change to what is noted, or to what is refused."""
SUFFIX: Final = f".facts{FORMAT}"
_MAGIC = b"crossdeps wheel facts %d\n" % FORMAT
_DIGEST_SIZE = 32


class _Member(msgspec.Struct, array_like=True, frozen=True):
    path: str
    offset: int
    compressed_size: int
    size: int
    crc32: int
    sha256: bytes
    method: int
    executable: bool
    binary: BinaryFacts | None


class _Facts(msgspec.Struct, array_like=True, frozen=True):
    sha256: str
    size: int
    name: str
    version: str
    dist_info: str
    members: tuple[_Member, ...]
    metadata: bytes
    entry_points: str
    wheel_tags: tuple[str, ...]
    root_is_purelib: bool
    warnings: tuple[str, ...]


# Made here, once, under Python's import lock: msgspec learns a type when it first meets it, and
# two threads that make it learn the same one at once crash the process.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Facts)


def encode_facts(contents: WheelContents) -> bytes:
    """The bytes of an index."""
    members = tuple(
        _Member(
            member.path,
            member.offset,
            member.compressed_size,
            member.size,
            member.crc32,
            bytes.fromhex(member.sha256),
            member.method,
            member.executable,
            member.binary,
        )
        for member in contents.members
    )
    values = {field.name: getattr(contents, field.name) for field in dataclasses.fields(contents)}
    body = _ENCODER.encode(_Facts(**{**values, "members": members}))
    return _MAGIC + hashlib.sha256(body).digest() + body


def decode_facts(data: bytes, *, sha256: str, size: int) -> WheelContents | None:
    """What an index says of the wheel with *sha256* and *size*; None where it can't be believed."""
    start = len(_MAGIC) + _DIGEST_SIZE
    body = data[start:]
    if data[:start] != _MAGIC + hashlib.sha256(body).digest():
        return None
    try:
        facts = _DECODER.decode(body)
    except msgspec.MsgspecError:
        return None
    if facts.sha256 != sha256 or facts.size != size:
        return None
    members = tuple(
        Member(
            path=member.path,
            offset=member.offset,
            compressed_size=member.compressed_size,
            size=member.size,
            crc32=member.crc32,
            sha256=member.sha256.hex(),
            method=member.method,
            executable=member.executable,
            binary=member.binary,
        )
        for member in facts.members
    )
    values = {name: getattr(facts, name) for name in facts.__struct_fields__}
    return WheelContents(**{**values, "members": members})
