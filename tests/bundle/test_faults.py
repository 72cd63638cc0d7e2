"""Whatever fails, the destination is as before or complete, and nothing else is left."""

from __future__ import annotations

import errno
import functools
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from crossdeps.bundle.model import Layout
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.read import read_bundle
from crossdeps.bundle.write import write_directory, write_zip
from crossdeps.errors import OutputError, ResourceError
from crossdeps.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.bundle.model import Bundle
    from crossdeps.target.model import Target
    from tests.bundle.conftest import WheelMaker

CALLS = (
    *("open", "write", "copy_file_range", "link", "lstat", "fstat"),
    *("rename", "replace", "mkdir", "fchmod", "chmod"),
)


@dataclass
class Shim:
    """Fails one call in all of those to the system, by its number."""

    fail_at: int
    error: BaseException
    count: int = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name in CALLS:
            if hasattr(os, name):
                patch.setattr(os, name, self._wrap(getattr(os, name)))

    def _wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - any call's
            self.count += 1
            if self.count == self.fail_at:
                raise self.error
            return call(*args, **options)

        return wrapper


def snapshot(root: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def outcome(call: Callable[[], object]) -> BaseException | None:
    try:
        call()
    except (OutputError, ResourceError, KeyboardInterrupt) as raised:
        return raised
    return None


@pytest.fixture
def bundles(wheel: WheelMaker, target: Target) -> tuple[Bundle, Bundle]:
    same = {"same/one.py": "1", "same/two.py": "2" * 99}
    old = plan_bundle([wheel("a", files={"a/x.py": "old"} | same)], target, Layout())
    files = {"b/sub/y.py": "new", "z.py": "", "b/large": os.urandom(100_000)} | same
    new = plan_bundle([wheel("b", files=files)], target, Layout())
    return old, new


@pytest.mark.parametrize("earlier", [False, True], ids=["fresh", "over ours"])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()],
    ids=["no space", "interrupt"],
)
@pytest.mark.parametrize("write", [write_directory, write_zip])
def test_every_call_may_fail(
    bundles: tuple[Bundle, Bundle],
    tmp_path: Path,
    write: Callable[..., Any],
    error: BaseException,
    earlier: bool,
) -> None:
    """Whatever the file system refuses, the destination is as before or complete (I122)."""
    old, new = bundles
    failures = 0
    for number in range(1, 500):
        root = tmp_path / str(number)
        out = root / "deep" / "out"
        root.mkdir()
        if earlier:
            write(old, out)
        before = snapshot(root)
        shim = Shim(fail_at=number, error=error)
        with pytest.MonkeyPatch.context() as patch:
            shim.install(patch)
            raised = outcome(functools.partial(write, new, out))
        after = snapshot(root)
        if isinstance(error, OSError) and raised:
            assert isinstance(raised, ResourceError | OutputError)
            assert str(out) in raised.message
            # Or the fault was in the check of what was there before.
            assert raised.hint == "free some space, or give an output on another disk" or (
                earlier and "cannot be read" in raised.message
            )
        failures += raised is not None
        if raised is None:
            assert_complete(new, out)
            assert list(root.iterdir()) == [out.parent]
            assert list(out.parent.iterdir()) == [out]
        elif after != before:
            assert isinstance(raised, KeyboardInterrupt)  # it came after the rename
            assert_complete(new, out)
            assert list(out.parent.iterdir()) == [out]
        if shim.count < number:
            break
    else:
        pytest.fail("it never ended")
    assert failures > (10 if write is write_directory else 2)


def assert_complete(bundle: Bundle, path: Path) -> None:
    written = read_bundle(path).entries
    assert [(entry.path, entry.sha256) for entry in written] == [
        (entry.path, entry.sha256) for entry in bundle.entries
    ]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EXDEV, "mount point"),
        (errno.EACCES, "may write to"),
        (errno.EROFS, "read-only"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, None),
    ],
)
@pytest.mark.parametrize("write", [write_directory, write_zip])
def test_the_reason_is_told(
    bundles: tuple[Bundle, Bundle],
    tmp_path: Path,
    write: Callable[..., Any],
    code: int,
    said: str | None,
) -> None:
    old, new = bundles
    out = tmp_path / "out"
    write(old, out)
    before = snapshot(tmp_path)

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code), str(out))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        patch.setattr(os, "rename", refuse)
        with pytest.raises((OutputError, ResourceError)) as caught:
            write(new, out)
    assert caught.value.exit_code == (1 if code in {errno.EDQUOT, errno.EIO} else 2)
    assert os.strerror(code) in caught.value.message
    assert (said or "") in (caught.value.hint or "")
    assert snapshot(tmp_path) == before


