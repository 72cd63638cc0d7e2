"""Every rule that a wheel can break, and wheels that are odd but right."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import WheelError
from crossdeps.wheels import zip_format as inflate
from crossdeps.wheels.model import RULES
from tests.support import zip_surgery
from tests.support.wheel_factory import Member, folder_member, make_elf, record_hash
from tests.support.wheel_reading import read_wheel
from tests.support.zip_writer import STORED
from tests.wheels import breakage
from tests.wheels.breakage import CODE, changed, rows, scripts, wheel, with_file, zip64_end
from tests.wheels.broken_archives import ARCHIVE_CASES
from tests.wheels.broken_contents import CONTENT_CASES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

from tests.support.wheel_factory import WheelFile


@pytest.fixture(params=["zlib", "isal.isal_zlib"], autouse=True)
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both libraries that inflate give the same verdicts."""
    monkeypatch.setattr(inflate, "_ENGINE", pytest.importorskip(request.param))


CASES = [*ARCHIVE_CASES, *CONTENT_CASES]


@pytest.mark.parametrize(("what", "rule", "make"), CASES, ids=[case[0] for case in CASES])
def test_broken_wheel_is_refused(
    what: str, rule: str, make: Callable[[], WheelFile], tmp_path: Path
) -> None:
    """The error has the rule's id, the wheel's name and a hint (I116, I117, I118, I119)."""
    made = make()
    with pytest.raises(WheelError) as caught:
        read_wheel(made.write_to(tmp_path))
    assert caught.value.rule == rule, (what, str(caught.value))
    assert caught.value.context[0] == made.filename
    assert caught.value.hint
    assert caught.value.exit_code == 5
    assert str(caught.value).isprintable()


def test_every_rule_has_a_case() -> None:
    """What is documented is tested."""
    tested = {rule for _, rule, _ in CASES} | {"metadata-mismatch"}
    assert tested == set(RULES)


ODD: dict[str, Callable[[], WheelFile]] = {
    "plain": wheel,
    "stored": lambda: wheel(method=STORED),
    "data descriptor": lambda: changed(CODE, descriptor="signed"),
    "data descriptor without signature": lambda: changed(CODE, descriptor="plain"),
    "ZIP64 data descriptor": lambda: changed(CODE, descriptor="signed", zip64=True),
    "ZIP64 sizes": lambda: changed(CODE, zip64=True),
    "ZIP64 end": zip64_end,
    "ZIP64 field repeats the sizes": lambda: changed(
        CODE, local={"extra": breakage.extra_field(1, _sizes())}
    ),
    "UTF-8 name": lambda: with_file("foo/ä.txt"),
    "Unicode path of the same name": lambda: changed(
        CODE, extra=breakage.unicode_path(CODE.encode(), CODE.encode())
    ),
    "timestamps": lambda: changed(CODE, extra=breakage.extra_field(0x5455, b"\x01abcd")),
    "member comment": lambda: changed(CODE, comment=b"hello"),
    "directory entries": lambda: wheel(
        members=lambda all_: [folder_member("foo/"), folder_member("a/b/"), *all_]
    ),
    "deflated directory": lambda: wheel(
        extra_members=[Member(name="foo/", mode=stat.S_IFDIR | 0o755)]
    ),
    "no mode": lambda: changed(CODE, mode=0),
    "empty file": lambda: with_file("foo/py.typed", b""),
    "sha512 in RECORD": lambda: wheel(
        files={CODE: b"x"},
        record=lambda all_: [(CODE, record_hash(b"x", "sha512"), "1"), *all_[1:]],
    ),
    "RECORD without sizes": lambda: rows(lambda row: [(row[0], row[1], "")]),
    "padded hash": lambda: rows(lambda row: [(row[0], f"{row[1]}=", row[2])]),
    "directory in RECORD": lambda: rows(lambda row: [row, ("foo/", "", "")]),
    "signatures": lambda: wheel(
        extra_members=[Member(name="foo-1.0.dist-info/RECORD.jws", data=b"{}")]
    ),
    "RECORD with CR LF": lambda: wheel(
        members=lambda all_: [
            *all_[:-1],
            Member(name=breakage.RECORD, data=all_[-1].data.replace(b"\n", b"\r\n")),
        ]
    ),
    "comma in a name": lambda: with_file("foo/a,b.txt"),
    "entry points": lambda: scripts("run.me-now = foo.bar:main.go [extra]"),
    "entry points of other groups": lambda: scripts("../x y = anything at all", "a.b"),
    "data schemes": lambda: with_file("foo-1.0.data/scripts/run"),
    "dist-info spelt otherwise": lambda: wheel(dist_info="Foo-1.0.0.dist-info"),
    "nested dist-info": lambda: with_file("foo/_vendor/bar-1.dist-info/METADATA"),
    "no tags": lambda: wheel(wheel_metadata="Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"),
}


def _sizes() -> bytes:
    content = wheel().content
    place = zip_surgery.find_member(content, CODE)
    size = int.from_bytes(content[place.local + 22 : place.local + 26], "little")
    return size.to_bytes(8, "little") + place.compressed_size.to_bytes(8, "little")


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_odd_but_right_wheel_passes(make: Callable[[], WheelFile], tmp_path: Path) -> None:
    """What published wheels have, however rare, is no reason to refuse them."""
    made = make()
    read = read_wheel(made.write_to(tmp_path))
    assert (read.sha256, read.size, read.name) == (made.sha256, made.size, "foo")


WARNED: dict[str, tuple[Callable[[], WheelFile], str]] = {
    "other tags": (lambda: wheel(filename="foo-1.0-py2-none-any.whl"), "other tags"),
    "Wheel-Version 1.9": (
        lambda: wheel(wheel_metadata="Wheel-Version: 1.9\nTag: py3-none-any\n"),
        "1.9",
    ),
    "names alike": (lambda: with_file("foo/__INIT__.py"), "one file where case"),
}


@pytest.mark.parametrize(("make", "text"), WARNED.values(), ids=WARNED)
def test_doubtful_wheel_is_warned_of(
    make: Callable[[], WheelFile], text: str, tmp_path: Path
) -> None:
    """It is taken, and what is odd about it told (I118)."""
    (warning,) = read_wheel(make().write_to(tmp_path)).warnings
    assert text in warning


def test_facts_of_members(tmp_path: Path) -> None:
    """Sizes, hashes, modes and binary facts are those of the bytes."""
    library = make_elf(machine="aarch64")
    made = wheel(
        tag="cp39-cp39-manylinux2014_aarch64",
        files={"foo/lib.so": library, "foo/run.sh": b"#!/bin/sh\n", "foo/a.py": b""},
        executable=["foo/run.sh"],
    )
    read = read_wheel(made.write_to(tmp_path))
    members = {member.path: member for member in read.members}
    assert [member.path for member in read.members] == sorted(members)
    assert members["foo/run.sh"].executable
    assert not members["foo/a.py"].executable
    binary = members["foo/lib.so"].binary
    assert binary is not None
    assert (binary.format, binary.machine) == ("elf", "aarch64")
    assert members["foo/a.py"].binary is None
    assert members["foo/lib.so"].size == len(library)
    assert not read.root_is_purelib
    assert read.metadata == made.metadata
