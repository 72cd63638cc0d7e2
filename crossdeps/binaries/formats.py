"""Native binaries: reading ELF, Mach-O and PE files.

ELF files are read by their program headers and PT_DYNAMIC, as the loader does, so that section
headers may be stripped. One pass over the few relevant tables with ``struct`` is about fifty times
faster on large libraries than a general ELF library, and every loop is bounded.

Sources: the System V ABI (generic part, chapters 4 and 5) and its supplements for each machine;
Apple's ``mach-o/loader.h`` and ``mach-o/fat.h``; Microsoft's "PE Format".
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from crossdeps.binaries.elf_dynamic import read_dynamic
from crossdeps.binaries.model import BinaryFacts, BinaryReader, MalformedError

_ELF_MAGIC = b"\x7fELF"
_PE_MAGIC = b"MZ"
_HEAD_SIZE = 8


def is_binary_head(head: bytes) -> bool:
    """Whether a file that starts with *head* may be a native binary.

    :param head: the first 8 bytes; 4 are enough except to tell a Java class file from a universal
        Mach-O file
    """
    return head.startswith((_ELF_MAGIC, _PE_MAGIC)) or _is_macho(head)


def read_binary(source: bytes | BinaryIO) -> BinaryFacts | None:
    """Read a native binary; None if it is not one.

    Static archives, COFF objects, Java classes and text that happens to start with ``MZ`` are not
    native binaries. A damaged binary is one, with its damage in ``problem``.

    :param source: all bytes, or a seekable stream, whose position is ignored
    """
    reader = BinaryReader(source)
    head = reader.head(_HEAD_SIZE)
    if head.startswith(_ELF_MAGIC):
        return _read_elf(reader)
    if _is_macho(head):
        return _read_macho(reader)
    if head.startswith(_PE_MAGIC):
        return _read_pe(reader)
    return None


_KINDS = {1: "relocatable", 2: "executable", 3: "shared", 4: "core"}
_ELF_MACHINES = {
    2: "sparc",
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    43: "sparcv9",
    50: "ia64",
    62: "x86_64",
    183: "aarch64",
    190: "cuda",
    224: "amdgpu",
    243: "riscv",
    247: "bpf",
    258: "loongarch",
}
_PT_DYNAMIC = 2
_PT_INTERP = 3
_PT_LOAD = 1
# A program header count of 0xffff means that the real count is elsewhere; no shared object has so
# many segments.
_MOST_SEGMENTS = 0xFFFE
_LONGEST_INTERPRETER = 4096


class _Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A program header."""

    type: int
    offset: int
    address: int
    size: int


def _read_elf(reader: BinaryReader) -> BinaryFacts:
    """Read as much of an ELF file as is valid."""
    identification = reader.head(16)
    wide = identification[4:5] == b"\x02"
    order = ">" if identification[5:6] == b"\x02" else "<"
    facts = BinaryFacts(format="elf", machine="unknown", bits=0)
    try:
        facts = _read_header(reader, facts, identification)
        segments = _read_segments(reader, order=order, wide=wide)
        facts = replace(facts, interpreter=_read_interpreter(reader, segments))
        loads = [(s.address, s.offset, s.size) for s in segments if s.type == _PT_LOAD]
        for segment in segments:
            if segment.type == _PT_DYNAMIC and segment.size:
                facts = read_dynamic(reader, facts, segment.offset, segment.size, loads)
                break
    except MalformedError as error:
        return replace(facts, problem=str(error))
    if not facts.problem and any(start + size > reader.size for _, start, size in loads):
        return replace(facts, problem="a loaded segment lies beyond the end of the file")
    return facts


def _read_header(reader: BinaryReader, facts: BinaryFacts, identification: bytes) -> BinaryFacts:
    header = reader.read(0, 20, "the ELF header")
    if identification[4] not in {1, 2}:
        raise MalformedError(f"the ELF class is {identification[4]}, neither 32-bit nor 64-bit")
    if identification[5] not in {1, 2}:
        raise MalformedError(f"the ELF byte order is {identification[5]}, neither little nor big")
    little_endian = identification[5] == 1
    bits = 32 * identification[4]
    kind, machine = struct.unpack_from("<HH" if little_endian else ">HH", header, 16)
    name = _ELF_MACHINES.get(machine, f"EM_{machine}")
    if name == "ppc64" and little_endian:
        name = "ppc64le"
    elif name in {"riscv", "loongarch"}:
        name = f"{name}{bits}"
    return replace(
        facts,
        machine=name,
        bits=bits,
        kind=_KINDS.get(kind, f"ET_{kind:#x}"),
        little_endian=little_endian,
    )


