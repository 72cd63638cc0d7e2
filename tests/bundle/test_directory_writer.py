from __future__ import annotations

import errno
import os
import stat
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossdeps.bundle import directory_writer
from crossdeps.bundle.content import read_content
from crossdeps.bundle.model import Layout
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.write import write_directory
from crossdeps.errors import IntegrityError, OutputError, ResourceError
from crossdeps.wheels.zip_format import inflate_small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossdeps.bundle.model import Bundle
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


@pytest.mark.parametrize("damage", ["longer", "shorter", "cut", "followed", "none"])
def test_a_small_member_is_inflated_strictly(damage: str) -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(bytes(1000)) + compressor.flush()
    data = {"cut": data[:-1], "followed": data + b"\0"}.get(damage, data)
    size = {"longer": 999, "shorter": 1001}.get(damage, 1000)
    assert (len(inflate_small(data, size)) == size) == (damage == "none")


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(root).as_posix(): (
            stat.S_IMODE(path.stat().st_mode),
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (root, *root.rglob("*"))
    }


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_never_change_a_directory(
    wheel: WheelMaker,
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    threads: int,
) -> None:
    wheels = [
        wheel(name, files={f"{name}/{n % 7}/{n}": os.urandom(n * 11) for n in range(150)})
        for name in "abc"
    ]
    bundle = plan_bundle(wheels, target, Layout())
    monkeypatch.setattr(directory_writer, "_count_threads", lambda: threads)
    write_directory(bundle, tmp_path / "out")
    found = tree(tmp_path / "out")
    for entry in bundle.entries:
        mode, content = found[entry.path]
        assert (mode, len(content)) == (entry.mode, entry.size)
        assert content == read_content(entry.content)
    assert threading.active_count() == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_a_thread_that_fails_stops_the_others(
    wheel: WheelMaker,
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    threads: int,
) -> None:
    made = wheel("a", files={f"a/{number}": str(number) for number in range(2000)})
    bundle = plan_bundle([made], target, Layout())
    monkeypatch.setattr(directory_writer, "_count_threads", lambda: threads)
    write, calls = os.write, 0

    def full(fd: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls >= 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ResourceError, match="No space left"):
        write_directory(bundle, tmp_path / "out")
    assert calls < 10 + 2 * threads
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == 1


class TestUnchangedFiles:
    """Files of our own previous directory are used again where they are what was planned."""

    @pytest.fixture
    def old(self, wheel: WheelMaker, target: Target) -> Bundle:
        files = {"a/same.py": "same", "a/changed.py": "1", "a/mode": "#!", "a/gone.py": ""}
        return plan_bundle([wheel("a", files=files, executable=["a/mode"])], target, Layout())

    @pytest.fixture
    def new(self, wheel: WheelMaker, target: Target) -> Bundle:
        files = {"a/same.py": "same", "a/changed.py": "2", "a/mode": "#!", "a/new.py": ""}
        return plan_bundle([wheel("a", "2.0", files=files)], target, Layout())

    @pytest.fixture
    def fresh(self, new: Bundle, tmp_path: Path) -> dict[str, tuple[int, bytes]]:
        write_directory(new, tmp_path / "fresh")
        return tree(tmp_path / "fresh")

    def test_they_are_kept(
        self, old: Bundle, new: Bundle, fresh: dict[str, tuple[int, bytes]], tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        write_directory(old, out)
        before = {path.name: path.stat().st_ino for path in (out / "a").iterdir()}
        write_directory(new, out)
        after = {path.name: path.stat() for path in (out / "a").iterdir()}
        assert after["same.py"].st_ino == before["same.py"]
        assert after["changed.py"].st_ino != before["changed.py"]
        assert after["mode"].st_ino != before["mode"]
        assert {status.st_nlink for status in after.values()} == {1}
        assert tree(out) == fresh

    @pytest.mark.parametrize("error", [errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOENT])
    def test_without_links_they_are_written(
        self,
        old: Bundle,
        new: Bundle,
        fresh: dict[str, tuple[int, bytes]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        error: int,
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(error, os.strerror(error))

        write_directory(old, tmp_path / "out")
        monkeypatch.setattr(os, "link", refuse)
        write_directory(new, tmp_path / "out")
        assert tree(tmp_path / "out") == fresh

    def test_what_the_user_has_linked_is_not_shared(
        self, old: Bundle, new: Bundle, fresh: dict[str, tuple[int, bytes]], tmp_path: Path
    ) -> None:
        write_directory(old, tmp_path / "out")
        os.link(tmp_path / "out/a/same.py", tmp_path / "mine.py")
        write_directory(new, tmp_path / "out")
        assert (tmp_path / "mine.py").stat().st_nlink == 1
        assert tree(tmp_path / "out") == fresh

    def replace(self, path: Path) -> None:
        path.unlink()
        path.write_text("mine")

    def append(self, path: Path) -> None:
        with path.open("a") as file:
            file.write("mine")

    def link(self, path: Path) -> None:
        os.link(path, path.parent.parent.parent / "mine.py")

    @pytest.mark.parametrize("change", [replace, append, link, Path.unlink])
    def test_what_changes_at_the_last_moment_is_not_kept(
        self,
        old: Bundle,
        new: Bundle,
        fresh: dict[str, tuple[int, bytes]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        change: Callable[..., None],
    ) -> None:
        write_directory(old, tmp_path / "out")
        real = os.link

        def link(source: str, destination: str) -> None:
            if source.endswith("same.py") and destination.endswith("same.py"):
                arguments = (Path(source),) if change == Path.unlink else (self, Path(source))
                monkeypatch.setattr(os, "link", real)
                change(*arguments)
            real(source, destination)

        monkeypatch.setattr(os, "link", link)
        write_directory(new, tmp_path / "out")
        assert os.link is real
        assert tree(tmp_path / "out") == fresh

    def test_with_force_everything_is_written(
        self, old: Bundle, new: Bundle, fresh: dict[str, tuple[int, bytes]], tmp_path: Path
    ) -> None:
        """What isn't compared before isn't kept."""
        write_directory(old, tmp_path / "out")
        (tmp_path / "out/a/same.py").write_text("Same")
        write_directory(new, tmp_path / "out", force=True)
        assert tree(tmp_path / "out") == fresh
