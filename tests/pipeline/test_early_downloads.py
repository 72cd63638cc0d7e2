"""A build downloads wheels while it still searches; nothing else changes by that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

import crossdeps
from crossdeps.pipeline.build import build
from crossdeps.pipeline.lock import lock
from crossdeps.pipeline.request import Settings
from crossdeps.pipeline.resolve import resolve
from crossdeps.progress import Progress
from crossdeps.requirements.model import FileOptions
from crossdeps.target.model import Target
from tests.support import faults
from tests.support.wheel_factory import WheelFile, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index_server import IndexServer

TARGET = Target(python="3.12", arch="x86_64")
DEPTH = 8


def chain(*, last: str = "") -> list[WheelFile]:
    """Projects each of which requires the next, so that a search takes its time."""
    return [
        make_wheel(
            f"p{number}",
            "1.0",
            requires=[f"p{number + 1}"] if number < DEPTH - 1 else [last] if last else [],
            files={f"p{number}.py": bytes(2_000_000) if not number else b""},
        )
        for number in range(DEPTH)
    ]


@pytest.fixture(params=["plain_index", "pypi_like_index"])
def server(request: pytest.FixtureRequest) -> IndexServer:
    """Without and with metadata beside the wheels, ETags and max-age."""
    index: IndexServer = request.getfixturevalue(request.param)
    index.configure(latency=0.02)
    return index


@pytest.fixture
def settings(server: IndexServer, tmp_path: Path) -> Settings:
    return Settings(
        index=FileOptions(index_url=server.url), isolated=True, cache=tmp_path / "cache"
    )


def downloads(server: IndexServer) -> list[str]:
    return [
        each.path.rpartition("/")[2]
        for each in server.requests
        if each.path.endswith(".whl") and "range" not in each.headers
    ]


def test_a_download_begins_before_the_search_has_ended(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    made = chain()
    for each in made:
        server.add(each)
    report = build(["p0"], TARGET, tmp_path / "out.zip", settings=settings)
    assert len(report.packages) == DEPTH
    paths = server.paths()
    assert paths.index(f"/files/{made[0].filename}") < paths.index(f"/simple/p{DEPTH - 1}/")
    assert sorted(downloads(server)) == sorted(each.filename for each in made)  # each once


def test_the_zip_is_the_same_as_that_of_the_lock(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    for each in chain():
        server.add(each)
    early, late = tmp_path / "early.zip", tmp_path / "late.zip"
    build(["p0"], TARGET, early, settings=settings)
    lock = tmp_path / "pylock.toml"
    from crossdeps.cli.main import main

    common = ["--isolated", "-i", server.url, "--python", "3.12", "--arch", "x86_64", "-q"]
    assert main(["lock", "p0", "-o", str(lock), *common]) == 0
    cache = ["--cache-dir", str(tmp_path / "other")]
    assert main(["build", str(lock), "-o", str(late), *common[3:], *cache]) == 0
    assert early.read_bytes() == late.read_bytes()


@pytest.mark.parametrize("how", ["lock", "resolve", "dry run"])
def test_nothing_is_downloaded_where_nothing_is_built(
    how: str, pypi_like_index: IndexServer, tmp_path: Path
) -> None:
    server = pypi_like_index
    server.configure(latency=0.02)
    for each in chain():
        server.add(each)
    settings = Settings(
        index=FileOptions(index_url=server.url), isolated=True, cache=tmp_path / "cache"
    )
    if how == "lock":
        lock(["p0"], TARGET, settings=settings)
    elif how == "resolve":
        resolve(["p0"], TARGET, settings=settings)
    else:
        dry = replace(settings, dry_run=True)
        build(["p0"], TARGET, tmp_path / "out.zip", settings=dry)
    assert downloads(server) == []


def test_a_search_that_fails_ends_the_downloads(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    """The error is that of the search, whatever became of the downloads."""
    made = chain(last="nowhere")
    for each in made:
        server.add(each)
    server.script(f"/files/{made[1].filename}", [faults.status(403)], repeat=True)
    with pytest.raises(crossdeps.CrossdepsError) as caught:
        build(["p0"], TARGET, tmp_path / "out.zip", settings=settings)
    with pytest.raises(crossdeps.CrossdepsError) as expected:
        resolve(["p0"], TARGET, settings=replace(settings, cache=tmp_path / "other"))
    assert str(caught.value) == str(expected.value)
    assert not (tmp_path / "out.zip").exists()
    assert_no_partial_files(tmp_path)


def test_a_download_that_fails_beside_the_search_fails_the_build(
    pypi_like_index: IndexServer, tmp_path: Path
) -> None:
    server = pypi_like_index
    server.configure(latency=0.02)
    made = chain()
    for each in made:
        server.add(each)
    path = f"/files/{made[0].filename}"
    server.script(path, [faults.other_body(b"x" * made[0].size)], repeat=True)
    settings = Settings(
        index=FileOptions(index_url=server.url), isolated=True, cache=tmp_path / "cache"
    )
    with pytest.raises(crossdeps.HashMismatchError) as caught:
        build(["p0"], TARGET, tmp_path / "out.zip", settings=settings)
    assert f"the sha256 hash of {made[0].filename} does not match" in str(caught.value)
    assert server.paths().index(path) < server.paths().index(f"/simple/p{DEPTH - 1}/")
    assert_no_partial_files(tmp_path)


def test_a_pin_that_is_given_up_is_not_in_the_result(
    server: IndexServer, settings: Settings, tmp_path: Path
) -> None:
    """``b 2`` is pinned first and conflicts with what is found behind it."""
    for each in (
        make_wheel("a", "1.0", requires=["b", "c"]),
        make_wheel("b", "2.0", requires=["d<2"]),
        make_wheel("b", "1.0", requires=["d"]),
        make_wheel("c", "1.0", requires=["d>=2"]),
        make_wheel("d", "2.0"),
        make_wheel("d", "1.0"),
    ):
        server.add(each)
    report = build(["a"], TARGET, tmp_path / "out", settings=settings)
    assert [(line.name, line.version) for line in report.packages] == [
        ("a", "1.0"),
        ("b", "1.0"),
        ("c", "1.0"),
        ("d", "2.0"),
    ]


class Interrupting(Progress):
    """Interrupts the search as Ctrl-C does, in the main thread."""

    def __init__(self, project: str) -> None:
        self._project = project

    def considered(self, project: str, version: str, pinned: int) -> None:
        del version, pinned
        if project == self._project:
            raise KeyboardInterrupt


def test_an_interrupt_leaves_no_partial_files(
    pypi_like_index: IndexServer, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    server = pypi_like_index
    server.configure(latency=0.02)
    made = chain()
    for each in made:
        server.add(each)
    server.script(f"/files/{made[0].filename}", [faults.stall(0.3, after=10_000)])
    settings = Settings(
        index=FileOptions(index_url=server.url), isolated=True, cache=tmp_path / "cache"
    )
    with pytest.raises(KeyboardInterrupt):
        build(
            ["p0"],
            TARGET,
            tmp_path / "out.zip",
            settings=settings,
            progress=Interrupting(f"p{DEPTH - 1}"),
        )
    for thread in threading.enumerate():
        if thread.name == "crossdeps-fetch":
            thread.join(20)
            assert not thread.is_alive()
    assert_no_partial_files(tmp_path)
    assert not recwarn.list


def assert_no_partial_files(root: Path) -> None:
    """The cache holds whole wheels under their hashes, and no work of a run."""
    wheels = root / "cache/wheels"
    partial = [path for path in wheels.rglob("*") if path.is_file() and "sha256" not in path.parts]
    assert partial == []
