"""Facts about one native binary."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import BinaryIO, Literal

BinaryFormat = Literal["elf", "mach-o", "pe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BinaryFacts:
    """What a native binary says of itself, whatever its file name says.

    :param format: ELF, Mach-O or PE
    :param machine: ``x86_64``, ``aarch64``, or the format's own name for others (``i386``,
        ``arm``, ``EM_183``); for a fat Mach-O the names joined by ``+``
    :param bits: 32 or 64; 0 where a fat file has both
    :param kind: ELF type (``shared``, ``executable``, ``relocatable``, ``core``), empty elsewhere
    :param little_endian: byte order
    :param interpreter: PT_INTERP, such as ``/lib/ld-musl-x86_64.so.1``
    :param soname: DT_SONAME
    :param needed: DT_NEEDED, in file order
    :param rpaths: DT_RUNPATH, or DT_RPATH where there is none, split at ``:``
    :param versions: for each needed library the symbol versions required of it, sorted
        (``libc.so.6`` -> ``("GLIBC_2.14", "GLIBC_2.17")``)
    :param defined_versions: symbol versions that it defines itself
    :param python_symbols: undefined symbols that start with ``Py`` or ``_Py``, sorted
    :param problem: why it couldn't be read wholly; empty where it could
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


# No table that the readers ask for is larger in real binaries, by far; a header that claims more
# is damaged or hostile.
LARGEST_TABLE = 64 * 1024 * 1024


class MalformedError(Exception):
    """A header or table isn't what the format says; never leaves the room."""


class Window:
    """Bytes that are read by offset, each read checked against the end.

    :param source: the whole bytes, or a stream; one that can't seek is read to its end
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
            # A spooled file of Python 3.10 has no seekable(), and its seek() returns nothing.
            source.seek(0, os.SEEK_END)
            self.size = source.tell()

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Exactly *size* bytes from *offset*.

        :param what: the thing that is read, for the message
        :raises MalformedError: if they aren't all there, or are unreasonably many
        """
        if size > LARGEST_TABLE:
            raise MalformedError(f"{what} claims {size} bytes")
        if offset < 0 or size < 0 or offset + size > self.size:
            raise MalformedError(f"{what} lies beyond the end of the file")
        data = self._slice(offset, size)
        if len(data) != size:
            raise MalformedError(f"{what} lies beyond the end of the file")
        return data

    def head(self, size: int) -> bytes:
        """The first *size* bytes, or as many as there are."""
        return self._slice(0, min(size, self.size))

    def _slice(self, offset: int, size: int) -> bytes:
        if self._stream is None:
            return (self._data or b"")[offset : offset + size]
        self._stream.seek(offset, io.SEEK_SET)
        return self._stream.read(size)