def _read_segments(reader: BinaryReader, *, order: str, wide: bool) -> list[_Segment]:
    if wide:
        header = reader.read(0, 64, "the ELF header")
        (start,) = struct.unpack_from(f"{order}Q", header, 32)
        entry_size, count = struct.unpack_from(f"{order}HH", header, 54)
        layout = struct.Struct(f"{order}IIQQQQQQ")
    else:
        header = reader.read(0, 52, "the ELF header")
        (start,) = struct.unpack_from(f"{order}I", header, 28)
        entry_size, count = struct.unpack_from(f"{order}HH", header, 42)
        layout = struct.Struct(f"{order}IIIIIIII")
    if not count:
        return []
    if count > _MOST_SEGMENTS or entry_size < layout.size:
        raise MalformedError(f"{count} program headers of {entry_size} bytes each")
    table = reader.read(start, count * entry_size, "the program header table")
    segments = []
    for at in range(0, len(table), entry_size):
        fields = layout.unpack_from(table, at)
        if wide:
            kind, _, offset, address, _, size = fields[:6]
        else:
            kind, offset, address, _, size = fields[:5]
        segments.append(_Segment(type=kind, offset=offset, address=address, size=size))
    return segments


def _read_interpreter(reader: BinaryReader, segments: list[_Segment]) -> str | None:
    for segment in segments:
        if segment.type == _PT_INTERP and segment.size:
            size = min(segment.size, _LONGEST_INTERPRETER)
            data = reader.read(segment.offset, size, "the interpreter's path")
            return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
    return None


# Byte order and bits of a Mach-O file for one architecture, by its magic number
_THIN = {
    b"\xfe\xed\xfa\xce": (">", 32),
    b"\xfe\xed\xfa\xcf": (">", 64),
    b"\xce\xfa\xed\xfe": ("<", 32),
    b"\xcf\xfa\xed\xfe": ("<", 64),
}
# Size of the record of each architecture in a universal file, which is always big-endian
_FAT = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}
# A Java class file has the magic number of a universal file, and its version in place of the number
# of architectures. The oldest class file version is 45; no universal file has so many.
_FIRST_JAVA_VERSION = 45

_ABI_64 = 0x0100_0000
_MACHO_MACHINES = {
    7: "i386",
    7 | _ABI_64: "x86_64",
    12: "arm",
    12 | _ABI_64: "aarch64",
    12 | 0x0200_0000: "arm64_32",
    18: "ppc",
    18 | _ABI_64: "ppc64",
}


def _is_macho(head: bytes) -> bool:
    """Whether a file that starts with *head* is a Mach-O file."""
    magic = head[:4]
    if magic in _THIN:
        return True
    if magic not in _FAT:
        return False
    count = head[4:8]
    return len(count) < 4 or 0 < int.from_bytes(count, "big") < _FIRST_JAVA_VERSION


def _read_macho(reader: BinaryReader) -> BinaryFacts:
    """Read machines and bits of a Mach-O file."""
    magic = reader.head(4)
    order, bits = _THIN.get(magic, ("<", 0))
    facts = BinaryFacts(format="mach-o", machine="unknown", bits=bits, little_endian=order == "<")
    try:
        if magic in _FAT:
            cpus = _read_fat(reader, _FAT[magic])
        else:
            cpus = struct.unpack(f"{order}I", reader.read(4, 4, "the Mach-O header"))
    except MalformedError as error:
        return replace(facts, problem=str(error))
    widths = {64 if cpu & _ABI_64 else 32 for cpu in cpus}
    return replace(
        facts,
        machine="+".join(dict.fromkeys(_machine(cpu) for cpu in cpus)),
        bits=bits or (widths.pop() if len(widths) == 1 else 0),
    )


def _read_fat(reader: BinaryReader, record_size: int) -> tuple[int, ...]:
    """Return the CPU type of each architecture in a universal file."""
    (count,) = struct.unpack(">I", reader.read(4, 4, "the universal header"))
    table = reader.read(8, count * record_size, "the table of architectures")
    return tuple(
        int.from_bytes(table[start : start + 4], "big")
        for start in range(0, len(table), record_size)
    )


def _machine(cpu: int) -> str:
    return _MACHO_MACHINES.get(cpu, f"CPU_TYPE_{cpu:#x}")


_PE_MACHINES = {
    0x014C: "i386",
    0x01C0: "arm",
    0x01C4: "arm",
    0x0200: "ia64",
    0x8664: "x86_64",
    0xA641: "arm64ec",
    0xAA64: "aarch64",
}
_BITS = {0x10B: 32, 0x20B: 64}


def _read_pe(reader: BinaryReader) -> BinaryFacts | None:
    """Read machine and bits of a PE file; None if ``MZ`` starts another file."""
    try:
        (header,) = struct.unpack("<I", reader.read(0x3C, 4, "the PE offset"))
        signature, machine = struct.unpack("<4sH", reader.read(header, 6, "the PE header"))
    except MalformedError:
        return None
    if signature != b"PE\0\0":
        return None
    name = _PE_MACHINES.get(machine, f"IMAGE_FILE_MACHINE_{machine:#06x}")
    try:
        (magic,) = struct.unpack("<H", reader.read(header + 24, 2, "the optional header"))
    except MalformedError as error:
        return BinaryFacts(format="pe", machine=name, bits=0, problem=str(error))
    return BinaryFacts(format="pe", machine=name, bits=_BITS.get(magic, 0))
