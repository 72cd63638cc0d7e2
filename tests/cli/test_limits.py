"""Limits of the machine are told as such: not as the network's, and with the path that is full."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.command import REPOSITORY
from tests.support.command_line import TARGET
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command_line import CommandLine

pytestmark = pytest.mark.subprocess


def _build_within(
    limit: int, value: int, folder: Path, *arguments: str, index_url: str
) -> subprocess.CompletedProcess[str]:
    """Build in a process with a lower limit of resources."""
    return subprocess.run(
        [sys.executable, "-m", "crossdeps", "build", *arguments, *TARGET],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PIP_INDEX_URL": index_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(limit, (value, value)),
    )


class TestOpenFiles:
    def test_too_few_are_no_fault_of_the_index(self, run: CommandLine, tmp_path: Path) -> None:
        done = _build_within(
            resource.RLIMIT_NOFILE, 7, tmp_path, "tree", "-o", "o.zip", index_url=run.index.url
        )
        assert done.returncode == 1, done.stderr
        assert "Too many open files" in done.stderr
        assert "ulimit -n" in done.stderr
        assert "index cannot be reached" not in done.stderr
        assert not (tmp_path / "o.zip").exists()


class TestFileSize:
    """``ulimit -f`` behaves as a disk that is full at this size."""

    @pytest.fixture(autouse=True)
    def large(self, run: CommandLine) -> None:
        run.index.add(make_wheel("large", "1.0", files={"large.bin": os.urandom(400_000)}))

    def test_the_file_of_the_cache_is_named(self, run: CommandLine, tmp_path: Path) -> None:
        done = _build_within(
            resource.RLIMIT_FSIZE, 200_000, tmp_path,
            "large", "-o", "o.zip", "--cache-dir", str(tmp_path / "cache"),
            index_url=run.index.url,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert re.match(r"error: File too large\n  /.+\n\nhint: .*ulimit -f", done.stderr)

    def test_the_output_is_named(self, run: CommandLine, tmp_path: Path) -> None:
        cache = str(tmp_path / "cache")
        run.build("large", "-o", "first.zip", "--cache-dir", cache)
        done = _build_within(
            resource.RLIMIT_FSIZE, 200_000, tmp_path,
            "large", "-o", "o.zip", "--cache-dir", cache, index_url=run.index.url,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert "error: cannot write " in done.stderr
        assert "o.zip: File too large" in done.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "work"]


class TestThreads:
    def test_a_system_that_starts_none_is_slower_but_right(
        self, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import threading

        start = threading.Thread.start

        def refuse(thread: threading.Thread) -> None:
            if threading.current_thread() is threading.main_thread():
                raise RuntimeError("can't start new thread")
            start(thread)  # one of the server's

        want = run.build("tree", "-o", "a.zip", "--no-cache")
        monkeypatch.setattr(threading.Thread, "start", refuse)
        told = run.build("tree", "-o", "b.zip", "--no-cache")
        assert (want.code, told.code) == (0, 0), told.err
        assert (run.folder / "a.zip").read_bytes() == (run.folder / "b.zip").read_bytes()


class TestHome:
    @pytest.mark.parametrize("home", ["/proc", "/dev/null", "", "relative"])
    def test_one_that_cannot_be_used_costs_the_cache_only(
        self, run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
    ) -> None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setenv("HOME", home)
        del tmp_path
        told = run.build("pure", "-o", "out.zip")
        assert told.code == 0, told.err
        assert told.left == ("out.zip",)
        if home.startswith("/"):
            assert told.err.count("warning: ") == 1
            assert "cannot be written" in told.err

    def test_a_user_without_one_is_told(
        self, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A container's user that has no entry in passwd."""
        import os.path

        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.delenv("HOME", raising=False)
        monkeypatch.setattr(os.path, "expanduser", lambda path: path)
        told = run.build("pure", "-o", "out.zip")
        assert (told.code, told.left) == (0, ("out.zip",))
        assert told.err.count("warning: the cache has no directory") == 1
        told = run("cache", "dir")
        assert (told.code, told.out) == (2, "")
        assert "--cache-dir" in told.err
