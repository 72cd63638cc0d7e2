"""The dynamic section of an ELF file: needed libraries, search paths, symbol versions.

Sources: the System V ABI, chapter 5 ("Dynamic Linking"); the Linux Standard Base, "Symbol
Versioning"; for DT_GNU_HASH, the layout in glibc's ``elf.h`` and its loader.
"""

from __future__ import annotations

import itertools
import re
import struct
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crossdeps.binaries.model import BinaryReader, MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.binaries.model import BinaryFacts

_DT_NULL = 0
_DT_NEEDED = 1
_DT_HASH = 4
_DT_STRTAB = 5
_DT_SYMTAB = 6
_DT_STRSZ = 10
_DT_SONAME = 14
_DT_RPATH = 15
_DT_RUNPATH = 29
_DT_GNU_HASH = 0x6FFFFEF5
_DT_VERDEF = 0x6FFFFFFC
_DT_VERNEED = 0x6FFFFFFE

_VER_FLG_BASE = 1
_VER_FLG_WEAK = 2
_STB_WEAK = 2

# Limits of tables whose length only the file itself states. The largest libraries on PyPI have a
# few hundred entries in each.
_MOST_DYNAMIC_ENTRIES = 4096
_MOST_VERSIONS = 8192
_MOST_SYMBOLS = 1_000_000
_LONGEST_NAME = 4096
# Bytes of a string table that are read at once.
_PIECE = 1 << 20
_LARGE_STRING_TABLE = 4 << 20

# (address, offset, size) of each loaded segment
Loads = list[tuple[int, int, int]]


def read_dynamic(
    reader: BinaryReader, facts: BinaryFacts, offset: int, size: int, loads: Loads
) -> BinaryFacts:
    """Add the contents of the dynamic section to *facts*, or the problems of a damaged one.

    :param offset: of PT_DYNAMIC
    :param size: of PT_DYNAMIC
    """
    try:
        table = _DynamicTable(reader, facts, offset, size, loads)
    except MalformedError as error:
        return replace(facts, problem=str(error))
    problems: dict[str, None] = {}
    for read in (_read_libraries, _read_required, _read_defined, _read_python_symbols):
        try:
            facts = read(table, facts)
        except MalformedError as error:  # noqa: PERF203 - four tables, each read as far as it is valid
            problems[str(error)] = None
    return replace(facts, problem="; ".join(problems))


