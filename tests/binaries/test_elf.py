"""ELF facts, against binaries made on the spot and against pyelftools."""

from __future__ import annotations

import io
import struct
import sysconfig
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

from crossdeps.binaries.formats import read_binary
from crossdeps.binaries.model import BinaryFacts
from tests.support.binary_factory import make_elf
from tests.support.growth import CountingStream

SAMPLE = make_elf(
    "aarch64",
    glibc="2.26",
    needed=["libfoo.so.1"],
    versions={"libstdc++.so.6": ["GLIBCXX_3.4.21", "CXXABI_1.3"]},
    exports=["PyInit_x"],
    imports=["PyList_New", "_PyObject_New", "Pynt", "malloc"],
    soname="libx.so",
    runpath="$ORIGIN/../x.libs:$ORIGIN",
)
NEEDED = "needed"  # an attribute that pyelftools makes when it reads
# Real shared objects of this very machine: the standard library's own extension modules.
REAL = sorted(Path(sysconfig.get_path("platstdlib"), "lib-dynload").glob("*.so"))[:12]


def read(data: bytes) -> BinaryFacts:
    facts = read_binary(data)
    assert facts is not None
    return facts


def test_everything_that_a_loader_would_look_for() -> None:
    assert read(SAMPLE) == BinaryFacts(
        format="elf",
        machine="aarch64",
        bits=64,
        kind="shared",
        soname="libx.so",
        needed=("libfoo.so.1", "libstdc++.so.6", "libc.so.6"),
        runpaths=("$ORIGIN/../x.libs", "$ORIGIN"),
        versions=(
            ("libc.so.6", ("GLIBC_2.26",)),
            ("libstdc++.so.6", ("CXXABI_1.3", "GLIBCXX_3.4.21")),
        ),
        python_symbols=("PyList_New", "Pynt", "_PyObject_New"),
        modules=("x",),
    )


def test_section_headers_are_not_needed() -> None:
    """The loader reads program headers only, and so do we."""
    plain = make_elf(imports=["PyList_New"], runpath="$ORIGIN")
    stripped = make_elf(imports=["PyList_New"], runpath="$ORIGIN", section_headers=False)
    assert plain != stripped
    assert read(plain) == read(stripped)


@pytest.mark.parametrize(
    ("machine", "bits", "little_endian", "expected"),
    [
        ("x86_64", 64, True, "x86_64"),
        ("x86_64", 32, True, "x86_64"),
        ("aarch64", 64, False, "aarch64"),
        ("i386", 32, True, "i386"),
        ("armv7l", 32, True, "arm"),
        ("ppc64le", 64, True, "ppc64le"),
        ("ppc64le", 64, False, "ppc64"),
        ("s390x", 64, False, "s390x"),
    ],
)
def test_machine_class_and_byte_order(
    machine: str, bits: int, little_endian: bool, expected: str
) -> None:
    data = make_elf(machine, bits=bits, little_endian=little_endian, imports=["PyList_New"])
    facts = read(data)
    assert (facts.machine, facts.bits, facts.little_endian) == (expected, bits, little_endian)
    assert facts.needed == ("libc.so.6",)
    assert facts.python_symbols == ("PyList_New",)
    assert not facts.problem


def test_a_machine_without_a_common_name_keeps_its_number() -> None:
    data = bytearray(SAMPLE)
    struct.pack_into("<H", data, 18, 4711)
    assert read(bytes(data)).machine == "EM_4711"


@pytest.mark.parametrize(
    ("number", "kind"), [(1, "relocatable"), (2, "executable"), (3, "shared"), (4, "core")]
)
def test_kind(number: int, kind: str) -> None:
    assert read(make_elf(kind=number)).kind == kind


def test_rpath_counts_only_without_runpath() -> None:
    old = read(make_elf(rpath="/old"))
    assert (old.rpaths, old.runpaths) == (("/old",), ())
    both = read(make_elf(rpath="/old", runpath="/new"))
    assert (both.rpaths, both.runpaths) == ((), ("/new",))


