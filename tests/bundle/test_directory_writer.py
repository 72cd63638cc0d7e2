from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossdeps.bundle.model import Layout
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.write import write_directory
from crossdeps.errors import IntegrityError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.target.model import Target
    from tests.bundle.conftest import WheelMaker


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_modes_are_those_of_the_plan(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    """A host such as Lambda runs as another user: what the umask takes away breaks imports."""
    made = wheel("a", files={"a/sub/x.py": "", "a/run": "#!/bin/sh"}, executable=["a/run"])
    bundle = plan_bundle([made], target, Layout())
    out = tmp_path / "out"
    write_directory(bundle, out)
    modes = {
        path.relative_to(out).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (out, *out.rglob("*"))
    }
    planned = {entry.path: entry.mode for entry in bundle.entries}
    assert modes == {**planned, **dict.fromkeys([".", "a", "a/sub", "a-1.0.dist-info"], 0o755)}


def test_files_are_private_copies(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    made = wheel("a", method=0)
    write_directory(plan_bundle([made], target, Layout()), tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or path.stat().st_nlink == 1


def test_large_members_are_inflated_in_pieces(
    wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    data = bytes(range(256)) * 4096 * 5
    made = wheel("a", files={"deflated.bin": data})
    stored = wheel("b", files={"stored.bin": data}, method=0)
    write_directory(plan_bundle([made, stored], target, Layout()), tmp_path / "out")
    assert (tmp_path / "out/deflated.bin").read_bytes() == data
    assert (tmp_path / "out/stored.bin").read_bytes() == data


@pytest.mark.parametrize("method", [0, 8])
def test_a_changed_wheel_is_noticed(
    wheel: WheelMaker, target: Target, tmp_path: Path, method: int
) -> None:
    made = wheel("a", files={"a.txt": "x" * 100}, method=method)
    bundle = plan_bundle([made], target, Layout())
    member = next(member for member in made.members if member.path == "a.txt")
    content = bytearray(made.file.read_bytes())
    content[member.offset + member.compressed_size // 2] ^= 1
    made.file.write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        write_directory(bundle, tmp_path / "out")
    assert caught.value.context == (made.filename, "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file_is_told(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"cannot write .*file/out: Not a directory"):
        write_directory(plan_bundle([wheel("a")], target, Layout()), tmp_path / "file" / "out")


def test_a_hundred_wheels_need_few_descriptors(
    wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    wheels = [wheel(f"p{number}") for number in range(100)]
    bundle = plan_bundle(wheels, target, Layout())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = sum(1 for _ in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 30, hard))
    try:
        write_directory(bundle, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (tmp_path / "out/p99").is_dir()
