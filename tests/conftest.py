"""Every test stands alone: walls for all, and the fixtures that many rooms share."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support.guards import clear_environment, forbid_network, forbid_programs
from tests.support.index_server import (
    IndexServer,
    Settings,
    plain_settings,
    pypi_like_settings,
)
from tests.support.interpreters import Interpreter, find_interpreters
from tests.support.poison import POISONS, poison_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A run in the background of a shell starts with Ctrl-C ignored, and so would what it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more about the machine, or about coverage, than about the code.
hypothesis.settings.register_profile("crossdeps", deadline=None)
hypothesis.settings.load_profile("crossdeps")

REAL_INDEX = {"network", "emulation"}
"""Marks of tests that may reach the package index, and keep the settings that tell how."""


@pytest.fixture(autouse=True)
def _walls(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Nothing of the user's; no network but loopback, no other programs, unless marked."""
    marks = {mark.name for mark in request.node.iter_markers()}
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        clear_environment(patch, home, keep_index=bool(marks & REAL_INDEX))
        if not marks & REAL_INDEX:
            forbid_network(patch)
        if not marks & {"subprocess", *REAL_INDEX}:
            forbid_programs(patch)
        yield


@pytest.fixture(params=POISONS)
def poisoned_host(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test under two hosts that answer wrongly, or not at all; gives the poison's name."""
    with pytest.MonkeyPatch.context() as patch:
        poison_host(patch, request.param)
        yield request.param


@pytest.fixture
def make_index() -> Iterator[Callable[..., IndexServer]]:
    """Start indexes: ``make_index(Settings(...))``; all end with the test."""
    with contextlib.ExitStack() as servers:

        def start(settings: Settings | None = None, *, host: str = "127.0.0.1") -> IndexServer:
            return servers.enter_context(IndexServer(settings, host=host))

        yield start


@pytest.fixture(params=["json", "html"])
def index_server(
    request: pytest.FixtureRequest, make_index: Callable[..., IndexServer]
) -> IndexServer:
    """An index that gives every page as JSON, and then one that gives it as HTML."""
    return make_index(Settings(form=request.param))


@pytest.fixture
def plain_index(make_index: Callable[..., IndexServer]) -> IndexServer:
    """A simple mirror: JSON and ranges; no separate metadata, ETag or cache headers."""
    return make_index(plain_settings())


@pytest.fixture
def pypi_like_index(make_index: Callable[..., IndexServer]) -> IndexServer:
    """An index with separate metadata, ETags and ten minutes of freshness."""
    return make_index(pypi_like_settings())


@pytest.fixture(scope="session")
def python_interpreters() -> tuple[Interpreter, ...]:
    """The installed CPythons that crossdeps supports, one for each minor version."""
    root = os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"
    found = find_interpreters(os.environ.get("PATH", ""), Path(root))
    if not found:
        pytest.skip("no CPython >= 3.10 on PATH or under PYENV_ROOT")
    return found
