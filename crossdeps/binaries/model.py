"""What is known of native binaries, and the bounds-checked reading of their bytes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, BinaryIO, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    :param rpaths: DT_RPATH, split at ``:``; empty where there is a DT_RUNPATH, which replaces it
    :param runpaths: DT_RUNPATH, split at ``:``
    :param versions: the symbol versions required of each needed library, sorted
        (``libc.so.6`` -> ``("GLIBC_2.14", "GLIBC_2.17")``)
    :param defined_versions: the symbol versions that it defines
    :param python_symbols: undefined symbols that start with ``Py`` or ``_Py``, sorted, without weak
        ones, which may be missing
    :param modules: the extension modules that it can be: those that it has a ``PyInit_`` function
        for (documentation of CPython, "Building C and C++ Extensions"), sorted; empty if unknown
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
    runpaths: tuple[str, ...] = ()
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    defined_versions: tuple[str, ...] = ()
    python_symbols: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    problem: str = ""


# Versions that glibc defines besides its numbered ones, and the first release that has each.
_GLIBC_ABI_VERSIONS = {"GLIBC_ABI_DT_RELR": (2, 36), "GLIBC_ABI_GNU2_TLS": (2, 42)}
_SYSTEMS = {"elf": "", "mach-o": "macOS ", "pe": "Windows "}


def parse_symbol_version(name: str) -> tuple[str, tuple[int, ...]] | None:
    """Split the name of a symbol version into its family and number.

    >>> parse_symbol_version("GLIBC_2.17"), parse_symbol_version("GLIBC_PRIVATE")
    (('GLIBC', (2, 17)), None)
    """
    if name in _GLIBC_ABI_VERSIONS:
        return "GLIBC", _GLIBC_ABI_VERSIONS[name]
    match = re.fullmatch(r"([A-Z]+)_([0-9]{1,9}(?:\.[0-9]{1,9})*)", name)
    return (match[1], tuple(map(int, match[2].split(".")))) if match else None


def is_loadable(facts: BinaryFacts) -> bool:
    """Whether the binary is an intact library, extension module or program."""
    return not facts.problem and (facts.format != "elf" or facts.kind in {"shared", "executable"})


def list_machines(binaries: Iterable[BinaryFacts]) -> tuple[str, ...]:
    """List the machines that *binaries* run on: ``x86_64``, ``macOS arm64``, ``Windows i386``.

    Object files and code for processors other than the one that runs Python don't count.
    """
    loadable = filter(is_loadable, binaries)
    return tuple(sorted({f"{_SYSTEMS[facts.format]}{facts.machine}" for facts in loadable}))


def find_required_glibc(binaries: Iterable[BinaryFacts]) -> str:
    """Find the oldest glibc that has every symbol version that *binaries* require.

    :returns: such as ``2.17``; empty if none requires any
    """
    names = {
        name
        for facts in filter(is_loadable, binaries)
        for _, names in facts.versions
        for name in names
    }
    versions = filter(None, map(parse_symbol_version, names))
    newest = max((number for family, number in versions if family == "GLIBC"), default=())
    return ".".join(map(str, newest))


# The first bytes of what is found in place of a shared library.
_OTHER_CONTENTS = {
    b"": "it is empty",
    b"version https://git-lfs": "it is a pointer of Git LFS, not the file itself",
    b"\x1f\x8b": "it is compressed (gzip)",
    b"BZh": "it is compressed (bzip2)",
    b"\xfd7zXZ\0": "it is compressed (xz)",
    b"\x28\xb5\x2f\xfd": "it is compressed (Zstandard)",
    b"PK\x03\x04": "it is a zip archive",
}
_LINKER_SCRIPTS = (b"GNU ld script", b"INPUT", b"GROUP", b"OUTPUT_FORMAT")


def describe_other_content(head: bytes, size: int) -> str | None:
    """Describe a file with the name of a shared library that no native binary is.

    :param head: its first 4096 bytes, or all of a shorter file
    :param size: of the file, in bytes
    :returns: None for a linker script, which only compilers read
    """
    for start, description in _OTHER_CONTENTS.items():
        if head.startswith(start) and (start or not size):
            return description
    if any(word in head[:1024] for word in _LINKER_SCRIPTS):
        return None
    if size < len(head) + 1 and re.fullmatch(rb"[\w.+/-]+", head):
        return f"it is text, {head.decode(errors='replace')!r}: a symbolic link that was not kept"
    return "it is not an ELF file"


# Tables that are read at once are far smaller in real binaries: a header with a larger one is
# damaged or hostile.
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
            self.size: int = len(source)
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
        self.check_range(offset, size, what)
        data = self._slice(offset, size)
        if len(data) != size:
            raise MalformedError(f"{what} lies beyond the end of the file")
        return data

    def check_range(self, offset: int, size: int, what: str) -> None:
        """Check that the file has *size* bytes from *offset*.

        :raises MalformedError: if it is shorter
        """
        if offset < 0 or size < 0 or offset + size > self.size:
            raise MalformedError(f"{what} lies beyond the end of the file")

    def head(self, size: int) -> bytes:
        """Return the first *size* bytes, or all of a shorter file."""
        return self._slice(0, min(size, self.size))

    def _slice(self, offset: int, size: int) -> bytes:
        if self._stream is None:
            return (self._data or b"")[offset : offset + size]
        self._stream.seek(offset)
        return self._stream.read(size)
