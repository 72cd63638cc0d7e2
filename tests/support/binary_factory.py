"""Tiny binaries written from scratch: ELF shared objects, Mach-O and PE headers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.support.elf_factory import ELF_MACHINES, make_elf

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ELF_MACHINES",
    "MACHO_CPUS",
    "PE_MACHINES",
    "make_elf",
    "make_fat_macho",
    "make_macho",
    "make_pe",
]

MACHO_CPUS = {"x86_64": 0x01000007, "arm64": 0x0100000C}
PE_MACHINES = {"amd64": 0x8664, "arm64": 0xAA64, "x86": 0x014C}


def make_macho(cpu: str = "arm64", *, kind: int = 8, libraries: Sequence[str] = ()) -> bytes:
    """A thin 64-bit Mach-O file: header and load commands.

    :param cpu: a key of ``MACHO_CPUS``
    :param kind: 8 bundle (an extension module), 6 dynamic library, 2 executable
    :param libraries: install names of the libraries that it loads
    """
    commands = []
    for name in libraries:
        text = name.encode() + b"\0"
        text += bytes(-len(text) % 8)
        commands.append(struct.pack("<IIIIII", 0xC, 24 + len(text), 24, 2, 0x10000, 0x10000) + text)
    body = b"".join(commands)
    header = struct.pack(
        "<IIIIIIII", 0xFEEDFACF, MACHO_CPUS[cpu], 3, kind, len(commands), len(body), 0x85, 0
    )
    return header + body


def make_fat_macho(cpus: Sequence[str] = ("x86_64", "arm64")) -> bytes:
    """A universal Mach-O file with one thin slice for each CPU."""
    slices = [make_macho(cpu) for cpu in cpus]
    table = bytearray(struct.pack(">II", 0xCAFEBABE, len(slices)))
    content = bytearray()
    for cpu, data in zip(cpus, slices, strict=True):
        offset = 0x1000 + len(content)
        table += struct.pack(">IIIII", MACHO_CPUS[cpu], 3, offset, len(data), 12)
        content += data + bytes(-len(data) % 0x1000)
    return bytes(table) + bytes(0x1000 - len(table)) + bytes(content)


def make_pe(machine: str = "amd64", *, dll: bool = True) -> bytes:
    """The headers of a Windows DLL or program, without sections.

    :param machine: a key of ``PE_MACHINES``
    """
    wide = machine != "x86"
    optional = struct.pack("<H", 0x20B if wide else 0x10B) + bytes(238 if wide else 222)
    characteristics = 0x0022 | (0x2000 if dll else 0)
    coff = struct.pack("<HHIIIHH", PE_MACHINES[machine], 0, 0, 0, 0, len(optional), characteristics)
    stub = b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(0x40)
    return stub + b"PE\0\0" + coff + optional
