from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import crossdeps
from tests.support.command_line import fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index_server import IndexServer


@pytest.fixture
def shared(plain_index: IndexServer, tmp_path: Path) -> crossdeps.Settings:
    """What every call has in common: an index on loopback, and a cache of the test's own."""
    fill(plain_index)
    return crossdeps.Settings(
        index_url=plain_index.url, isolated=True, cache_dir=tmp_path / "cache"
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, which is empty."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here
