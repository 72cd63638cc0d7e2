"""What is known of a native binary, and the bounds-checked reading of its bytes."""

from __future__ import annotations

import os
from typing import BinaryIO, Literal

import msgspec

BinaryFormat = Literal["elf", "mach-o", "pe"]


class BinaryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The headers and the dynamic section of a native binary.

    :param format: ELF, Mach-O or PE
    :param machine: ``x86_64``, ``aarch64``, or the format's own name for others (``i386``,
        ``arm``, ``EM_183``); for a universal Mach-O file the names joined by ``+``
    :param bits: 32 or 64; 0 for a universal file that has both
    :param kind: ELF type (``shared``, ``executable``, ``relocatable``, ``core``), else empty
    :param little_endian: byte order
    :param interpreter: PT_INTERP, such as ``/lib/ld-musl-x86_64.so.1``
    :param soname: DT_SONAME
    :param needed: DT_NEEDED, in file order
    :param rpaths: DT_RUNPATH, or DT_RPATH where there is none, split at ``:``
    :param versions: the symbol versions required of each needed library, sorted
        (``libc.so.6`` -> ``("GLIBC_2.14", "GLIBC_2.17")``)
    :param defined_versions: the symbol versions that it defines
    :param python_symbols: undefined symbols that start with ``Py`` or ``_Py``, sorted
    :param problem: why it cannot be read completely; empty if it can
    """

    format: BinaryFormat
    machine: str
    bits: int
    kind: str = ""
    little_endian: bool = True
    interpreter: str | None = None
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpaths: tuple[str, ...] = ()
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    defined_versions: tuple[str, ...] = ()
    python_symbols: tuple[str, ...] = ()
    problem: str = ""


# Tables of real binaries are far smaller: a header with a larger one is damaged or hostile.
_LARGEST_TABLE = 64 * 1024 * 1024


class MalformedError(Exception):
    """A header or table is invalid. Never raised out of this package."""


class BinaryReader:
    """Random access to the bytes of a file, bounds-checked.

    :param source: all bytes, or a seekable stream
    """

    __slots__ = ("_data", "_stream", "size")

    def __init__(self, source: bytes | BinaryIO) -> None:
        self._data: bytes | None = None
        self._stream: BinaryIO | None = None
        if isinstance(source, bytes):
            self._data = source
            self.size = len(source)
        else:
            self._stream = source
            # seek() of a SpooledTemporaryFile returns None on Python 3.10.
            source.seek(0, os.SEEK_END)
            self.size = source.tell()

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Return exactly *size* bytes from *offset*.

        :param what: noun phrase for the error message
        :raises MalformedError: if the file is shorter, or *size* is unreasonably large
        """
        if size > _LARGEST_TABLE:
            raise MalformedError(f"{what} has {size} bytes, which is too large")
        if offset < 0 or size < 0 or offset + size > self.size:
            raise MalformedError(f"{what} lies beyond the end of the file")
        data = self._slice(offset, size)
        if len(data) != size:
            raise MalformedError(f"{what} lies beyond the end of the file")
        return data

    def head(self, size: int) -> bytes:
        """Return the first *size* bytes, or all of a shorter file."""
        return self._slice(0, min(size, self.size))

    def _slice(self, offset: int, size: int) -> bytes:
        if self._stream is None:
            return (self._data or b"")[offset : offset + size]
        self._stream.seek(offset)
        return self._stream.read(size)