def test_a_failed_swap_puts_the_old_one_back(
    bundles: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    old, new = bundles
    out = tmp_path / "out"
    write_directory(old, out)
    before = snapshot(tmp_path)
    real, calls = os.rename, 0

    def second_fails(source: Path, destination: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.EIO, "Input/output error")
        real(source, destination)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "rename", second_fails)
        with pytest.raises(ResourceError):
            write_directory(new, out)
    assert calls == 3
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("write", [write_directory, write_zip])
def test_a_short_write_is_carried_on(
    bundles: tuple[Bundle, Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[..., Any],
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    write(bundles[0], tmp_path / "out")
    monkeypatch.undo()
    assert [entry.sha256 for entry in read_bundle(tmp_path / "out").entries] == [
        entry.sha256 for entry in bundles[0].entries
    ]


KILLED = """
import os, signal, sys
from pathlib import Path
from crossdeps.bundle.model import Bundle, Entry, InlineContent
from crossdeps.bundle.write import write_directory, write_zip
import hashlib
write = {"directory": write_directory, "zip": write_zip}[sys.argv[1]]
real = os.write
def slow(fd, data):
    done = real(fd, data)
    print("writing", flush=True)
    signal.pause()
    return done
os.write = slow
data = b"x" * 100
entry = Entry(path="a/b", mode=0o644, size=100, sha256=hashlib.sha256(data).hexdigest(),
              content=InlineContent(data=data), owner=None)
write(Bundle(kind="planned", entries=(entry,)), Path(sys.argv[2]))
"""


@pytest.mark.subprocess
@pytest.mark.parametrize("kind", ["directory", "zip"])
def test_what_a_killed_run_leaves_goes_with_the_next(
    bundles: tuple[Bundle, Bundle], tmp_path: Path, kind: str
) -> None:
    """And what a living run is writing stays."""
    out = tmp_path / "out"
    write = {"directory": write_directory, "zip": write_zip}[kind]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, kind, str(out)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        write(bundles[0], out)
        beside = len(list(tmp_path.iterdir()))
        process.send_signal(signal.SIGKILL)
    assert beside == 2
    assert len(list(tmp_path.iterdir())) == 2
    write(bundles[1], out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.subprocess
@pytest.mark.parametrize("kind", ["directory", "zip"])
def test_ctrl_c_leaves_nothing(tmp_path: Path, kind: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, kind, str(tmp_path / "new" / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_directory, write_zip])
def test_two_at_a_time_both_end_well(
    bundles: tuple[Bundle, Bundle], tmp_path: Path, write: Callable[..., Any]
) -> None:
    """A run that starts while another writes neither disturbs it nor is disturbed."""
    old, new = bundles
    out = tmp_path / "out"

    class Nested(Progress):
        def writing(self, path: str, entries: int) -> None:
            del path, entries
            write(old, out)

    write(new, out, progress=Nested())
    assert {project.name for project in read_bundle(out).projects} == {"b"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_many_at_a_time_with_one_destination_all_end_well(
    bundles: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    """Whoever is last wins; nobody fails over the moments in which another swaps directories."""
    out = tmp_path / "out"

    def write(bundle: Bundle) -> None:
        for _ in range(25):
            write_directory(bundle, out)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setattr(os, "sync", lambda: None)
        for each in [pool.submit(write, bundle) for bundle in bundles * 2]:
            each.result()
    assert {project.name for project in read_bundle(out).projects} in ({"a"}, {"b"})
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("write", [write_directory, write_zip])
def test_a_name_that_the_system_refuses_is_told_first(
    bundles: tuple[Bundle, Bundle], tmp_path: Path, write: Callable[..., Any]
) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write(bundles[0], tmp_path / ("n" * 300))
    assert list(tmp_path.iterdir()) == []
