"""Inflate one member, in bounded memory, and never more of it than was declared."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, Protocol

from crossdeps.wheels.faults import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import BinaryIO

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
