"""Tiny real ELF shared objects, written from scratch.

ELF as the System V ABI and the Linux Standard Base (symbol versioning) have it; the shared objects
are complete enough for a dynamic loader to load. No code is inside: there is nothing to run.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ELF_MACHINES = {"x86_64": 62, "aarch64": 183, "i386": 3, "armv7l": 40, "ppc64le": 21, "s390x": 22}
_DYNAMIC_TAGS = {
    "NEEDED": 1,
    "HASH": 4,
    "STRTAB": 5,
    "SYMTAB": 6,
    "STRSZ": 10,
    "SYMENT": 11,
    "SONAME": 14,
    "RPATH": 15,
    "RUNPATH": 29,
    "VERSYM": 0x6FFFFFF0,
    "VERDEF": 0x6FFFFFFC,
    "VERDEFNUM": 0x6FFFFFFD,
    "VERNEED": 0x6FFFFFFE,
    "VERNEEDNUM": 0x6FFFFFFF,
}


@dataclass(slots=True)
class _Strings:
    """A string table: offsets of texts, each written once."""

    data: bytearray = field(default_factory=lambda: bytearray(b"\0"))
    offsets: dict[str, int] = field(default_factory=lambda: {"": 0})

    def add(self, text: str) -> int:
        if text not in self.offsets:
            self.offsets[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return self.offsets[text]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Section:
    name: str
    kind: int
    data: bytes
    link: int = 0
    info: int = 0
    entry_size: int = 0
    flags: int = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """Word size and byte order, and the record shapes that follow from them."""

    bits: int
    little: bool
    hash_word: str = "I"

    def pack(self, wide: str, *values: int) -> bytes:
        """Pack *values*; ``w`` in the format is an address-sized word."""
        form = wide.replace("w", "Q" if self.bits == 64 else "I")
        return struct.pack(("<" if self.little else ">") + form, *values)

    def symbol(self, name: int, info: int, *, defined: bool = False) -> bytes:
        section, value = (1, self.header_size) if defined else (0, 0)
        if self.bits == 64:
            return self.pack("IBBHQQ", name, info, 0, section, value, 0)
        return self.pack("IIIBBH", name, value, 0, info, 0, section)

    def segment(self, kind: int, flags: int, place: int, size: int, align: int) -> bytes:
        if self.bits == 64:
            return self.pack("IIQQQQQQ", kind, flags, place, place, place, size, size, align)
        return self.pack("IIIIIIII", kind, place, place, place, size, size, flags, align)

    @property
    def header_size(self) -> int:
        return 64 if self.bits == 64 else 52

    @property
    def segment_size(self) -> int:
        return 56 if self.bits == 64 else 32

    @property
    def symbol_size(self) -> int:
        return 24 if self.bits == 64 else 16


def make_elf(
    machine: str = "x86_64",
    *,
    bits: int = 64,
    little_endian: bool = True,
    glibc: str | None = "2.17",
    needed: Sequence[str] = (),
    versions: Mapping[str, Sequence[str]] = {},
    exports: Sequence[str] = (),
    defines: Sequence[str] = (),
    imports: Sequence[str] = (),
    weak_imports: Sequence[str] = (),
    soname: str | None = None,
    rpath: str | None = None,
    runpath: str | None = None,
    osabi: int = 0,
    kind: int = 3,
    flags: int = 0,
    section_headers: bool = True,
    string_padding: int = 0,
) -> bytes:
    """A shared object without code.

    :param machine: a key of ``ELF_MACHINES``
    :param glibc: the newest glibc symbol version needed, from ``libc.so.6``; ``None``: no libc
    :param needed: libraries needed, besides those of *versions*
    :param versions: library -> symbol versions needed from it, such as ``GLIBCXX_3.4.21``
    :param exports: defined symbols, such as ``PyInit_speedups``
    :param defines: symbol versions that it defines, besides its base version
    :param imports: undefined symbols without a version
    :param weak_imports: the same, which may be missing
    :param kind: 3 shared object, 2 executable, 1 relocatable, 4 core
    :param section_headers: without them only the dynamic segment tells, as after ``sstrip``
    :param string_padding: unused bytes of the string table, before all its names
    """
    hash_word = "Q" if (machine, bits) == ("s390x", 64) else "I"  # the s390x supplement says so
    layout = _Layout(bits=bits, little=little_endian, hash_word=hash_word)
    wanted = {library: tuple(names) for library, names in versions.items()}
    if glibc is not None:
        wanted["libc.so.6"] = (*wanted.get("libc.so.6", ()), f"GLIBC_{glibc}")
    strings = _Strings()
    strings.data += bytes(string_padding)
    sections = _dynamic_sections(
        layout, strings, wanted, tuple(exports), (tuple(imports), tuple(weak_imports))
    )
    if defines:
        data = _version_definitions(layout, [strings.add(name) for name in ("base", *defines)])
        sections.append(
            _Section(
                name=".gnu.version_d",
                kind=0x6FFFFFFD,
                data=data,
                link=len(sections) + 1,
                info=1 + len(defines),
            )
        )
    entries = [("NEEDED", strings.add(name)) for name in dict.fromkeys((*needed, *wanted))]
    texts = {"SONAME": soname, "RPATH": rpath, "RUNPATH": runpath}
    entries += [(tag, strings.add(text)) for tag, text in texts.items() if text is not None]
    sections.append(_Section(name=".dynstr", kind=3, data=bytes(strings.data)))
    placed, end = _place(layout, sections)
    addresses = {section.name: offset for section, offset in placed}
    entries += _table_entries(layout, addresses, len(strings.data), len(wanted))
    if defines:
        entries += [("VERDEF", addresses[".gnu.version_d"]), ("VERDEFNUM", 1 + len(defines))]
    dynamic = _Section(
        name=".dynamic",
        kind=6,
        data=b"".join(
            layout.pack("ww", _DYNAMIC_TAGS.get(tag, 0), value)
            for tag, value in (*entries, ("", 0))
        ),
        link=len(sections),
        entry_size=bits // 4,
    )
    placed.append((dynamic, end))
    ident = b"\x7fELF" + bytes([bits // 32, 1 if little_endian else 2, 1, osabi]) + bytes(8)
    numbers = (kind, ELF_MACHINES[machine], flags)
    return _assemble(layout, ident, numbers, placed, section_headers=section_headers)


def _dynamic_sections(
    layout: _Layout,
    strings: _Strings,
    versions: Mapping[str, tuple[str, ...]],
    exports: tuple[str, ...],
    imports: tuple[tuple[str, ...], tuple[str, ...]],
) -> list[_Section]:
    """.dynsym, .hash and, where versions are needed, .gnu.version and .gnu.version_r."""
    symbols = [layout.symbol(0, 0)]
    indexes = [0]
    needs = []
    number = 2
    for library, names in versions.items():
        auxiliary = []
        for name in names:
            placeholder = strings.add("needs_" + name.lower().replace(".", "_"))
            symbols.append(layout.symbol(placeholder, 0x22))  # weak: loads without it
            indexes.append(number)
            auxiliary.append((_elf_hash(name), number, strings.add(name)))
            number += 1
        needs.append((strings.add(library), auxiliary))
    for info, names in zip((0x10, 0x20), imports, strict=True):  # global, weak
        for name in names:
            symbols.append(layout.symbol(strings.add(name), info))
            indexes.append(1)
    for name in exports:
        symbols.append(layout.symbol(strings.add(name), 0x12, defined=True))
        indexes.append(1)
    count = len(symbols)
    chain = [0, *range(2, count), 0] if count > 1 else [0]
    hashed = layout.pack(f"{3 + len(chain)}{layout.hash_word}", 1, count, min(1, count - 1), *chain)
    string_index = 5 if needs else 3
    sections = [
        _Section(
            name=".dynsym",
            kind=11,
            data=b"".join(symbols),
            link=string_index,
            info=1,
            entry_size=layout.symbol_size,
        ),
        _Section(name=".hash", kind=5, data=hashed, link=1, entry_size=4),
    ]
    if needs:
        table = layout.pack(f"{count}H", *indexes)
        sections += [
            _Section(name=".gnu.version", kind=0x6FFFFFFF, data=table, link=1, entry_size=2),
            _Section(
                name=".gnu.version_r",
                kind=0x6FFFFFFE,
                data=_version_needs(layout, needs),
                link=string_index,
                info=len(needs),
            ),
        ]
    return sections


def _version_needs(layout: _Layout, needs: list[tuple[int, list[tuple[int, int, int]]]]) -> bytes:
    table = bytearray()
    for position, (library, auxiliary) in enumerate(needs):
        following = 16 * (1 + len(auxiliary)) if position + 1 < len(needs) else 0
        table += layout.pack("HHIII", 1, len(auxiliary), library, 16, following)
        for index, (digest, number, name) in enumerate(auxiliary):
            step = 16 if index + 1 < len(auxiliary) else 0
            table += layout.pack("IHHII", digest, 0, number, name, step)
    return bytes(table)


def _version_definitions(layout: _Layout, names: list[int]) -> bytes:
    """The table of the versions with *names*, of which the first is the base version."""
    table = bytearray()
    for number, name in enumerate(names, 1):
        following = 28 if number < len(names) else 0
        table += layout.pack("HHHHIII", 1, number == 1, number, 1, 0, 20, following)
        table += layout.pack("II", name, 0)
    return bytes(table)


def _elf_hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value


def _place(layout: _Layout, sections: list[_Section]) -> tuple[list[tuple[_Section, int]], int]:
    """Each section with its offset, and where the next one would go; addresses are offsets."""
    position = layout.header_size + 3 * layout.segment_size
    placed = []
    for section in sections:
        position = -(-position // 8) * 8
        placed.append((section, position))
        position += len(section.data)
    return placed, -(-position // 8) * 8


def _table_entries(
    layout: _Layout, addresses: Mapping[str, int], strings_size: int, libraries: int
) -> list[tuple[str, int]]:
    entries = [
        ("HASH", addresses[".hash"]),
        ("STRTAB", addresses[".dynstr"]),
        ("SYMTAB", addresses[".dynsym"]),
        ("STRSZ", strings_size),
        ("SYMENT", layout.symbol_size),
    ]
    if libraries:
        entries += [
            ("VERSYM", addresses[".gnu.version"]),
            ("VERNEED", addresses[".gnu.version_r"]),
            ("VERNEEDNUM", libraries),
        ]
    return entries


def _assemble(
    layout: _Layout,
    ident: bytes,
    numbers: tuple[int, int, int],
    placed: list[tuple[_Section, int]],
    *,
    section_headers: bool,
) -> bytes:
    names = _Strings()
    listed = [*placed]
    last, offset = placed[-1]
    end = offset + len(last.data)
    if section_headers:
        for section, _ in placed:
            names.add(section.name)
        names.add(".shstrtab")
        table = _Section(name=".shstrtab", kind=3, data=bytes(names.data), flags=0)
        listed.append((table, end))
        end += len(table.data)
    headers_at = -(-end // 8) * 8
    kind, machine, flags = numbers
    count = len(listed) + 1 if section_headers else 0
    header = ident + layout.pack(
        "HHIwwwIHHHHHH",
        kind,
        machine,
        1,
        0,
        layout.header_size,
        headers_at if section_headers else 0,
        flags,
        layout.header_size,
        layout.segment_size,
        3,
        64 if layout.bits == 64 else 40,
        count,
        max(0, count - 1),
    )
    segments = (
        layout.segment(1, 6, 0, offset + len(last.data), 0x1000),  # PT_LOAD
        layout.segment(2, 6, offset, len(last.data), 8),  # PT_DYNAMIC
        layout.segment(0x6474E551, 6, 0, 0, 16),  # PT_GNU_STACK
    )
    image = bytearray(header + b"".join(segments))
    for section, place in listed:
        image += bytes(place - len(image)) + section.data
    if section_headers:
        image += bytes(headers_at - len(image)) + layout.pack("IIwwwwIIww", *[0] * 10)
        for section, place in listed:
            address = place if section.flags else 0
            image += layout.pack(
                "IIwwwwIIww",
                names.offsets[section.name],
                section.kind,
                section.flags,
                address,
                place,
                len(section.data),
                section.link,
                section.info,
                8,
                section.entry_size,
            )
    return bytes(image)
