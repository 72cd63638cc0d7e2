"""What holds of every build, from the requirements to the bytes: on indexes made at random."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdeps.errors import ResolutionError
from crossdeps.pipeline.build import build
from crossdeps.pipeline.lock import lock
from crossdeps.pipeline.request import Settings
from crossdeps.requirements.model import FileOptions, Requirements
from crossdeps.resolution.lock.writer import dump
from crossdeps.target.model import Target
from tests.support.index_server import IndexServer, plain_settings
from tests.support.poison import POISONS, poison_host
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES = ("alpha", "beta", "delta", "gamma")
TARGET = Target(python="3.12", arch="aarch64")
MARKERS = ('platform_machine == "aarch64"', 'sys_platform == "win32"', 'python_version < "3.13"')


@st.composite
def requirement_lines(draw: st.DrawFn) -> str:
    """A project, perhaps bounded, perhaps for some targets only."""
    line = draw(st.sampled_from(NAMES)) + draw(
        st.sampled_from(("", "", "<3", ">=2", "!=3", "==1", "==3"))
    )
    return line + draw(st.sampled_from(("", "", *(f"; {marker}" for marker in MARKERS))))


PROJECTS = st.fixed_dictionaries(
    {
        name: st.fixed_dictionaries(
            {version: st.lists(requirement_lines(), max_size=2) for version in ("1", "2", "3")}
        )
        for name in NAMES
    }
)
ASKED = st.lists(requirement_lines(), min_size=1, max_size=4, unique=True)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def serve(projects: dict[str, dict[str, list[str]]]) -> IndexServer:
    """An index of these projects: name, version, requirements."""
    server = IndexServer(plain_settings())
    for name, versions in projects.items():
        for version, requires in versions.items():
            server.add(make_wheel(name, version, requires=requires))
    return server


def here(server: IndexServer) -> Settings:
    return Settings(index=FileOptions(index_url=server.url), isolated=True, no_cache=True)


def locked(lines: Sequence[str], server: IndexServer) -> str:
    """The text of the lock; the kind of failure where there is none."""
    try:
        asked = Requirements(requirements=tuple(lines))
        return dump(lock(asked, TARGET, settings=here(server)))
    except ResolutionError as error:
        return type(error).__name__


@settings(max_examples=60, deadline=None)
@given(projects=PROJECTS, lines=ASKED, data=st.data())
def test_the_order_of_lines_never_matters(
    projects: dict[str, dict[str, list[str]]], lines: list[str], data: st.DataObject
) -> None:
    """The same lines in another order give the same lock, or fail in the same way (F90)."""
    shuffled = data.draw(st.permutations(lines))
    with serve(projects) as server:
        assert locked(lines, server) == locked(shuffled, server)


@settings(max_examples=25, deadline=None)
@given(projects=PROJECTS, lines=ASKED)
def test_the_host_never_matters(
    projects: dict[str, dict[str, list[str]]], lines: list[str]
) -> None:
    """Three hosts, two of which answer every question wrongly, make one lock."""
    with serve(projects) as server:
        locks = {locked(lines, server)}
        for poison in POISONS:
            with pytest.MonkeyPatch.context() as patch:
                poison_host(patch, poison)
                locks.add(locked(lines, server))
    assert len(locks) == 1


@settings(max_examples=25, deadline=None)
@given(projects=PROJECTS, lines=ASKED)
def test_lock_then_build_is_build(
    projects: dict[str, dict[str, list[str]]], lines: list[str], folder: Path
) -> None:
    """A zip from the requirements and one from their lock are the same bytes."""
    path = folder / "pylock.toml"
    direct, planned = folder / "direct.zip", folder / "planned.zip"
    with serve(projects) as server:
        text = locked(lines, server)
        if "lock-version" not in text:
            return
        path.write_text(text, encoding="utf-8")
        build(lines, TARGET, direct, settings=here(server))
        build(path, TARGET, planned, settings=here(server))
    assert direct.read_bytes() == planned.read_bytes()
