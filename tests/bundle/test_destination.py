from __future__ import annotations

import os
import zipfile
from pathlib import Path as RealPath
from typing import TYPE_CHECKING

import pytest

from crossdeps.bundle.destination import check_directory_destination, check_zip_destination
from crossdeps.bundle.model import Bundle, Layout
from crossdeps.bundle.output_path import check_output_path
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.write import write_directory, write_zip
from crossdeps.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.target.model import Target
    from tests.bundle.conftest import WheelMaker


@pytest.fixture
def bundle(wheel: WheelMaker, target: Target, tmp_path: Path) -> Bundle:
    source = tmp_path / "src"
    source.mkdir()
    (source / "app.py").write_text("old")
    made = wheel("a", files={"a/__init__.py": "", "a/b.py": "b"})
    return plan_bundle([made], target, Layout(sources=(source,), prefix="python/"))


def snapshot(root: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def test_ours_is_replaced(
    bundle: Bundle, wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    """Also with files that the next build no longer has, and source that has changed."""
    out = tmp_path / "out"
    write_directory(bundle, out)
    (tmp_path / "src" / "app.py").write_text("new")
    write_directory(plan_bundle([wheel("c")], target, Layout()), out)
    assert not (out / "python").exists()
    assert (out / "c").is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {"out", "src"}


def test_bytecode_that_python_made_of_ours_is_no_ones_work(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_directory(bundle, out)
    cache = out / "python/a/__pycache__"
    cache.mkdir()
    (cache / "b.cpython-312.pyc").write_bytes(b"")
    (cache / "b.cpython-312.opt-1.pyc").write_bytes(b"")
    write_directory(bundle, out)
    assert not cache.exists()


def plant_file(out: Path) -> str:
    (out / "python/a/mine.txt").write_text("mine")
    return "python/a/mine.txt"


def plant_change(out: Path) -> str:
    (out / "python/a/b.py").write_text("B")
    return "python/a/b.py"


def plant_changed_source(out: Path) -> str:
    (out / "python/app.py").write_text("edited in place")
    return "python/app.py"


def plant_link(out: Path) -> str:
    (out / "python/link").symlink_to("a/b.py")
    return "python/link"


def plant_link_over_ours(out: Path) -> str:
    (out / "python/a/b.py").unlink()
    (out / "python/a/b.py").symlink_to("/etc/hostname")
    return "python/a/b.py"


def plant_other_bytecode(out: Path) -> str:
    (out / "python/__pycache__").mkdir()
    (out / "python/__pycache__/mine.cpython-312.pyc").write_bytes(b"")
    return "python/__pycache__/mine.cpython-312.pyc"


def plant_other_installer(out: Path) -> str:
    (out / "python/a-1.0.dist-info/INSTALLER").write_text("pip\n")
    return "python/a-1.0.dist-info/INSTALLER"


@pytest.mark.parametrize(
    "plant",
    [
        plant_file,
        plant_change,
        plant_changed_source,
        plant_link,
        plant_link_over_ours,
        plant_other_bytecode,
        plant_other_installer,
    ],
)
def test_what_the_user_put_there_is_never_lost(
    bundle: Bundle, tmp_path: Path, plant: Callable[[Path], str]
) -> None:
    out = tmp_path / "out"
    write_directory(bundle, out)
    name = plant(out)
    before = snapshot(tmp_path)
    with pytest.raises(OutputError) as caught:
        write_directory(bundle, out)
    assert name in caught.value.context
    assert caught.value.hint
    assert "--force" in caught.value.hint
    assert snapshot(tmp_path) == before
    write_directory(bundle, out, force=True)
    assert {path.name for path in tmp_path.iterdir()} == {"out", "src"}


def test_an_empty_directory_is_fine(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_directory(bundle, tmp_path / "out")
    assert (tmp_path / "out/python/app.py").read_text() == "old"


def test_parents_are_made(bundle: Bundle, tmp_path: Path) -> None:
    write_directory(bundle, tmp_path / "x/y/out")
    write_zip(bundle, tmp_path / "z/y/out.zip")
    assert (tmp_path / "z/y/out.zip").is_file()


@pytest.mark.parametrize(
    "where", ["/etc/{}/out.zip", "/etc/{}/x/out", "/usr/lib/{}/out", "/{}/x.zip"]
)
def test_parents_are_not_made_in_directories_of_the_system(
    bundle: Bundle, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where the system keeps its files nor beside them."""
    monkeypatch.chdir(tmp_path)
    path = RealPath(where.format("crossdeps-made-this"))
    write = write_zip if path.suffix else write_directory
    with pytest.raises(OutputError, match="which belongs to the system") as caught:
        write(bundle, path, force=True)
    assert (
        caught.value.hint == f"make it first (mkdir -p {path.parent}), or give an output elsewhere"
    )
    assert not path.parent.exists()


def test_parents_are_made_below_the_current_directory_wherever_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A container often starts in ``/``."""
    monkeypatch.chdir("/")
    check_output_path((), RealPath("build/out/function.zip"))
    check_output_path((), RealPath("/build/out/function.zip"))
    with pytest.raises(OutputError, match="no directory is made in /etc,"):
        check_output_path((), RealPath("/etc/build/function.zip"))
    monkeypatch.chdir("/etc")
    check_output_path((), RealPath("build/function.zip"))


@pytest.mark.parametrize("name", [".DS_Store", "a/Thumbs.db", "desktop.ini", "._x", "a/.nfs0001a"])
def test_what_desktops_leave_in_our_output_goes_with_it(
    bundle: Bundle, tmp_path: Path, name: str
) -> None:
    """Whoever opens a directory in a file manager has not made it their own."""
    out = tmp_path / "out"
    write_directory(bundle, out)
    (out / "python" / name).write_text("icons")
    write_directory(bundle, out)
    assert not (out / "python" / name).exists()
    (tmp_path / "new").mkdir()
    (tmp_path / "new/.DS_Store").write_text("")
    write_directory(bundle, tmp_path / "new")
    (out / "python" / "mine.ini").write_text("mine")
    with pytest.raises(OutputError, match="didn't write"):
        write_directory(bundle, out)


def test_a_file_of_a_wheel_that_a_desktop_rewrote_is_replaced(
    wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    bundle = plan_bundle([wheel("a", files={"a/.DS_Store": "old"})], target, Layout())
    write_directory(bundle, tmp_path / "out")
    (tmp_path / "out/a/.DS_Store").write_text("new")
    write_directory(bundle, tmp_path / "out")
    assert (tmp_path / "out/a/.DS_Store").read_text() == "old"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("where", ["/", "~", "..", ".", "../..", "~/..", "sub/.."])
def test_special_directories_are_always_refused(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, force: bool
) -> None:
    home = tmp_path / "home" / "me"
    work = tmp_path / "work" / "here"
    (work / "sub").mkdir(parents=True)
    home.mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    before = snapshot(tmp_path)
    path = RealPath(where).expanduser()
    for write in (write_directory, write_zip):
        with pytest.raises(OutputError):
            write(bundle, path, force=force)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("force", [False, True])
def test_links_and_the_wrong_kind_are_always_refused(
    bundle: Bundle, tmp_path: Path, force: bool
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "broken").symlink_to("nothing")
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    for write, name in (
        (write_directory, "link"),
        (write_directory, "broken"),
        (write_directory, "file"),
        (write_zip, "link"),
        (write_zip, "broken"),
        (write_zip, "real"),
        (write_zip, "fifo"),
    ):
        with pytest.raises(OutputError, match=name):
            write(bundle, tmp_path / name, force=force)
    assert (tmp_path / "file").read_text() == "x"
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("force", [False, True])
def test_the_output_never_swallows_its_source(
    bundle: Bundle, wheel: WheelMaker, target: Target, tmp_path: Path, force: bool
) -> None:
    with pytest.raises(OutputError, match="contains a file that is to be packaged"):
        write_directory(bundle, tmp_path / "src", force=force)
    made = wheel("z")
    with pytest.raises(OutputError, match="contains a file that is to be packaged"):
        write_zip(plan_bundle([made], target, Layout(kind="zip")), made.file, force=force)
    assert (tmp_path / "src/app.py").exists()
    assert made.file.exists()


def test_our_zip_is_replaced(
    bundle: Bundle, wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    out = tmp_path / "out.zip"
    write_zip(bundle, out)
    write_zip(plan_bundle([wheel("c")], target, Layout(kind="zip")), out)
    with zipfile.ZipFile(out) as archive:
        assert "c/__init__.py" in archive.namelist()


@pytest.mark.parametrize("planted", ["member", "replaced", "other zip", "no zip", "empty"])
def test_other_files_are_not_replaced_by_a_zip(
    bundle: Bundle, tmp_path: Path, planted: str
) -> None:
    out = tmp_path / "out.zip"
    write_zip(bundle, out)
    if planted == "member":
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("handler.py", "mine")
    elif planted == "replaced":
        with zipfile.ZipFile(out) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    elif planted == "other zip":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.txt", "")
    else:
        out.write_bytes(b"text" if planted == "no zip" else b"")
    before = out.read_bytes()
    with pytest.raises(OutputError):
        write_zip(bundle, out)
    assert out.read_bytes() == before
    write_zip(bundle, out, force=True)
    assert zipfile.is_zipfile(out)


def test_a_directory_is_read_once(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing compares what the check before the work found, and hashes no file again."""
    write_directory(bundle, tmp_path / "out")
    checked = check_directory_destination((), tmp_path / "out", force=False)
    monkeypatch.setattr("crossdeps.bundle.destination.hash_file", pytest.fail)
    write_directory(bundle, tmp_path / "out", checked=checked)


def test_a_zip_is_read_once(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_zip(bundle, tmp_path / "out.zip")
    checked = check_zip_destination((), tmp_path / "out.zip", force=False)
    monkeypatch.setattr("crossdeps.bundle.destination._find_user_members", pytest.fail)
    write_zip(bundle, tmp_path / "out.zip", checked=checked)


@pytest.mark.parametrize("change", ["add", "modify", "restore the time"])
def test_what_changes_during_the_work_is_noticed(
    bundle: Bundle, tmp_path: Path, change: str
) -> None:
    """A file that the user writes between the check and the write is not lost."""
    out = tmp_path / "out"
    write_directory(bundle, out)
    checked = check_directory_destination((), out, force=False)
    file = out / "python" / ("mine.txt" if change == "add" else "app.py")
    before = None if change == "add" else file.stat()
    file.write_text("new")
    if before and change == "restore the time":
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(OutputError):
        write_directory(bundle, out, checked=checked)
    assert file.read_text() == "new"


def test_a_zip_that_changes_during_the_work_is_noticed(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    write_zip(bundle, path)
    checked = check_zip_destination((), path, force=False)
    path.write_bytes(b"mine")
    with pytest.raises(OutputError):
        write_zip(bundle, path, checked=checked)
    assert path.read_bytes() == b"mine"
