"""ELF files: the header, the segments, and what the dynamic loader will look for.

Everything is found by program headers and PT_DYNAMIC, as the loader does, so stripped section
headers don't matter. Read by ``struct`` rather than by a general library: one pass over the few
tables that matter is some fifty times faster on large libraries, and every loop has a bound.

Sources: the System V ABI (generic part, chapters 4 and 5), its supplements for each machine, and
the Linux Standard Base, "Symbol Versioning".
"""

from __future__ import annotations

import dataclasses
import struct
from typing import BinaryIO

from crossdeps.binaries.elf_dynamic import read_dynamic
from crossdeps.binaries.model import BinaryFacts, MalformedError, Window

ELF_MAGIC = b"\x7fELF"

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
# A program header count of 0xffff means that the real one is elsewhere; no shared object has as
# many segments.
_MOST_SEGMENTS = 0xFFFE
_LONGEST_INTERPRETER = 4096


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One program header."""

    type: int
    offset: int
    address: int
    size: int


def read_elf(window: Window) -> BinaryFacts:
    """The facts of an ELF file, as many as can be read."""
    identification = window.head(16)
    wide = identification[4:5] == b"\x02"
    order = ">" if identification[5:6] == b"\x02" else "<"
    facts = BinaryFacts(format="elf", machine="unknown", bits=0)
    try:
        facts = _read_header(window, facts, identification)
        segments = _read_segments(window, order=order, wide=wide)
        facts = dataclasses.replace(facts, interpreter=_read_interpreter(window, segments))
        loads = [(s.address, s.offset, s.size) for s in segments if s.type == _PT_LOAD]
        for segment in segments:
            if segment.type == _PT_DYNAMIC and segment.size:
                place = (segment.offset, segment.size)
                facts = read_dynamic(window, facts, place, loads)
                break
    except MalformedError as error:
        return dataclasses.replace(facts, problem=str(error))
    if not facts.problem and any(start + size > window.size for _, start, size in loads):
        cut = "a segment that is loaded lies beyond the end of the file"
        return dataclasses.replace(facts, problem=cut)
    return facts


def _read_header(window: Window, facts: BinaryFacts, identification: bytes) -> BinaryFacts:
    header = window.read(0, 20, "the ELF header")
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
    return dataclasses.replace(
        facts,
        machine=name,
        bits=bits,
        kind=_KINDS.get(kind, f"ET_{kind:#x}"),
        little_endian=little_endian,
    )


def _read_segments(window: Window, *, order: str, wide: bool) -> list[Segment]:
    if wide:
        header = window.read(0, 64, "the ELF header")
        (start,) = struct.unpack_from(f"{order}Q", header, 32)
        entry_size, count = struct.unpack_from(f"{order}HH", header, 54)
        layout = struct.Struct(f"{order}IIQQQQQQ")
    else:
        header = window.read(0, 52, "the ELF header")
        (start,) = struct.unpack_from(f"{order}I", header, 28)
        entry_size, count = struct.unpack_from(f"{order}HH", header, 42)
        layout = struct.Struct(f"{order}IIIIIIII")
    if not count:
        return []
    if count > _MOST_SEGMENTS or entry_size < layout.size:
        raise MalformedError(f"{count} program headers of {entry_size} bytes each")
    table = window.read(start, count * entry_size, "the program header table")
    segments = []
    for at in range(0, len(table), entry_size):
        fields = layout.unpack_from(table, at)
        if wide:
            kind, _, offset, address, _, size = fields[:6]
        else:
            kind, offset, address, _, size = fields[:5]
        segments.append(Segment(type=kind, offset=offset, address=address, size=size))
    return segments


def _read_interpreter(window: Window, segments: list[Segment]) -> str | None:
    for segment in segments:
        if segment.type == _PT_INTERP and segment.size:
            size = min(segment.size, _LONGEST_INTERPRETER)
            data = window.read(segment.offset, size, "the interpreter's path")
            return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
    return None


# (byte order, bits) of a thin file by its first four bytes.
_THIN = {
    b"\xfe\xed\xfa\xce": (">", 32),
    b"\xfe\xed\xfa\xcf": (">", 64),
    b"\xce\xfa\xed\xfe": ("<", 32),
    b"\xcf\xfa\xed\xfe": ("<", 64),
}
# Size of one architecture's record in a universal file, which is always big-endian.
_FAT = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}
# A Java class file has its version where a universal file has the number of architectures; the
# oldest class file version is 45, and no universal file has ever held so many.
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


def is_macho_head(head: bytes) -> bool:
    """Whether *head* starts a Mach-O file rather than, say, a Java class."""
    magic = head[:4]
    if magic in _THIN:
        return True
    if magic not in _FAT:
        return False
    count = head[4:8]
    return len(count) < 4 or 0 < int.from_bytes(count, "big") < _FIRST_JAVA_VERSION


def read_macho(window: Window) -> BinaryFacts:
    """The machines and class of a Mach-O file."""
    magic = window.head(4)
    if magic in _FAT:
        return _read_fat(window, _FAT[magic])
    order, bits = _THIN[magic]
    little_endian = order == "<"
    try:
        (cpu,) = struct.unpack(f"{order}I", window.read(4, 4, "the Mach-O header"))
    except MalformedError as error:
        return BinaryFacts(
            format="mach-o",
            machine="unknown",
            bits=bits,
            little_endian=little_endian,
            problem=str(error),
        )
    return BinaryFacts(
        format="mach-o", machine=_machine(cpu), bits=bits, little_endian=little_endian
    )


def _read_fat(window: Window, record_size: int) -> BinaryFacts:
    try:
        (count,) = struct.unpack(">I", window.read(4, 4, "the universal header"))
        table = window.read(8, count * record_size, "the table of architectures")
    except MalformedError as error:
        return BinaryFacts(format="mach-o", machine="unknown", bits=0, problem=str(error))
    cpus = [
        int.from_bytes(table[start : start + 4], "big")
        for start in range(0, len(table), record_size)
    ]
    widths = {64 if cpu & _ABI_64 else 32 for cpu in cpus}
    return BinaryFacts(
        format="mach-o",
        machine="+".join(dict.fromkeys(_machine(cpu) for cpu in cpus)),
        bits=widths.pop() if len(widths) == 1 else 0,
    )


def _machine(cpu: int) -> str:
    return _MACHO_MACHINES.get(cpu, f"CPU_TYPE_{cpu:#x}")


PE_MAGIC = b"MZ"

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


def read_pe(window: Window) -> BinaryFacts | None:
    """The machine and class of a PE file; None where ``MZ`` starts something else."""
    try:
        (header,) = struct.unpack("<I", window.read(0x3C, 4, "the PE offset"))
        signature, machine = struct.unpack("<4sH", window.read(header, 6, "the PE header"))
    except MalformedError:
        return None
    if signature != b"PE\0\0":
        return None
    name = _PE_MACHINES.get(machine, f"IMAGE_FILE_MACHINE_{machine:#06x}")
    try:
        (magic,) = struct.unpack("<H", window.read(header + 24, 2, "the optional header"))
    except MalformedError as error:
        return BinaryFacts(format="pe", machine=name, bits=0, problem=str(error))
    return BinaryFacts(format="pe", machine=name, bits=_BITS.get(magic, 0))


HEAD_SIZE = 8


def is_binary_head(head: bytes) -> bool:
    """Whether a file that starts with *head* may be a native binary, and is worth reading.

    :param head: the first bytes; four decide all but one case, eight decide that too: a Java class
        file starts with the magic number of a universal Mach-O file
    """
    return head.startswith((ELF_MAGIC, PE_MAGIC)) or is_macho_head(head)


def read_binary(source: bytes | BinaryIO) -> BinaryFacts | None:
    """The facts of a native binary, or None where the bytes aren't one.

    Static archives, COFF objects, Java classes and a text that happens to start with ``MZ``
    aren't native binaries. Damaged ones are, with the damage in ``problem``.

    :param source: the whole bytes, or a seekable stream, which is read only where needed, from its
        very start whatever its position
    """
    window = Window(source)
    head = window.head(HEAD_SIZE)
    if head.startswith(ELF_MAGIC):
        return read_elf(window)
    if is_macho_head(head):
        return read_macho(window)
    if head.startswith(PE_MAGIC):
        return read_pe(window)
    return None
