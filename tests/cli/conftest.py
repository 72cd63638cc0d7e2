from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import CommandLine, fill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.index_server import IndexServer


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make_index: Callable[..., IndexServer],
) -> CommandLine:
    """The command line, before an index with a few projects (see :func:`fill`)."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    index = make_index()
    fill(index)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    return CommandLine(folder=folder, index=index, capture=capsys)
