"""Members are read like zipfile reads them, whatever the archive is like."""

from __future__ import annotations

import hashlib
import importlib
import io
import tracemalloc
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdeps.bundle import zip_scan
from crossdeps.bundle.content import ContentReader, read_content
from crossdeps.bundle.read import find_same_files, read_bundle
from crossdeps.errors import ArtifactReadError
from crossdeps.wheels import zip_format
from tests.support import zip_surgery
from tests.support.elf_factory import make_elf
from tests.support.growth import LINEAR, growth
from tests.support.zip_writer import STORED, Member, symlink_member, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.bundle.model import Bundle

NOISE = hashlib.shake_256(b"noise").digest(300_000)
ELF = make_elf(needed=["libz.so.1"], glibc="2.14")
INFO = "p-1.dist-info"
MEMBERS = (
    Member(name="a.py", data=b"import os\n"),
    Member(name="empty"),
    Member(name="stored.txt", data=b"stored", method=STORED),
    Member(name="large.txt", data=b"0123456789abcdef" * 40_000),
    Member(name="noise.bin", data=NOISE),
    Member(name="large_stored.bin", data=NOISE, method=STORED),
    Member(name="small.so", data=ELF),
    Member(name="large.so", data=ELF + NOISE + bytes(200_000)),
    Member(name="stored.so", data=ELF + NOISE, method=STORED),
    Member(name="cut.so", data=ELF[:70]),
    Member(name="MZ.txt", data=b"MZ is how some text starts"),
    Member(name="bin/tool", data=b"#!/usr/bin/env python\n", mode=0o100755),
    Member(name=f"{INFO}/METADATA", data=b"Name: p\nVersion: 1\nRequires-Dist: q\n"),
    Member(name=f"{INFO}/WHEEL", data=b"Tag: py3-none-any\n"),
    Member(name=f"{INFO}/RECORD", data=b"a.py,,\n"),
    symlink_member("link.so", "small.so"),
)


