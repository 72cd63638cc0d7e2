"""Progress is told to methods, and whatever they raise ends the run with nothing half made."""

from __future__ import annotations

import asyncio
import inspect
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import crossdeps

if TYPE_CHECKING:
    from pathlib import Path

TARGET = crossdeps.Target(python="3.12", arch="x86_64")
METHODS = [name for name, _ in inspect.getmembers(crossdeps.Progress, inspect.isfunction)]


class Recorder(crossdeps.Progress):
    """Records which methods were called, and raises *error* in one of them."""

    def __init__(self, method: str = "", error: BaseException | None = None) -> None:
        self.called: list[str] = []
        for name in METHODS:
            setattr(self, name, self._make(name, error if name == method else None))

    def _make(self, name: str, error: BaseException | None) -> object:
        def call(*_arguments: object) -> None:
            self.called.append(name)
            if error is not None:
                raise error

        return call


def _wait_for_threads() -> None:
    """Wait until no thread of crossdeps is left; one may be waiting for a response still."""
    for thread in threading.enumerate():
        if thread.name.startswith("crossdeps-"):
            thread.join(timeout=10)
            assert not thread.is_alive(), thread.name


class StopError(Exception):
    """An error of the caller's own."""


def test_a_build_tells_its_steps_in_order(shared: crossdeps.Settings) -> None:
    progress = Recorder()
    crossdeps.build(["tree"], TARGET, "out.zip", settings=shared, progress=progress)
    distinct = list(dict.fromkeys(progress.called))
    assert distinct[0] == "resolving"
    assert distinct[-2:] == ["writing", "wrote"]
    assert set(distinct) == {
        "resolving", "considered", "resolved", "fetching", "fetched", "writing", "wrote",
    }  # fmt: skip


@pytest.mark.parametrize("error", [StopError(), KeyboardInterrupt()], ids=["error", "interrupt"])
@pytest.mark.parametrize(
    "method", ["resolving", "considered", "resolved", "fetching", "fetched", "writing"]
)
@pytest.mark.parametrize("output", ["out.zip", "out"])
def test_what_a_method_raises_cancels_the_run(
    shared: crossdeps.Settings, folder: Path, method: str, error: BaseException, output: str
) -> None:
    with pytest.raises(type(error)) as caught:
        crossdeps.build(["tree"], TARGET, output, settings=shared, progress=Recorder(method, error))
    assert caught.value is error
    assert list(folder.iterdir()) == []
    _wait_for_threads()
    report = crossdeps.build(["tree"], TARGET, output, settings=shared)
    assert len(report.packages) == 4


@pytest.mark.parametrize("method", ["resolving", "fetching", "writing"])
def test_the_previous_output_stays_when_a_run_is_cancelled(
    shared: crossdeps.Settings, folder: Path, method: str
) -> None:
    crossdeps.build(["pure<2"], TARGET, "out.zip", settings=shared)
    before = (folder / "out.zip").read_bytes()
    with pytest.raises(StopError):
        crossdeps.build(
            ["tree"], TARGET, "out.zip", settings=shared, progress=Recorder(method, StopError())
        )
    assert (folder / "out.zip").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["out.zip"]


@pytest.mark.parametrize("method", ["resolving", "considered", "resolved"])
def test_locking_is_cancelled_too(shared: crossdeps.Settings, method: str) -> None:
    with pytest.raises(StopError):
        crossdeps.lock(["tree"], TARGET, settings=shared, progress=Recorder(method, StopError()))
    assert len(crossdeps.lock(["tree"], TARGET, settings=shared).packages) == 4


def test_builds_run_in_several_threads_at_once(shared: crossdeps.Settings, folder: Path) -> None:
    """With one cache, into outputs of their own."""

    def build(number: int) -> str:
        report = crossdeps.build(["tree"], TARGET, f"{number}.zip", settings=shared)
        assert zipfile.ZipFile(folder / f"{number}.zip").testzip() is None
        return report.artifact.sha256

    with ThreadPoolExecutor(6) as pool:
        digests = set(pool.map(build, range(12)))
    assert len(digests) == 1


def test_threads_with_different_targets_do_not_mix(shared: crossdeps.Settings) -> None:
    arm = crossdeps.Target(python="3.12", arch="arm64")

    def build(number: int) -> tuple[str, list[str]]:
        target = arm if number % 2 else TARGET
        report = crossdeps.build(["native"], target, f"{number}.zip", settings=shared)
        return target.arch, [line.wheel for line in report.packages]

    with ThreadPoolExecutor(4) as pool:
        for arch, wheels in pool.map(build, range(8)):
            assert wheels == [f"native-1.0-cp312-cp312-manylinux_2_17_{arch}.whl"]


def test_a_build_runs_inside_an_event_loop(shared: crossdeps.Settings, folder: Path) -> None:
    """It blocks the loop; in a thread it does not."""

    async def build() -> None:
        crossdeps.build(["pure"], TARGET, "direct.zip", settings=shared)
        await asyncio.to_thread(crossdeps.build, ["pure"], TARGET, "thread.zip", settings=shared)

    asyncio.run(build())
    assert (folder / "direct.zip").read_bytes() == (folder / "thread.zip").read_bytes()
