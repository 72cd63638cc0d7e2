"""A zip written from its layout: the same bytes, whatever the system can do."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import Layout, WheelContent
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.write import write_zip, write_zip_layout
from crossdeps.bundle.zip_layout import ZipLayout, plan_zip
from crossdeps.errors import IntegrityError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.bundle.model import Bundle
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel
    from tests.bundle.conftest import WheelMaker


@pytest.fixture
def made(wheel: WheelMaker) -> Wheel:
    """Small members and large ones, deflated, in another order than that of their names."""
    sizes = {"a/large": 300_000, "a/larger": 1_200_000, "a/empty": 0, "a/one": 1}
    files = {name: os.urandom(size) for name, size in sizes.items()}
    files |= {f"a/{number:03}": os.urandom(number * 37) for number in range(0, 200, 5)}
    return wheel(
        "a", files=files, members=lambda members: members[::3] + members[1::3] + members[2::3]
    )


@pytest.fixture
def bundle(made: Wheel, wheel: WheelMaker, target: Target, tmp_path: Path) -> Bundle:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_bytes(os.urandom(70_000))
    (tmp_path / "src" / "a.py").write_text("")
    stored = wheel("b", files={"a/b": os.urandom(90_000), "a/c": b"c"}, method=0)
    layout = Layout(kind="zip", sources=(tmp_path / "src",))
    return plan_bundle([made, stored], target, layout)


@pytest.fixture
def expected(bundle: Bundle, tmp_path: Path) -> str:
    """The SHA-256 of a zip that another tool finds to hold what was planned."""
    written = write_zip(bundle, tmp_path / "expected.zip")
    content = (tmp_path / "expected.zip").read_bytes()
    assert written.size == len(content)
    assert written.sha256 == hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(tmp_path / "expected.zip") as archive:
        found = {
            name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()
        }
    assert found == {entry.path: entry.sha256 for entry in bundle.entries}
    return written.sha256


def refuse(code: int) -> Callable[..., int]:
    def call(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return call


def refuse_later(*arguments: Any) -> int:  # noqa: ANN401 - those of the call
    """Copy the first half, then refuse."""
    source, destination, count, offset = arguments
    if offset % 2:
        raise OSError(errno.EIO, "Input/output error")
    data = os.pread(source, count // 2 | 1, offset)
    return os.write(destination, data)


@pytest.mark.parametrize(
    "copy",
    [
        None,
        *map(refuse, (errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM)),
        lambda *_: 0,
        lambda source, fd, count, offset: os.write(fd, os.pread(source, min(count, 999), offset)),
        refuse_later,
    ],
    ids=["absent", "ENOSYS", "EXDEV", "EOPNOTSUPP", "EINVAL", "EPERM", "nothing", "short", "later"],
)
def test_the_system_may_not_copy(
    bundle: Bundle,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    copy: Callable[..., int] | None,
) -> None:
    if copy is None:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    else:
        monkeypatch.setattr(os, "copy_file_range", copy, raising=False)
    assert write_zip(bundle, tmp_path / "out.zip").sha256 == expected
    assert hashlib.sha256((tmp_path / "out.zip").read_bytes()).hexdigest() == expected


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_copy_that_fails_is_an_error(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """What the system says when it copies, it says again when we do."""
    monkeypatch.setattr(os, "copy_file_range", refuse(code), raising=False)
    monkeypatch.setattr(os, "write", refuse(code))
    with pytest.raises(ResourceError, match=os.strerror(code)):
        write_zip(bundle, tmp_path / "out.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_a_layout_can_be_kept(bundle: Bundle, expected: str, tmp_path: Path) -> None:
    """Serialised, and written from copies of the wheels."""
    layout, paths = plan_zip(bundle)
    kept = msgspec.msgpack.encode(layout)
    copies = [tmp_path / f"{number}.copy" for number in range(len(paths))]
    for path, copy in zip(paths, copies, strict=True):
        shutil.copy(path, copy)
    layout = msgspec.msgpack.decode(kept, type=ZipLayout)
    out = tmp_path / "out.zip"
    written = write_zip_layout(layout, copies, out, expected_sha256=expected)
    assert (written.sha256, written.size) == (expected, layout.size)
    assert layout.count == len(bundle.entries)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == expected


def test_a_layout_names_wheels_once(bundle: Bundle, made: Wheel) -> None:
    layout, paths = plan_zip(bundle)
    assert [file.name for file in layout.files if file.is_wheel] == [
        made.filename,
        "b-1.0-py3-none-any.whl",
    ]
    assert [file.sha256 for file in layout.files] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    ]


def test_another_zip_than_expected_is_not_kept(
    bundle: Bundle, expected: str, made: Wheel, tmp_path: Path
) -> None:
    """A wheel that was damaged, or swapped, is noticed before the old zip is replaced."""
    layout, paths = plan_zip(bundle)
    out = tmp_path / "out.zip"
    write_zip(bundle, out)
    content = bytearray(made.file.read_bytes())
    member = next(member for member in made.members if member.path == "a/larger")
    content[member.offset + 5] ^= 1
    made.file.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"out\.zip isn't the zip"):
        write_zip_layout(layout, paths, out, expected_sha256=expected)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == expected
    assert {path.name for path in tmp_path.iterdir()} == {"src", "expected.zip", "out.zip"}


@pytest.mark.parametrize("name", ["a/larger", "a/large", "a/150", "a/one"])
@pytest.mark.parametrize("copy", [True, False])
def test_the_member_that_was_cut_is_named(
    bundle: Bundle,
    made: Wheel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    copy: bool,
) -> None:
    if not copy:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    members = {member.path: member for member in made.members}
    cut = members[name].offset + members[name].compressed_size - 1
    made.file.write_bytes(made.file.read_bytes()[:cut])
    lost = [
        entry.path
        for entry in bundle.entries
        if (member := members.get(entry.path))
        and isinstance(entry.content, WheelContent)
        and member.size
        and member.offset + member.compressed_size > cut
    ]
    with pytest.raises(IntegrityError, match="changed after it was verified") as caught:
        write_zip(bundle, tmp_path / "out.zip")
    assert caught.value.context == (made.filename, lost[0])
    assert str(made.file) in (caught.value.hint or "")
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_many_small_members_take_few_calls(
    wheel: WheelMaker, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls to the system grow with the bytes, not with the members."""
    calls = 0

    class File:
        def __init__(self, file: Any) -> None:  # noqa: ANN401 - any file
            self._file = file

        def read(self, size: int) -> bytes:
            nonlocal calls
            calls += 1
            data: bytes = self._file.read(size)
            return data

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute
            return getattr(self._file, name)

    many = wheel("m", files={f"m/{number:05}.py": b"x" * 50 for number in range(4000)})
    bundle = plan_bundle([many], target, Layout(kind="zip"))
    write, open_file = os.write, ContentReader.open_file

    def counted(fd: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        return write(fd, data)

    monkeypatch.setattr(os, "write", counted)
    monkeypatch.setattr(ContentReader, "open_file", lambda self, path: File(open_file(self, path)))
    size = write_zip(bundle, tmp_path / "out.zip").size
    assert calls < 10 + size // 100_000
