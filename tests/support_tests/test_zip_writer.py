"""The zip writer writes what zipfile reads; the surgery changes what it says it changes."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from tests.support import zip_surgery
from tests.support.zip_writer import Member, folder_member, write_zip

PLAIN = write_zip([Member(name="a.txt", data=b"a" * 100), Member(name="b.txt", data=b"bb")])


def read(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    "member",
    [
        Member(name="a", data=b"x" * 50),
        Member(name="a", data=b"x" * 50, method=0),
        Member(name="a", data=b"x" * 50, descriptor="signed"),
        Member(name="a", data=b"x" * 50, descriptor="plain"),
        Member(name="a", data=b"x" * 50, zip64=True),
        Member(name="a", data=b"x" * 50, zip64=True, descriptor="signed"),
        Member(name="a", data=b"x" * 50, extra=struct.pack("<HH", 0x5455, 0), comment=b"c"),
    ],
)
def test_every_honest_form_of_a_member_is_read_back(member: Member) -> None:
    assert read(write_zip([member])) == {"a": b"x" * 50}


def test_folders_zip64_ends_and_comments_are_read_back() -> None:
    content = write_zip(
        [folder_member("d"), Member(name="d/é.txt", data=b"1")],
        zip64_end=True,
        end={"comment": b"hello", "entries": 0xFFFF, "disk_entries": 0xFFFF},
    )
    assert read(content) == {"d/": b"", "d/é.txt": b"1"}


def test_a_local_header_and_the_directory_can_differ() -> None:
    content = zip_surgery.patch_local(PLAIN, "a.txt", name=b"z.txt", crc=1, size=7)
    place = zip_surgery.find_member(content, "a.txt")
    assert content[place.local + 30 :][:5] == b"z.txt"
    assert struct.unpack_from("<I", content, place.local + 14) == (1,)
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        pytest.raises(zipfile.BadZipFile, match="differ"),
    ):
        archive.read("a.txt")


def test_flipped_bytes_encryption_and_overlap_are_noticed_by_zipfile() -> None:
    def first_error(content: bytes, name: str) -> str:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as archive,
            pytest.raises((zipfile.BadZipFile, RuntimeError)) as caught,
        ):
            archive.read(name)
        return str(caught.value)

    stored = write_zip([Member(name="a", data=b"abc", method=0), Member(name="b", data=b"")])
    assert "CRC" in first_error(zip_surgery.flip_byte(stored, "a", 1), "a")
    assert "encrypted" in first_error(zip_surgery.encrypt_flag(PLAIN, "b.txt"), "b.txt")
    assert "differ" in first_error(zip_surgery.overlap(PLAIN, "b.txt", "a.txt"), "b.txt")


def test_bytes_before_and_after_an_archive() -> None:
    moved = zip_surgery.prepend(PLAIN, b"#!/bin/sh\n", fix_offsets=True)
    assert read(moved) == read(PLAIN)
    assert zip_surgery.prepend(PLAIN, b"xx") == b"xx" + PLAIN
    assert read(zip_surgery.append(PLAIN, b"note", as_comment=True)) == read(PLAIN)
    assert zip_surgery.append(PLAIN, b"tail").endswith(b"tail")


def test_members_can_be_hidden_from_either_list() -> None:
    hidden = Member(name="h", data=b"1", in_directory=False)
    content = write_zip([Member(name="a"), hidden])
    assert list(read(content)) == ["a"]
    assert content.count(b"PK\x03\x04") == 2


def test_the_end_record_can_lie() -> None:
    content = zip_surgery.patch_end(PLAIN, entries=9)
    assert struct.unpack_from("<H", content, len(content) - 12) == (9,)
    with pytest.raises(KeyError):
        zip_surgery.find_member(PLAIN, "c.txt")
