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

from crossdeps.binaries.dynamic import read_dynamic
from crossdeps.binaries.model import BinaryFacts
from crossdeps.binaries.window import MalformedError, Window

MAGIC = b"\x7fELF"

_KINDS = {1: "relocatable", 2: "executable", 3: "shared", 4: "core"}
_MACHINES = {
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
    name = _MACHINES.get(machine, f"EM_{machine}")
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
