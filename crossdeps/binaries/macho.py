"""Apple's Mach-O files, thin and universal. Source: ``mach-o/loader.h`` and ``mach-o/fat.h``."""

from __future__ import annotations

import struct

from crossdeps.binaries.model import BinaryFacts
from crossdeps.binaries.window import MalformedError, Window

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
_MACHINES = {
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
    return _MACHINES.get(cpu, f"CPU_TYPE_{cpu:#x}")