def test_a_weak_symbol_of_python_may_be_missing() -> None:
    data = make_elf(imports=["PyList_New"], weak_imports=["PyUnstable_Module_SetGIL"])
    assert read(data).python_symbols == ("PyList_New",)


def test_the_modules_that_it_can_be() -> None:
    exports = ["PyInit_fast", "PyInit__slow", "PyInitialize", "xPyInit_tail"]
    data = make_elf(imports=["PyList_New"], exports=exports)
    assert read(data).modules == ("_slow", "fast", "tail")
    assert not read(make_elf(exports=["PyInit_fast"])).modules  # it does not use Python
    large = make_elf(imports=["PyList_New"], exports=exports, string_padding=5 << 20)
    assert not read(large).modules


def test_a_large_string_table_is_read_in_pieces() -> None:
    """TensorFlow's has more than 64 MiB, which was taken for damage."""
    symbols = [f"Py_{number}" for number in range(3000)]
    stream = CountingStream(
        make_elf(soname="libx.so", imports=symbols, needed=["libz.so.1"], string_padding=65 << 20)
    )
    facts = read_binary(stream)
    assert facts is not None
    assert not facts.problem
    assert (facts.soname, facts.needed) == ("libx.so", ("libz.so.1", "libc.so.6"))
    assert facts.python_symbols == tuple(sorted(symbols))
    assert stream.total < 8 << 20


def test_a_weak_version_is_not_required() -> None:
    """The loader lets a version that is marked weak be absent (VER_FLG_WEAK)."""
    data = make_elf(glibc="2.99", section_headers=False)
    place = data.index(struct.pack("<IHH", _elf_hash("GLIBC_2.99"), 0, 2))
    weak = data[: place + 4] + struct.pack("<H", 2) + data[place + 6 :]
    assert read(data).versions == (("libc.so.6", ("GLIBC_2.99",)),)
    assert read(weak).versions == (("libc.so.6", ()),)


def _elf_hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value


def test_a_stream_is_as_good_as_bytes() -> None:
    stream = io.BytesIO(SAMPLE)
    stream.seek(100)
    assert read_binary(stream) == read_binary(SAMPLE)


def test_a_stream_that_cannot_seek_is_read_whole() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert read_binary(Pipe(SAMPLE)) == read_binary(SAMPLE)


def test_a_large_library_takes_no_longer() -> None:
    """100 MB of code are not read."""
    stream = CountingStream(SAMPLE + bytes(100_000_000))
    assert read_binary(stream) == read_binary(SAMPLE)
    assert stream.total < 10_000


@pytest.mark.parametrize(
    "data", [SAMPLE, *(path.read_bytes() for path in REAL)], ids=["sample", *(p.name for p in REAL)]
)
def test_pyelftools_reads_the_same(data: bytes) -> None:
    facts = read(data)
    elf = ELFFile(io.BytesIO(data))
    dynamic = next(each for each in elf.iter_segments() if isinstance(each, DynamicSegment))
    needed = [getattr(tag, NEEDED) for tag in dynamic.iter_tags("DT_NEEDED")]
    assert list(facts.needed) == needed
    section = elf.get_section_by_name(".gnu.version_r")
    versions = {}
    if isinstance(section, GNUVerNeedSection):
        versions = {
            library.name: tuple(sorted(each.name for each in names))
            for library, names in section.iter_versions()
        }
    assert dict(facts.versions) == versions
    symbols = elf.get_section_by_name(".dynsym")
    assert isinstance(symbols, SymbolTableSection)
    undefined = {
        each.name
        for each in symbols.iter_symbols()
        if each["st_shndx"] == "SHN_UNDEF" and each["st_info"]["bind"] != "STB_WEAK"
    }
    assert facts.python_symbols == tuple(
        sorted(name for name in undefined if name.startswith(("Py", "_Py")))
    )
    assert not facts.problem
