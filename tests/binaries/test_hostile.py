"""The readers are total: no bytes make them raise, hang or take much memory."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossdeps.binaries.formats import is_binary_head, read_binary
from tests.support.binary_factory import make_elf, make_fat_macho, make_macho, make_pe
from tests.support.growth import CountingStream

ELF = make_elf(
    versions={"libstdc++.so.6": ["GLIBCXX_3.4.21", "CXXABI_1.3"]},
    imports=["PyList_New"],
    soname="x.so",
    runpath="$ORIGIN",
    section_headers=False,
)
SAMPLES = [
    ELF,
    make_elf("s390x", bits=64, little_endian=False, imports=["PyList_New"]),
    make_elf("i386", bits=32),
    make_macho(),
    make_fat_macho(),
    make_pe(),
]
MAGICS = [b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf", b"\xcf\xfa\xed\xfe"]
_AFTER_HEADERS = 64 + 3 * 56


@given(st.sampled_from(MAGICS), st.binary(max_size=400))
@example(b"\x7fELF", b"\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + b"\xff" * 60)
def test_any_bytes_behind_a_magic_number(magic: bytes, rest: bytes) -> None:
    facts = read_binary(magic + rest)
    assert facts is None or facts.machine


@given(st.binary(max_size=64))
def test_a_binary_has_the_head_of_one(data: bytes) -> None:
    if read_binary(data) is not None:
        assert is_binary_head(data[:8])


@settings(max_examples=400)
@given(st.sampled_from(SAMPLES), st.data())
def test_damage_anywhere(sample: bytes, data: st.DataObject) -> None:
    """Bytes overwritten and the end cut off."""
    damaged = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        width = data.draw(st.sampled_from([1, 2, 4, 8]))
        at = data.draw(st.integers(4, max(4, min(len(damaged) - width, 2000))))
        value = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
        damaged[at : at + width] = bytes([value]) * width
    cut = data.draw(st.integers(0, len(damaged)))
    read_binary(bytes(damaged))
    read_binary(bytes(damaged[:cut]))


def replaced(old: bytes, new: bytes) -> bytes:
    assert ELF.count(old) >= 1
    return ELF.replace(old, new, 1)


def _dynamic(tag: int) -> int:
    """Where the value of a dynamic entry lies in the sample."""
    offset, size = struct.unpack_from("<QQQQ", ELF, 64 + 56 + 8)[0::3]
    for at in range(offset, offset + size, 16):
        if struct.unpack_from("<q", ELF, at)[0] == tag:
            return at + 8
    raise AssertionError(tag)


def with_value(tag: int, value: int) -> bytes:
    data = bytearray(ELF)
    struct.pack_into("<Q", data, _dynamic(tag), value)
    return bytes(data)


def endless_versions() -> bytes:
    """Each record of the version table names the next one, to the end of a large file."""
    table = struct.unpack_from("<Q", ELF, _dynamic(0x6FFFFFFE))[0]
    data = bytearray(ELF)
    struct.pack_into("<HHIII", data, table, 1, 1, 1, 16, 0)
    grown = bytes(data) + struct.pack("<IHHII", 1, 0, 1, 1, 16) * 200_000
    segment = bytearray(grown)
    struct.pack_into("<Q", segment, 64 + 32, len(grown))  # PT_LOAD reaches the new end
    struct.pack_into("<I", segment, table + 8, len(ELF) - table)
    return bytes(segment)


HOSTILE = {
    "string table beyond the end": with_value(5, 2**62),
    "string table of 2^60 bytes": with_value(10, 2**60),
    "symbol table outside every segment": with_value(6, 2**40),
    "version table outside every segment": with_value(0x6FFFFFFE, 2**40),
    "needed name outside the string table": with_value(1, 2**31),
    "soname outside the string table": with_value(14, 2**31),
    "program headers beyond the end": ELF[:32] + struct.pack("<Q", 2**63) + ELF[40:],
    "program headers of no size": ELF[:54] + struct.pack("<H", 0) + ELF[56:],
    "65535 program headers": ELF[:56] + struct.pack("<H", 65535) + ELF[58:],
    "neither 32 nor 64 bits": ELF[:4] + b"\x09" + ELF[5:],
    "neither byte order": ELF[:5] + b"\x09" + ELF[6:],
    "versions without end": endless_versions(),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_tables_are_a_problem_and_hardly_read(data: bytes) -> None:
    """At most 8192 records of 16 bytes are followed, whatever the size of the file."""
    stream = CountingStream(data)
    facts = read_binary(stream)
    assert facts is not None
    assert facts.problem
    assert facts == read_binary(data)
    assert stream.total < 150_000


def test_one_damaged_table_leaves_the_others_readable() -> None:
    facts = read_binary(with_value(6, 2**40))
    assert facts is not None
    assert facts.needed == ("libstdc++.so.6", "libc.so.6")
    assert dict(facts.versions)["libc.so.6"] == ("GLIBC_2.17",)
