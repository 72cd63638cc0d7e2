"""What measurements run: caches that are empty or full, commands, and the index as a process."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from benchmarks import runner as runners
from benchmarks import tools
from benchmarks.index_process import Index, add_options, started
from benchmarks.index_server import Counters
from benchmarks.index_store import Store
from benchmarks.measure import FailedError
from benchmarks.runner import Runner
from benchmarks.tools import Job, Work
from tests.support.index_server import IndexServer
from tests.support.wheel_factory import make_wheel

WORKS = [work for work in vars(tools).values() if isinstance(work, Work)]
INSTALLING = [work for work in WORKS if work.uses_cache]


class SilentIndex(Index):
    """An index that no one asks."""

    def counters(self) -> Counters:
        return Counters(requests=5)


@pytest.fixture
def index() -> Index:
    return SilentIndex(
        url="https://127.0.0.1:1/simple/", counters_url="https://127.0.0.1:1/", ca=Path("ca.pem")
    )


@pytest.fixture
def job(tmp_path: Path, index: Index) -> Job:
    return Job(
        requirements=tmp_path / "requirements.txt",
        lock=tmp_path / "pylock.toml",
        zips=(tmp_path / "all.zip", tmp_path / "slim.zip"),
        python="3.12",
        arch="aarch64",
        folder=tmp_path,
        cache=tmp_path / "cache",
        index=index,
    )


@pytest.fixture
def runner(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setattr(os, "sync", lambda: None)  # waits for whatever else the machine writes
    return Runner(tmp_path, "S", "x86_64", index)


def make_work(log: Path, name: str = "work") -> Work:
    """Appends to *log* how many runs its cache has seen."""
    code = (
        "import pathlib, sys\n"
        "cache, log, out = map(pathlib.Path, sys.argv[1:])\n"
        "cache.mkdir(exist_ok=True)\n"
        "assert not any(out.iterdir())\n"
        "with log.open('a') as file: print(len(list(cache.iterdir())), file=file)\n"
        "(cache / str(len(list(cache.iterdir())))).touch()\n"
        "(out / 'made').touch()\n"
    )
    start = (sys.executable, "-I", "-S", "-c", code)
    return Work(
        tool="python",
        name=name,
        commands=lambda job: ((*start, str(job.cache), str(log), str(job.folder)),),
    )


@pytest.mark.subprocess
def test_a_cold_run_has_an_empty_cache(runner: Runner, tmp_path: Path) -> None:
    work = make_work(tmp_path / "log")
    costs = [runner.run_cold(work) for _ in range(2)]
    assert (tmp_path / "log").read_text().split() == ["0", "0"]
    assert all(cost.wall > 0 and cost.requests == 0 for cost in costs)


@pytest.mark.subprocess
def test_a_warm_run_follows_one_that_is_not_measured(runner: Runner, tmp_path: Path) -> None:
    work = make_work(tmp_path / "log")
    runner.run_warm(work)
    runner.run_warm(work)
    assert (tmp_path / "log").read_text().split() == ["0", "1", "2"]


@pytest.mark.subprocess
def test_other_work_is_warmed_by_itself(runner: Runner, tmp_path: Path) -> None:
    runner.run_warm(make_work(tmp_path / "log"))
    runner.run_warm(make_work(tmp_path / "other", name="other"))
    assert (tmp_path / "other").read_text().split() == ["2", "3"]


@pytest.mark.subprocess
def test_a_cold_run_can_fill_the_cache_of_warm_ones(runner: Runner, tmp_path: Path) -> None:
    work = make_work(tmp_path / "log")
    runner.run_cold(work, keep=True)
    runner.run_warm(work)
    assert (tmp_path / "log").read_text().split() == ["0", "1"]


@pytest.mark.subprocess
def test_a_cache_that_is_too_old_is_filled_again(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "_WARM", 0.0)
    work = make_work(tmp_path / "log")
    runner.run_warm(work)
    runner.run_warm(work)
    assert (tmp_path / "log").read_text().split() == ["0", "1", "0", "1"]


@pytest.mark.parametrize("work", INSTALLING, ids=lambda work: work.name)
def test_each_tool_uses_its_cache_and_only_this_index(work: Work, job: Job) -> None:
    first = work.commands(job)[0]
    assert str(job.cache) in first
    assert job.index.url in first
    told = {*first, work.environment(job)["SSL_CERT_FILE"]}
    assert str(job.index.ca) in told


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_nothing_of_the_machine_is_used(
    work: Work, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_INDEX_URL", "UV_INDEX", "REQUESTS_CA_BUNDLE", "https_proxy", "PEX_ROOT"):
        monkeypatch.setenv(name, "of the machine")
    assert "of the machine" not in work.environment(job).values()


def test_a_plain_index_needs_no_certificate(job: Job) -> None:
    plain = Index(url="http://127.0.0.1:1/simple/", counters_url="", ca=None)
    job = Job(**{name: getattr(job, name) for name in Job.__slots__} | {"index": plain})
    for work in INSTALLING:
        for command in work.commands(job):
            assert not {"--cert", "None"} & set(command)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with one project."""
    with IndexServer() as upstream:
        upstream.add(make_wheel("foo", "1.0"))
        store = Store(tmp_path / "data", upstream=upstream.url)
        assert store.page("foo") is not None
    return tmp_path / "data"


@pytest.mark.subprocess
@pytest.mark.parametrize("tls", ["--tls", "--no-tls"])
def test_the_index_runs_as_a_process(data: Path, tls: str) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    said = parser.parse_args(["--data", str(data), tls])
    with started(said) as index:
        assert index.url.startswith("https:" if tls == "--tls" else "http:")
        assert (index.ca is not None) is (tls == "--tls")
        assert index.counters() == Counters(connections=1)
        assert index.counters().connections == 2


@pytest.mark.subprocess
def test_an_index_that_does_not_start_is_told_of(tmp_path: Path) -> None:
    data = tmp_path / "file"
    data.touch()
    parser = argparse.ArgumentParser()
    add_options(parser)
    said = parser.parse_args(["--data", str(data)])
    with pytest.raises(FailedError, match="did not start"), started(said):
        pass
