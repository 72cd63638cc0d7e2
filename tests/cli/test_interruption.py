"""Ctrl-C, SIGTERM and SIGHUP end a run at once, and leave nothing half-made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.command import REPOSITORY
from tests.support.command_line import TARGET
from tests.support.faults import stall
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.index_server import IndexServer

pytestmark = pytest.mark.subprocess

SIGNALS = {
    "Ctrl-C": (signal.SIGINT, 130),
    "SIGTERM": (signal.SIGTERM, 143),
    "SIGHUP": (signal.SIGHUP, 129),
}
LONG = 60.0
"""A slow machine ends a run within it; the index stalls much longer."""
PLACES = {
    "in a page": "/simple/slow/",
    "before a wheel": "/files/slow-1.0-py3-none-any.whl",
    "in the middle of a wheel": "/files/slow-1.0-py3-none-any.whl",
}


def _restore_signals() -> None:
    """A shell in the background ignores Ctrl-C, and nohup SIGHUP: children inherit that."""
    for number, _ in SIGNALS.values():
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_left_and_nobody_is_waited_for(
    make_index: Callable[..., IndexServer], tmp_path: Path, name: str, place: str
) -> None:
    number, code = SIGNALS[name]
    index = make_index()
    index.add(make_wheel("slow", "1.0", files={"slow.py": os.urandom(300_000)}))
    index.add(make_wheel("quick", "1.0"))
    after = 100_000 if "middle" in place else None
    # The first request for a file is the one that wants its metadata.
    index.script(PLACES[place], [stall(10 * LONG, after=after)], repeat=True)
    work, cache = tmp_path / "work", tmp_path / "cache"
    work.mkdir()
    command = ["build", "slow", "quick", "-o", "out.zip", "--cache-dir", str(cache), *TARGET]
    process = subprocess.Popen(
        [sys.executable, "-m", "crossdeps", *command],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PIP_INDEX_URL": index.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_restore_signals,  # noqa: PLW1509 - no thread holds a lock of it
    )
    _wait_for(lambda: PLACES[place] in index.paths() or process.poll() is not None)
    time.sleep(0.2)
    process.send_signal(number)
    out, err = process.communicate(timeout=LONG)
    assert process.returncode == code, err
    assert out == ""
    assert "Traceback" not in err
    assert list(work.iterdir()) == []
    assert [path.name for path in cache.rglob("*") if path.is_file() and "slow" in path.name] == []


def test_nohup_goes_on(make_index: Callable[..., IndexServer], tmp_path: Path) -> None:
    """A signal that is ignored when the process starts stays ignored."""
    index = make_index()
    index.add(make_wheel("slow", "1.0"))
    index.script(PLACES["in a page"], [stall(2.0)])
    script = (
        "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from crossdeps.cli.main import main; sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "build", "slow", "-o", "out.zip", *TARGET],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PIP_INDEX_URL": index.url},
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for(lambda: PLACES["in a page"] in index.paths() or process.poll() is not None)
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 0, err
    assert (tmp_path / "out.zip").is_file()


def _wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)
