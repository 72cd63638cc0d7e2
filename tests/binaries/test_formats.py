"""What is a native binary, and which."""

from __future__ import annotations

import struct

import pytest

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.binaries.model import BinaryFacts
from tests.support.binary_factory import make_elf, make_fat_macho, make_macho, make_pe

JAVA_CLASS = bytes.fromhex("cafebabe00000041") + bytes(64)
COFF_OBJECT = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 0, 0) + bytes(64)
NOT_BINARIES = {
    "empty": b"",
    "text": b"import os\n",
    "script": b"#!/usr/bin/env python3\n",
    "static archive": b"!<arch>\n" + bytes(64),
    "COFF object": COFF_OBJECT,
    "Java class": JAVA_CLASS,
    "old Java class": bytes.fromhex("cafebabe0003002d") + bytes(64),
    "universal header without architectures": bytes.fromhex("cafebabe00000000"),
    "text that starts with MZ": b"MZ is not a country code\n" * 10,
    "DOS program": b"MZ" + bytes(58) + struct.pack("<I", 0x40) + b"NE\0\0" + bytes(64),
    "short DOS program": b"MZ",
}


@pytest.mark.parametrize("data", NOT_BINARIES.values(), ids=NOT_BINARIES)
def test_not_a_native_binary(data: bytes) -> None:
    assert read_binary(data) is None


@pytest.mark.parametrize(
    ("data", "machine", "bits"),
    [
        (make_macho("arm64"), "aarch64", 64),
        (make_macho("x86_64"), "x86_64", 64),
        (make_fat_macho(("x86_64", "arm64")), "x86_64+aarch64", 64),
        (bytes.fromhex("feedface00000012") + bytes(24), "ppc", 32),
        (bytes.fromhex("cefaedfe07000000") + bytes(24), "i386", 32),
        (bytes.fromhex("cefaedfe63000000") + bytes(24), "CPU_TYPE_0x63", 32),
    ],
)
def test_macho(data: bytes, machine: str, bits: int) -> None:
    facts = read_binary(data)
    assert facts is not None
    assert (facts.format, facts.machine, facts.bits) == ("mach-o", machine, bits)
    assert not facts.problem


def test_a_universal_file_of_both_widths_has_none() -> None:
    data = struct.pack(">IIIIIIIIIIII", 0xCAFEBABE, 2, 7, 3, 0, 0, 0, 0x01000007, 3, 0, 0, 0)
    facts = read_binary(data)
    assert facts is not None
    assert (facts.machine, facts.bits) == ("i386+x86_64", 0)


@pytest.mark.parametrize(
    ("data", "machine", "bits"),
    [
        (make_pe("amd64"), "x86_64", 64),
        (make_pe("arm64"), "aarch64", 64),
        (make_pe("x86", dll=False), "i386", 32),
    ],
)
def test_pe(data: bytes, machine: str, bits: int) -> None:
    assert read_binary(data) == BinaryFacts(format="pe", machine=machine, bits=bits)


@pytest.mark.parametrize(
    "data",
    [
        make_elf()[:4],
        make_elf()[:19],
        make_elf()[:63],
        make_elf()[:100],
        make_elf(section_headers=False)[:-400],
        make_elf(section_headers=False)[:-1],
        make_macho()[:6],
        make_fat_macho()[:20],
        make_pe()[: 0x80 + 8],
    ],
)
def test_what_is_cut_short_has_a_problem(data: bytes) -> None:
    facts = read_binary(data)
    assert facts is not None
    assert "beyond the end" in facts.problem


@pytest.mark.parametrize(
    "data", [make_elf(), make_macho(), make_fat_macho(), make_pe(), make_elf()[:4]]
)
def test_the_head_of_a_binary_is_known(data: bytes) -> None:
    assert is_binary_head(data[:4])
    assert is_binary_head(data[:8])


@pytest.mark.parametrize("head", [JAVA_CLASS[:8], b"!<arch>\n", b"", b"M", b"\x7fEL", COFF_OBJECT])
def test_the_head_of_something_else_is_not(head: bytes) -> None:
    assert not is_binary_head(head)


def test_four_bytes_leave_a_java_class_open() -> None:
    assert is_binary_head(JAVA_CLASS[:4])
