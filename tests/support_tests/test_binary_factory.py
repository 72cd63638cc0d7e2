"""The binaries are what pyelftools and a real loader take them for."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

from tests.support.binary_factory import make_elf, make_fat_macho, make_macho, make_pe

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = make_elf(
    "aarch64",
    glibc="2.26",
    needed=["libfoo.so.1"],
    versions={"libstdc++.so.6": ["GLIBCXX_3.4.21", "CXXABI_1.3"]},
    exports=["PyInit_x"],
    imports=["PyList_New"],
    soname="libx.so",
    runpath="$ORIGIN/../x.libs",
)


def texts(dynamic: DynamicSegment, tag: str) -> list[str]:
    entries = (each for each in dynamic.iter_tags() if each.entry.d_tag == f"DT_{tag}")
    return [getattr(each, tag.lower()) for each in entries]


def test_dynamic_entries_are_read_back() -> None:
    elf = ELFFile(io.BytesIO(SAMPLE))
    assert elf["e_machine"] == "EM_AARCH64"
    (dynamic,) = elf.iter_segments("PT_DYNAMIC")
    assert isinstance(dynamic, DynamicSegment)
    assert texts(dynamic, "NEEDED") == [
        "libfoo.so.1",
        "libstdc++.so.6",
        "libc.so.6",
    ]
    assert texts(dynamic, "RUNPATH") == ["$ORIGIN/../x.libs"]
    assert texts(dynamic, "SONAME") == ["libx.so"]


def test_symbol_versions_are_read_back() -> None:
    needs = ELFFile(io.BytesIO(SAMPLE)).get_section_by_name(".gnu.version_r")
    assert isinstance(needs, GNUVerNeedSection)
    assert {
        library.name: [version.name for version in versions]
        for library, versions in needs.iter_versions()
    } == {"libstdc++.so.6": ["GLIBCXX_3.4.21", "CXXABI_1.3"], "libc.so.6": ["GLIBC_2.26"]}


def test_symbols_are_read_back() -> None:
    symbols = ELFFile(io.BytesIO(SAMPLE)).get_section_by_name(".dynsym")
    assert isinstance(symbols, SymbolTableSection)
    sections = {symbol.name: symbol["st_shndx"] for symbol in symbols.iter_symbols()}
    assert sections["PyInit_x"] == 1
    assert sections["PyList_New"] == sections["needs_glibc_2_26"] == "SHN_UNDEF"


@pytest.mark.parametrize(
    ("machine", "bits", "little"),
    [("i386", 32, True), ("armv7l", 32, True), ("s390x", 64, False), ("ppc64le", 64, True)],
)
def test_other_words_and_byte_orders(machine: str, bits: int, little: bool) -> None:
    elf = ELFFile(io.BytesIO(make_elf(machine, bits=bits, little_endian=little)))
    assert (elf.elfclass, elf.little_endian) == (bits, little)
    (dynamic,) = elf.iter_segments("PT_DYNAMIC")
    assert isinstance(dynamic, DynamicSegment)
    assert texts(dynamic, "NEEDED") == ["libc.so.6"]


def test_without_section_headers_the_dynamic_segment_still_tells() -> None:
    elf = ELFFile(io.BytesIO(make_elf(section_headers=False, exports=["PyInit_y"])))
    assert elf.num_sections() == 0
    (dynamic,) = elf.iter_segments("PT_DYNAMIC")
    assert isinstance(dynamic, DynamicSegment)
    assert "PyInit_y" in [symbol.name for symbol in dynamic.iter_symbols()]


@pytest.mark.subprocess
@pytest.mark.skipif(sys.platform != "linux", reason="needs a loader of ELF files")
def test_a_real_loader_loads_it_and_checks_its_versions(tmp_path: Path) -> None:
    """What is written is a shared object for glibc's loader too, down to the version check."""
    machine = _machine()
    answers = []
    for glibc in ("2.17", "2.99"):
        library = tmp_path / f"x{glibc}.so"
        library.write_bytes(make_elf(machine, glibc=glibc, exports=["PyInit_x"]))
        question = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).PyInit_x"
        done = subprocess.run(
            [sys.executable, "-c", question, library], capture_output=True, text=True, check=False
        )
        answers.append((done.returncode, "version `GLIBC_2.99' not found" in done.stderr))
    assert answers == [(0, False), (1, True)]


def _machine() -> str:
    done = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_headers_of_other_systems() -> None:
    assert make_macho("arm64", libraries=["@rpath/libz.dylib"])[:8] == bytes.fromhex(
        "cffaedfe0c000001"
    )
    assert make_fat_macho()[:8] == bytes.fromhex("cafebabe00000002")
    pe = make_pe("arm64")
    start = int.from_bytes(pe[0x3C:0x40], "little")
    assert (pe[:2], pe[start : start + 6]) == (b"MZ", b"PE\0\0\x64\xaa")
