"""The library leaves alone what belongs to the program that calls it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import crossdeps

if TYPE_CHECKING:
    from tests.support.index_server import IndexServer

ROOT = Path(__file__).parents[2]
TARGET = crossdeps.Target(python="3.12", arch="x86_64")


def _state() -> tuple[object, ...]:
    os.umask(mask := os.umask(0o22))
    signals = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)]
    return dict(os.environ), Path.cwd(), mask, signals, logging.root.handlers[:], sys.argv[:]


def _use_everything(settings: crossdeps.Settings) -> None:
    report = crossdeps.build(["tree"], TARGET, "out.zip", settings=settings)
    repr(report)
    lock = crossdeps.lock(["tree"], TARGET, settings=settings)
    lock.write()
    crossdeps.build("pylock.toml", TARGET, "out", settings=settings)
    crossdeps.check("out.zip", TARGET)
    crossdeps.diff("out.zip", "out")
    crossdeps.report("out", TARGET)
    crossdeps.tags(TARGET)
    crossdeps.why("leaf", lock, TARGET, settings=settings)
    with pytest.raises(crossdeps.CrossdepsError):
        crossdeps.build(["no-such-project"], TARGET, "out", settings=settings)


def test_nothing_is_printed_and_the_process_stays_as_it_was(
    shared: crossdeps.Settings, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["program", "--no-such-option", "build"])
    before = _state()
    _use_everything(shared)
    assert _state() == before
    assert capfd.readouterr() == ("", "")


def test_standard_streams_are_not_needed(
    shared: crossdeps.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a service or of a program without a console are None."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    _use_everything(shared)


def test_the_options_of_the_project_file_are_the_command_s(
    shared: crossdeps.Settings, folder: Path
) -> None:
    (folder / "pyproject.toml").write_text('[tool.crossdeps]\nexclude = ["pure/"]\nno-such = 1\n')
    crossdeps.build(["pure"], TARGET, "out", settings=shared)
    assert (folder / "out/pure/__init__.py").is_file()


def test_variables_of_pip_count_unless_isolated(
    shared: crossdeps.Settings, monkeypatch: pytest.MonkeyPatch, plain_index: IndexServer
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", plain_index.url)
    from_pip = shared.replace(index_url=None, isolated=None)
    assert len(crossdeps.lock(["pure"], TARGET, settings=from_pip).packages) == 1
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
    assert len(crossdeps.lock(["leaf"], TARGET, settings=shared).packages) == 2


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import crossdeps; dir(crossdeps); crossdeps.__version__", set()),
        ("import crossdeps; crossdeps.InputError, crossdeps.FindingsError", {"errors"}),
        ("from crossdeps.errors import FindingsError", {"errors"}),
        ("import crossdeps; crossdeps.Progress", {"progress"}),
    ],
)
def test_what_is_not_used_is_not_loaded(code: str, loaded: set[str]) -> None:
    code += "; import sys; print(*(name for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = set(done.stdout.split())
    ours = {name.partition(".")[2] for name in names if name.startswith("crossdeps.")}
    assert ours == {"version", *loaded}
    assert names & {"msgspec", "packaging", "requests", "rich", "urllib3", "dataclasses"} == set()