@pytest.fixture(params=["zlib", "isal.isal_zlib"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_format, "_ENGINE", importlib.import_module(request.param))


def read(path: Path, *, hashes: bool = True) -> Bundle | tuple[str, tuple[str, ...]]:
    """The bundle, or the error."""
    try:
        return read_bundle(path, hashes=hashes)
    except ArtifactReadError as error:
        return str(error), error.context


def read_with_zipfile(path: Path) -> Bundle | tuple[str, tuple[str, ...]]:
    """The same with no member that is read without zipfile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zip_scan, "scan_members", lambda *_, **__: {})
        return read(path)


def facts(bundle: Bundle) -> list[tuple[object, ...]]:
    return [
        (entry.path, entry.mode, entry.size, entry.sha256, entry.binary, entry.owner)
        for entry in bundle.entries
    ]


def check_same(path: Path) -> Bundle | tuple[str, tuple[str, ...]]:
    """Check that reading with and without zipfile gives the same, and return it."""
    found, expected = read(path), read_with_zipfile(path)
    if isinstance(found, tuple) or isinstance(expected, tuple):
        assert found == expected
        return found
    assert facts(found) == facts(expected)
    assert (found.projects, found.warnings) == (expected.projects, expected.warnings)
    with ContentReader() as reader:
        for ours, theirs in zip(found.entries, expected.entries, strict=True):
            assert reader.read(ours.content) == reader.read(theirs.content)
    return found


def with_zipfile(**options: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as archive:  # type: ignore[call-overload]
        for member in MEMBERS[:-1]:
            archive.writestr(str(member.name), member.data)
    return stream.getvalue()


ARCHIVES = {
    "usual": lambda: write_zip(MEMBERS),
    "zip64 end": lambda: write_zip(MEMBERS, zip64_end=True),
    "a gap": lambda: write_zip(MEMBERS, between=b"gap"),
    "bzip2": lambda: with_zipfile(compression=zipfile.ZIP_BZIP2),
    "lzma": lambda: with_zipfile(compression=zipfile.ZIP_LZMA),
    "prepended": lambda: zip_surgery.prepend(write_zip(MEMBERS), b"#!/bin/sh\n" * 50),
    "a comment": lambda: zip_surgery.append(write_zip(MEMBERS), b"comment", as_comment=True),
}


@pytest.mark.parametrize("make", ARCHIVES.values(), ids=ARCHIVES)
def test_archives_of_many_kinds(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / "out.zip"
    path.write_bytes(make())
    bundle = check_same(path)
    assert not isinstance(bundle, tuple)
    data = {member.name: member.data for member in MEMBERS[:-1]}
    for entry in bundle.entries:
        assert read_content(entry.content) == data.get(entry.path, ELF)


MEMBER_KINDS = {
    "descriptor": Member(name="m", data=b"m" * 99, descriptor="signed"),
    "plain descriptor": Member(name="m", data=NOISE, descriptor="plain"),
    "zip64": Member(name="m", data=b"m" * 99, zip64=True),
    "extra field": Member(name="m", data=b"m" * 99, extra=b"UT\x05\x00\x01abcd"),
    "longer local extra field": Member(
        name="m", data=b"m" * 99, local={"extra": b"ux\xc8\x00" + bytes(200)}
    ),
    "UTF-8": Member(name="ü/m", data=b"m", flags=0x800),
    "code page 437": Member(name=b"\x81/m", data=b"m"),
    "data after the end": Member(name="m", data=b"m", raw=b"\x4b\x05\x00garbage"),
    "unusual flags": Member(name="m", data=b"m", flags=0x1000),
    "encrypted": Member(name="m", data=b"m", flags=1),
    "patched data": Member(name="m", data=b"m", flags=0x20),
    "unknown method": Member(name="m", data=b"m", method=99),
    "other local name": Member(name="m", data=b"m", local={"name": b"n"}),
    "no local header": Member(name="m", data=b"m", local={"signature": 0x05034B50}),
    "other local flags": Member(name="m", data=b"m", local={"flags": 0x800}),
    "wrong checksum": Member(name="m", data=b"m" * 99, central={"crc": 1}),
    "wrong checksum, large": Member(name="m", data=NOISE, central={"crc": 1}),
    "too small a size": Member(name="m", data=b"m" * 99, central={"size": 98}),
    "too small a size, large": Member(name="m", data=NOISE, central={"size": 299_999}),
    "too large a size": Member(name="m", data=b"m" * 99, central={"size": 100}),
    "too large a size, large": Member(name="m", data=NOISE, central={"size": 300_001}),
    "size of a first part": Member(
        name="m", data=b"mn", central={"size": 1, "crc": zlib.crc32(b"m")}
    ),
    "stored, two sizes": Member(name="m", data=b"mm", method=STORED, central={"size": 1}),
    "stored, beyond the end": Member(
        name="m", data=b"m", method=STORED, central={"size": 99_999, "compressed_size": 99_999}
    ),
    "empty stream": Member(name="m", raw=b"", central={"size": 5}),
    "damaged": Member(name="m", data=b"m", raw=b"\xff\xff\xff\xff"),
    "damaged, large": Member(name="m", data=NOISE, raw=b"\xff" * 300_000),
    "wrong offset": Member(name="m", data=b"m", central={"offset": 1}),
    "offset of another": Member(name="m", data=b"m", central={"offset": 0}),
}


@pytest.mark.parametrize("member", MEMBER_KINDS.values(), ids=MEMBER_KINDS)
@pytest.mark.parametrize("is_last", [True, False])
def test_members_of_many_kinds(tmp_path: Path, member: Member, *, is_last: bool) -> None:
    path = tmp_path / "out.zip"
    others = (Member(name="other", data=b"other" * 50),)
    path.write_bytes(write_zip((*others, member) if is_last else (member, *others)))
    check_same(path)


def test_the_first_damaged_member_of_the_list_is_told(tmp_path: Path) -> None:
    """Whichever thread finds which one first."""
    path = tmp_path / "out.zip"
    damaged = {"central": {"crc": 1}}
    members = (
        Member(name="large1", data=NOISE[1:], **damaged),  # type: ignore[arg-type]
        Member(name="small", data=b"x", **damaged),  # type: ignore[arg-type]
        Member(name="large2", data=NOISE, **damaged),  # type: ignore[arg-type]
    )
    path.write_bytes(write_zip(members))
    result = check_same(path)
    assert isinstance(result, tuple)
    assert result[1][-1] == "large1"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_mutated_zip(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(write_zip([*MEMBERS[:3], *MEMBERS[6:7], *MEMBERS[9:]]))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "out.zip"
    path.write_bytes(content)
    check_same(path)


def test_overlapping_members_are_left_to_zipfile(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    content = write_zip([Member(name="a", data=b"x" * 50), Member(name="b", data=b"y")])
    path.write_bytes(zip_surgery.overlap(content, "b", "a"))
    check_same(path)


def test_a_bomb_is_inflated_no_further_than_declared(tmp_path: Path) -> None:
    """Small by its directory, large by its stream: within the memory of a chunk."""
    path = tmp_path / "out.zip"
    bomb = Member(name="m", data=bytes(80 << 20), central={"size": 1000})
    path.write_bytes(write_zip([bomb]))
    del bomb
    tracemalloc.start()
    try:
        check_same(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


class TestWithoutHashes:
    def test_the_rest_is_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "out.zip"
        path.write_bytes(write_zip(MEMBERS))
        whole, partial = read_bundle(path), read_bundle(path, hashes=False)
        expected = [(*fact[:3], "", *fact[4:]) for fact in facts(whole)]
        assert facts(partial) == expected
        assert partial.projects == whole.projects
        with ContentReader() as reader:
            for one, other in zip(whole.entries, partial.entries, strict=True):
                assert reader.read(one.content) == reader.read(other.content)

    @pytest.mark.parametrize("make", ARCHIVES.values(), ids=ARCHIVES)
    def test_archives_of_many_kinds(self, tmp_path: Path, make: Callable[[], bytes]) -> None:
        path = tmp_path / "out.zip"
        path.write_bytes(make())
        whole, partial = read_bundle(path), read_bundle(path, hashes=False)
        assert [(*fact[:3], *fact[4:]) for fact in facts(partial)] == [
            (*fact[:3], *fact[4:]) for fact in facts(whole)
        ]

    def test_only_binaries_and_metadata_are_inflated(self, tmp_path: Path) -> None:
        """The others may be damaged: nothing of them is needed."""
        path = tmp_path / "out.zip"
        text = Member(name="text", data=b"0123456789abcdef" * 40_000)
        path.write_bytes(zip_surgery.flip_byte(write_zip([*MEMBERS, text]), "text", 500))
        read_bundle(path, hashes=False)
        with pytest.raises(ArtifactReadError, match="cannot be read"):
            read_bundle(path)

    @pytest.mark.parametrize("name", [f"{INFO}/METADATA", f"{INFO}/RECORD", "small.so"])
    def test_what_is_used_is_checked(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "out.zip"
        path.write_bytes(zip_surgery.patch_both(write_zip(MEMBERS), name, crc=1))
        assert read(path, hashes=False) == read_with_zipfile(path)

    @pytest.mark.parametrize("size", [1, 10**9])
    def test_a_directory_with_another_size_than_the_local_header(
        self, tmp_path: Path, size: int
    ) -> None:
        path = tmp_path / "out.zip"
        path.write_bytes(zip_surgery.patch_central(write_zip(MEMBERS), "large.txt", size=size))
        found, expected = read(path, hashes=False), read_with_zipfile(path)
        if isinstance(expected, tuple):
            assert found == expected
        else:  # zipfile takes a stream that is too short
            assert not isinstance(found, tuple)
            assert found.size == expected.size == sum(len(m.data) for m in MEMBERS) - 8 + len(ELF)

    def test_a_large_binary_whose_stream_is_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "out.zip"
        path.write_bytes(zip_surgery.flip_byte(write_zip(MEMBERS), "large.so", 60_000))
        found = read(path, hashes=False)
        assert isinstance(found, tuple) or any(entry.binary for entry in found.entries)


def test_members_of_a_known_zip_are_not_inflated_again(tmp_path: Path) -> None:
    """Those with the same compressed bytes, at whatever place; all others are read."""
    changed = Member(name="large.so", data=ELF + NOISE[::-1] + bytes(200_000))
    others = (*MEMBERS[:7][::-1], changed, *MEMBERS[8:])
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    one.write_bytes(write_zip(MEMBERS))
    two.write_bytes(write_zip(others))
    known = read_bundle(one, hashes=False)
    found = read_bundle(two, hashes=False, known=known)
    assert facts(found) == facts(read_bundle(two, hashes=False))
    same = find_same_files(known, found)
    assert same == {str(member.name) for member in MEMBERS} - {"large.so"}
    with ContentReader() as reader:
        data = {str(member.name): member.data for member in others}
        for entry in found.entries:
            assert reader.read(entry.content) == (
                ELF if entry.path == "link.so" else data[entry.path]
            )
    assert facts(read_bundle(two, known=known)) == facts(read_bundle(two))


@pytest.mark.parametrize("position", [0, 50_000, 299_000])
def test_one_byte_makes_another_member(tmp_path: Path, position: int) -> None:
    """Even one that the checksum of the directory doesn't tell."""
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    content = write_zip(MEMBERS)
    one.write_bytes(content)
    two.write_bytes(zip_surgery.flip_byte(content, "large_stored.bin", position))
    known = read_bundle(one, hashes=False)
    found = read_bundle(two, hashes=False, known=known)
    assert "large_stored.bin" not in find_same_files(known, found)


def test_a_member_that_changes_after_it_was_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    before = write_zip([Member(name="a", data=b"1" * 500, method=STORED)])
    path.write_bytes(before)
    (entry,) = read_bundle(path).entries
    path.write_bytes(before.replace(b"1" * 500, b"2" * 500))
    with pytest.raises(ArtifactReadError, match="Bad CRC-32"):
        read_content(entry.content)
    path.write_bytes(write_zip([Member(name="b", data=b"b"), Member(name="a", data=b"2")]))
    with pytest.raises(ArtifactReadError, match="the archive was changed"):
        read_content(entry.content)


def test_the_work_grows_with_the_members(tmp_path: Path) -> None:
    def make(count: int) -> Path:
        path = tmp_path / f"{count}.zip"
        path.write_bytes(write_zip([Member(name=f"p/m{n}.py", data=b"x") for n in range(count)]))
        return path

    assert growth(read_bundle, make, 4000) < LINEAR
