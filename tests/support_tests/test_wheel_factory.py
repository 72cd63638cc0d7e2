"""A wheel made here is valid, until a knob says otherwise."""

from __future__ import annotations

import csv
import io
import stat
import zipfile

import pytest
from packaging.metadata import Metadata
from packaging.utils import parse_wheel_filename

from tests.support.wheel_factory import (
    Member,
    RecordRow,
    WheelFile,
    make_wheel,
    record_hash,
    symlink_member,
)


def read(wheel: WheelFile) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def record_of(wheel: WheelFile) -> list[list[str]]:
    files = read(wheel)
    (name,) = (path for path in files if path.endswith(".dist-info/RECORD"))
    return list(csv.reader(io.StringIO(files[name].decode())))


def test_record_lists_every_file_with_its_hash_and_size() -> None:
    wheel = make_wheel("Foo.Bar", "1.0", files={"foo/a,b.py": "x", "foo/c.py": b""})
    rows = {path: (digest, size) for path, digest, size in record_of(wheel)}
    files = read(wheel)
    assert rows.keys() == files.keys()
    assert rows.pop("foo_bar-1.0.dist-info/RECORD") == ("", "")
    assert rows == {path: (record_hash(files[path]), str(len(files[path]))) for path in rows}


def test_metadata_is_valid_and_says_what_was_asked() -> None:
    wheel = make_wheel(
        "Foo",
        "1.0",
        requires=["bar>=2"],
        requires_python=">=3.8",
        extras={"fast": ["isal; python_version < '3.12'"], "none": []},
    )
    metadata = Metadata.from_email(wheel.metadata, validate=True)
    assert (metadata.name, str(metadata.version)) == ("Foo", "1.0")
    assert [str(each) for each in metadata.requires_dist or []] == [
        "bar>=2",
        'isal; python_version < "3.12" and extra == "fast"',
    ]
    assert metadata.provides_extra == ["fast", "none"]
    assert str(metadata.requires_python) == ">=3.8"


def test_compressed_tags_are_spelled_out_in_the_wheel_file() -> None:
    wheel = make_wheel("foo", "1.0", tag="cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64")
    about = read(wheel)["foo-1.0.dist-info/WHEEL"].decode()
    assert "Root-Is-Purelib: false" in about
    assert "Tag: cp39-abi3-manylinux_2_17_x86_64\nTag: cp39-abi3-manylinux2014_x86_64\n" in about
    assert len(parse_wheel_filename(wheel.filename)[3]) == 2


def test_equal_arguments_give_equal_bytes() -> None:
    assert make_wheel("foo", "1.0") == make_wheel("foo", "1.0")
    assert make_wheel("foo", "1.0").sha256 != make_wheel("foo", "1.1").sha256


def test_build_tag_entry_points_and_modes() -> None:
    wheel = make_wheel(
        "foo",
        "1.0",
        build="2",
        entry_points={"console_scripts": {"foo": "foo:main"}},
        files={"foo/tool": b"#!python\n"},
        executable=["foo/tool"],
    )
    assert wheel.filename == "foo-1.0-2-py3-none-any.whl"
    assert read(wheel)["foo-1.0.dist-info/entry_points.txt"].startswith(b"[console_scripts]\nfoo =")
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        mode = archive.getinfo("foo/tool").external_attr >> 16
    assert mode == stat.S_IFREG | 0o755


def test_a_record_can_lie() -> None:
    def without_package(rows: list[RecordRow]) -> list[RecordRow]:
        return [row for row in rows if not row[0].startswith("foo/")]

    assert len(record_of(make_wheel("foo", "1.0", record=without_package))) == 3
    assert record_of(make_wheel("foo", "1.0", record=b"x,y,z\n")) == [["x", "y", "z"]]


@pytest.mark.parametrize("name", ["METADATA", "WHEEL", "RECORD"])
def test_a_dist_info_file_can_be_missing(name: str) -> None:
    assert not any(path.endswith(name) for path in read(make_wheel("foo", "1", omit=[name])))


def test_the_member_list_can_be_anything() -> None:
    odd = [
        Member(name=b"\xff.py"),
        Member(name="../escape.py"),
        symlink_member("link", "/etc/passwd"),
    ]
    wheel = make_wheel("foo", "1.0", members=lambda made: [*made, *odd, made[0]])
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        names = archive.namelist()
    assert names[-3:] == ["../escape.py", "link", "foo/__init__.py"]
    assert names.count("foo/__init__.py") == 2
