"""What metadata means for a target is kept, and is the same as reading it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.derived import DerivedCache
from crossdeps.index.model import ProjectFile
from crossdeps.requirements.core_metadata import UnusableMetadataError
from crossdeps.requirements.syntax import Markers
from crossdeps.resolution.release_metadata import (
    ExtraMarkers,
    ReleaseMetadata,
    ReleaseReader,
    find_extras,
)
from crossdeps.target.model import Target

if TYPE_CHECKING:
    from pathlib import Path

DEMO = canonicalize_name("demo")
TARGET = Target(python="3.12", arch="x86_64")
ARM = Target(python="3.12", arch="aarch64")
FILE = ProjectFile(
    filename="demo-1.0-py3-none-any.whl",
    url="https://files.example/demo-1.0-py3-none-any.whl",
    hashes={"sha256": "ab" * 32},
)
METADATA = b"""Metadata-Version: 2.1
Name: demo
Version: 1.0
Requires-Python: >=3.8
Provides-Extra: Fast_Path
Requires-Dist: plain >=1, <2
Requires-Dist: Direct @ https://files.example/direct.whl
Requires-Dist: more[b,a] ; python_version >= "3"
Requires-Dist: arm ; platform_machine == "aarch64"
Requires-Dist: kernel ; platform_release >= "5"
Requires-Dist: speed ; extra == "fast-path" and python_version >= "3"
Requires-Dist: demo[fast-path] ; extra == "all"

A description
"""


def read(root: Path | None, target: Target = TARGET, file: ProjectFile = FILE) -> ReleaseMetadata:
    """METADATA as a run reads it: what is kept, or else what the index has."""
    reader = ReleaseReader(target, DerivedCache(root))
    kept = reader.read_kept(file)
    if kept is not None:
        return kept
    return reader.read(METADATA, name=DEMO, version=Version("1"), file=file)


def test_all_fields() -> None:
    metadata = read(None)
    assert metadata.requires_python == ">=3.8"
    assert metadata.extras == ("fast-path",)
    assert [line.text for line in metadata.requires] == [
        *("plain<2,>=1", "Direct @ https://files.example/direct.whl", "more[a,b]", "arm"),
        *("kernel", "speed", "demo[fast-path]"),
    ]
    assert [line.holds for line in metadata.requires] == [True] * 3 + [False] * 4
    assert [line.mentioned for line in metadata.requires][4:] == [(), ("fast-path",), ("all",)]
    assert metadata.unknowable == ('kernel; platform_release >= "5"',)


def test_kept_metadata_is_the_same(tmp_path: Path) -> None:
    reader = ReleaseReader(TARGET, DerivedCache(tmp_path))
    assert reader.read_kept(FILE) is None
    first = reader.read(METADATA, name=DEMO, version=Version("1"), file=FILE)
    assert ReleaseReader(TARGET, DerivedCache(tmp_path)).read_kept(FILE) == first
    assert ReleaseReader(ARM, DerivedCache(tmp_path)).read_kept(FILE) is None
    assert read(tmp_path, ARM).requires[3].holds


@pytest.mark.parametrize(
    "file",
    [
        ProjectFile(filename=FILE.filename, url=FILE.url, hashes={}),
        ProjectFile(filename=FILE.filename, url=FILE.url, hashes={"sha256": "no digest"}),
        ProjectFile(filename=FILE.filename, url=f"file:///{FILE.filename}", hashes=FILE.hashes),
    ],
    ids=["no hash", "no digest", "local"],
)
def test_metadata_that_no_hash_vouches_for_is_not_kept(tmp_path: Path, file: ProjectFile) -> None:
    read(tmp_path, file=file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "file",
    [
        ProjectFile(filename=FILE.filename, url=FILE.url, hashes={"sha256": "cd" * 32}),
        ProjectFile(
            filename=FILE.filename, url="https://other.example/demo.whl", hashes=FILE.hashes
        ),
        ProjectFile(filename="demo-2.0-py3-none-any.whl", url=FILE.url, hashes=FILE.hashes),
    ],
    ids=["another hash", "another origin", "another name"],
)
def test_another_file_has_its_own_metadata(tmp_path: Path, file: ProjectFile) -> None:
    read(tmp_path)
    assert ReleaseReader(TARGET, DerivedCache(tmp_path)).read_kept(file) is None


def test_unusable_metadata_is_read_again(tmp_path: Path) -> None:
    reader = ReleaseReader(TARGET, DerivedCache(tmp_path))
    for _ in range(2):
        with pytest.raises(UnusableMetadataError):
            reader.read(METADATA, name=DEMO, version=Version("2"), file=FILE)
        assert reader.read_kept(FILE) is None


@pytest.mark.parametrize("how", ["flipped", "cut", "emptied", "swapped", "other version", "killed"])
def test_damage_of_kept_metadata_changes_nothing(tmp_path: Path, how: str) -> None:
    expected = read(tmp_path)
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert read(tmp_path, ARM) != expected
    [other] = [each for each in tmp_path.rglob("*") if each.is_file() and each != path]
    data = path.read_bytes()
    path.write_bytes(
        {
            "flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
            "cut": data[:-1],
            "emptied": b"",
            "swapped": other.read_bytes(),
            "other version": data.replace(b"derived-1", b"derived-0"),
            "killed": data[: len(data) // 2],
        }[how]
    )
    assert read(tmp_path) == expected
    assert path.read_bytes() == data


_atom = st.sampled_from(
    [
        *('extra == "a"', 'extra != "b"', '"c" == extra', "extra == 'Fast_Path'", 'extra in "a b"'),
        *('python_version >= "3"', 'sys_platform == "win32"', 'extra > "a"'),
        *('platform_version == "extra"', 'extra == ""'),
    ]
)
_marker = st.recursive(
    _atom,
    lambda inner: st.builds(
        lambda a, word, b: f"({a}) {word} ({b})", inner, st.sampled_from(["and", "or"]), inner
    ),
    max_leaves=5,
)


@given(_marker, st.sampled_from(["", "a", "b", "c", "fast-path", "other", "extra"]))
def test_a_marker_is_evaluated_only_with_the_extras_that_it_mentions(text: str, extra: str) -> None:
    """With any other extra its value is that without an extra."""
    marker = Marker(text)
    markers = Markers(TARGET)
    metadata = METADATA.replace(b"plain >=1, <2", f"plain ; {text}".encode())
    line = (
        ReleaseReader(TARGET, DerivedCache(None))
        .read(metadata, name=DEMO, version=Version("1"))
        .requires[0]
    )
    assert ExtraMarkers(markers).hold(line, extra) == markers.hold(marker, extra)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("", ()),
        ('python_version >= "3"', ()),
        ('extra == "b" and "Fast_Path" == extra', ("b", "fast-path")),
        ('extra in "a b"', None),
        ('extra == "a" or extra > "b"', None),
    ],
)
def test_the_extras_of_a_marker(marker: str, expected: tuple[str, ...] | None) -> None:
    assert find_extras(marker) == expected


def test_a_line_is_never_taken_for_another() -> None:
    """Two threads may parse the same text, so that one object goes, and its identity with it."""
    reader = ReleaseReader(TARGET, DerivedCache(None))
    for number in range(200):
        # Nothing else keeps the parsed requirement, as if another thread had been faster.
        reader._reader._requirements.clear()
        text = f"p{number}<{number + 1}"
        data = f"Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: {text}\n\n".encode()
        release = reader.read(data, name=canonicalize_name("a"), version=Version("1"))
        assert [line.text for line in release.requires] == [text]
