"""Laws of the strict reader."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdeps.errors import WheelError
from crossdeps.wheels.zip_format import OUTPUT_CHUNK, inflate
from tests.support.wheel_factory import Member, WheelFile, make_wheel
from tests.support.wheel_reading import read_wheel
from tests.support.zip_writer import DEFLATED, STORED

if TYPE_CHECKING:
    from crossdeps.wheels.model import Wheel

WORDS = st.text("abcdefghijklmnopqrstuvwxyzäß_", min_size=1, max_size=12)


def read(made: WheelFile) -> Wheel:
    """Read a wheel from memory."""
    with tempfile.TemporaryDirectory() as folder:
        return read_wheel(made.write_to(Path(folder)))


@settings(max_examples=60, deadline=None)
@given(
    files=st.dictionaries(WORDS.map("foo/{}.py".format), st.binary(max_size=3000), max_size=6),
    method=st.sampled_from([STORED, DEFLATED]),
    descriptor=st.sampled_from(["", "plain", "signed"]),
    zip64=st.booleans(),
)
def test_valid_wheel_passes(
    files: dict[str, bytes], method: int, descriptor: str, *, zip64: bool
) -> None:
    """Whatever is in it and however it is packed, a valid wheel is read, with the right hashes."""

    def pack(members: list[Member]) -> list[Member]:
        return [
            replace(each, method=method, descriptor=descriptor, zip64=zip64) for each in members
        ]

    made = read(make_wheel("foo", "1.0", files=files, members=pack))
    found = {member.path: member.sha256 for member in made.members if member.path in files}
    assert found == {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def laid_out(content: bytes, wheel: Wheel) -> object:
    """Everything that can reach an artifact, but the execute bits."""
    members = [
        (member.path, b"".join(inflate(io.BytesIO(content), member, member.path)))
        for member in wheel.members
    ]
    return wheel.name, wheel.version, wheel.metadata, wheel.entry_points, members


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF], ids=hex)
def test_one_wrong_byte_is_refused_or_harmless(mask: int) -> None:
    """A byte that differs is refused, or stands where nothing is laid out from.

    The mode of a file is the one thing that the format doesn't protect by a checksum of its own;
    the hash of the whole wheel does.
    """
    made = make_wheel("foo", "1.0", entry_points={"console_scripts": {"foo": "foo:main"}})
    expected = laid_out(made.content, read(made))
    accepted = 0
    for position in range(made.size):
        content = bytearray(made.content)
        content[position] ^= mask
        try:
            wheel = read(made.with_content(bytes(content)))
        except WheelError as error:
            assert error.rule  # noqa: PT017 - either way is right
        else:
            accepted += 1
            assert laid_out(bytes(content), wheel) == expected, position
    assert accepted < made.size / 4


@pytest.mark.parametrize("cut", range(0, 800, 7))
def test_cut_wheel_is_refused(cut: int) -> None:
    """No prefix of a wheel is a wheel."""
    made = make_wheel("foo", "1.0")
    with pytest.raises(WheelError):
        read(made.with_content(made.content[: min(cut, made.size - 1)]))


def test_large_member_is_inflated_in_pieces() -> None:
    """A file of zeros, 1000 times its packed size, arrives whole in pieces of bounded size."""
    data = bytes(5 * OUTPUT_CHUNK + 17)
    made = make_wheel("foo", "1.0", files={"foo/zeros.bin": data})
    (member,) = [each for each in read(made).members if each.path == "foo/zeros.bin"]
    pieces = list(inflate(io.BytesIO(made.content), member, member.path))
    assert max(map(len, pieces)) <= OUTPUT_CHUNK
    assert b"".join(pieces) == data


def test_zipfile_agrees() -> None:
    """The standard library sees the same files in a wheel that was let in."""
    made = make_wheel("foo", "1.0", files={"foo/ä.py": b"x" * 1000, "foo/b.py": b""})
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        theirs = {info.filename: archive.read(info) for info in archive.infolist()}
    ours = laid_out(made.content, read(made))
    assert isinstance(ours, tuple)
    assert dict(ours[-1]) == theirs
