"""Windows' PE files. Source: Microsoft's "PE Format" specification."""

from __future__ import annotations

import struct

from crossdeps.binaries.model import BinaryFacts
from crossdeps.binaries.window import MalformedError, Window

MAGIC = b"MZ"

_MACHINES = {
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
    name = _MACHINES.get(machine, f"IMAGE_FILE_MACHINE_{machine:#06x}")
    try:
        (magic,) = struct.unpack("<H", window.read(header + 24, 2, "the optional header"))
    except MalformedError as error:
        return BinaryFacts(format="pe", machine=name, bits=0, problem=str(error))
    return BinaryFacts(format="pe", machine=name, bits=_BITS.get(magic, 0))
