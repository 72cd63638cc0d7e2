from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import CommandLine, open_command_line

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
    return open_command_line(tmp_path / "work", make_index(), monkeypatch, capsys)