class _DynamicTable:
    """The entries of a dynamic section, and its strings."""

    def __init__(
        self, reader: BinaryReader, facts: BinaryFacts, offset: int, size: int, loads: Loads
    ) -> None:
        self.reader = reader
        self.order = "<" if facts.little_endian else ">"
        self.wide = facts.bits == 64
        self.machine = facts.machine
        self._loads = loads
        layout = struct.Struct(f"{self.order}{'qQ' if self.wide else 'iI'}")
        count = min(size // layout.size, _MOST_DYNAMIC_ENTRIES)
        data = reader.read(offset, count * layout.size, "the dynamic section")
        self.entries: list[tuple[int, int]] = list(
            itertools.takewhile(lambda entry: entry[0] != _DT_NULL, layout.iter_unpack(data))
        )
        self._strings = _StringTable(reader, self)

    def value(self, tag: int) -> int | None:
        """Return the first value of *tag*."""
        return next((value for entry, value in self.entries if entry == tag), None)

    def values(self, tag: int) -> list[int]:
        return [value for entry, value in self.entries if entry == tag]

    def offset(self, address: int) -> int:
        """Return the file offset of a virtual address."""
        for start, offset, size in self._loads:
            if start <= address < start + size:
                return address - start + offset
        raise MalformedError(f"the address {address:#x} is in no loaded segment")

    def string(self, at: int) -> str:
        return self._strings.read(at).decode("utf-8", "backslashreplace")

    def strings_after(self, prefix: bytes) -> set[str]:
        return self._strings.names_after(prefix)

    def string_starts(self, at: int, prefixes: tuple[bytes, ...]) -> bool:
        return self._strings.head(at, max(map(len, prefixes))).startswith(prefixes)

    def unpack(self, layout: str, offset: int, what: str) -> tuple[int, ...]:
        record = struct.Struct(f"{self.order}{layout}")
        return record.unpack(self.reader.read(offset, record.size, what))


class _StringTable:
    """The strings of a dynamic section, read in pieces: TensorFlow has more than 64 MiB of them."""

    def __init__(self, reader: BinaryReader, table: _DynamicTable) -> None:
        address = table.value(_DT_STRTAB)
        self._reader = reader
        self._size = 0 if address is None else table.value(_DT_STRSZ) or 0
        self._start = 0 if address is None else table.offset(address)
        reader.check_range(self._start, self._size, "the string table")
        self._piece = b""
        self._piece_at = 0

    def head(self, at: int, size: int) -> bytes:
        """Return up to *size* bytes from *at*."""
        start = at - self._piece_at
        if start < 0 or start + min(size, self._size - at) > len(self._piece):
            self._piece_at = at if self._size > _PIECE else 0
            length = max(0, min(_PIECE, self._size - self._piece_at))
            position = self._start + self._piece_at
            self._piece = self._reader.read(position, length, "the string table")
            start = at - self._piece_at
        return self._piece[start : start + size]

    def read(self, at: int) -> bytes:
        """Return the string at *at*.

        :raises MalformedError: if it is outside the table
        """
        if at < self._size:
            text, end, _ = self.head(at, _LONGEST_NAME).partition(b"\0")
            if end:
                return text
        raise MalformedError("a name is outside the string table")

    def names_after(self, prefix: bytes) -> set[str]:
        """Return what follows *prefix* in the strings that have it, at their start or within.

        Linkers let a string be the end of a longer one. Nothing is found in a large table.
        """
        if self._size > _LARGE_STRING_TABLE:
            return set()
        table = self._reader.read(self._start, self._size, "the string table")
        found = re.findall(rb"%s(\w+)\0" % prefix, table) if prefix in table else ()
        return {name.decode("ascii", "replace") for name in found}


def _read_libraries(table: _DynamicTable, facts: BinaryFacts) -> BinaryFacts:
    soname = table.value(_DT_SONAME)
    runpaths = _read_paths(table, _DT_RUNPATH)
    return replace(
        facts,
        soname=None if soname is None else table.string(soname),
        needed=tuple(table.string(at) for at in table.values(_DT_NEEDED)),
        rpaths=() if table.values(_DT_RUNPATH) else _read_paths(table, _DT_RPATH),
        runpaths=runpaths,
    )


def _read_paths(table: _DynamicTable, tag: int) -> tuple[str, ...]:
    texts = (table.string(at) for at in table.values(tag))
    return tuple(part for text in texts for part in text.split(":") if part)


def _chain(table: _DynamicTable, start: int, layout: str, what: str) -> Iterator[tuple[int, ...]]:
    """Yield records linked by a relative offset in their last field, as (offset, *fields)."""
    at = start
    for _ in range(_MOST_VERSIONS):
        fields = table.unpack(layout, at, what)
        yield (at, *fields)
        if not fields[-1]:
            return
        at += fields[-1]
    raise MalformedError(f"{what} is endless")


def _read_required(table: _DynamicTable, facts: BinaryFacts) -> BinaryFacts:
    """Read the symbol versions that the loader requires; a weak one may be missing."""
    address = table.value(_DT_VERNEED)
    if address is None:
        return facts
    versions: dict[str, set[str]] = {}
    seen = 0
    what = "the table of required versions"
    for at, _, count, file, first, _ in _chain(table, table.offset(address), "HHIII", what):
        names = versions.setdefault(table.string(file), set())
        auxiliaries = _chain(table, at + first, "IHHII", what) if count else iter(())
        for _, _, flags, _, name, _ in auxiliaries:
            if not flags & _VER_FLG_WEAK:
                names.add(table.string(name))
            seen += 1
            if seen > _MOST_VERSIONS:
                raise MalformedError(f"{what} is endless")
    required = tuple((file, tuple(sorted(names))) for file, names in sorted(versions.items()))
    return replace(facts, versions=required)


def _read_defined(table: _DynamicTable, facts: BinaryFacts) -> BinaryFacts:
    """Read the symbol versions that the file defines, except its base version, its own name."""
    address = table.value(_DT_VERDEF)
    if address is None:
        return facts
    names = set()
    what = "the table of defined versions"
    for at, _, flags, _, count, _, first, _ in _chain(
        table, table.offset(address), "HHHHIII", what
    ):
        if count and not flags & _VER_FLG_BASE:
            name, _ = table.unpack("II", at + first, what)
            names.add(table.string(name))
    return replace(facts, defined_versions=tuple(sorted(names)))


def _read_python_symbols(table: _DynamicTable, facts: BinaryFacts) -> BinaryFacts:
    symbols = table.value(_DT_SYMTAB)
    if symbols is None:
        return facts
    layout = struct.Struct(f"{table.order}{'IBBHQQ' if table.wide else 'IIIBBH'}")
    info, section = (1, 3) if table.wide else (3, 5)
    data = table.reader.read(
        table.offset(symbols), _undefined_symbols(table) * layout.size, "the symbol table"
    )
    undefined = {
        fields[0]
        for fields in layout.iter_unpack(data)
        if not fields[section] and fields[info] >> 4 != _STB_WEAK
    }
    # In the order of the table, of which a piece is read at a time.
    found = {
        table.string(at) for at in sorted(undefined) if table.string_starts(at, (b"Py", b"_Py"))
    }
    modules = table.strings_after(b"PyInit_") if found else ()
    return replace(facts, python_symbols=tuple(sorted(found)), modules=tuple(sorted(modules)))


def _undefined_symbols(table: _DynamicTable) -> int:
    """Return the number of symbols, from the first, among which the undefined ones are.

    DT_GNU_HASH states the first symbol that can be looked up: all symbols before it are undefined,
    and none after it. DT_HASH states the number of all symbols.
    """
    address = table.value(_DT_HASH)
    if address is not None:
        # Hash words have four bytes, except eight on s390x (ELF supplement for s390x).
        layout = "QQ" if table.wide and table.machine == "s390x" else "II"
        _, count = table.unpack(layout, table.offset(address), "the hash table")
        return min(count, _MOST_SYMBOLS)
    address = table.value(_DT_GNU_HASH)
    if address is None:
        return 0
    _, first = table.unpack("II", table.offset(address), "the hash table")
    return min(first, _MOST_SYMBOLS)
