"""The command line in an empty directory, and what its runs make anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline import assemble
from crossdeps.resolution import resolver
from tests.support.command_line import CommandLine, open_command_line
from tests.support.index_server import Settings

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
    """The command line, before an index whose pages are revalidated by every run."""
    return open_command_line(
        tmp_path / "work",
        make_index(Settings(metadata_keys="both", etags=True)),
        monkeypatch,
        capsys,
    )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made anew since it was emptied: ``search`` and ``build``."""
    found: list[str] = []

    def count(module: object, name: str, word: str) -> None:
        function = getattr(module, name)

        def counted(*arguments: object, **named: object) -> object:
            found.append(word)
            return function(*arguments, **named)

        monkeypatch.setattr(module, name, counted)

    count(resolver, "resolve", "search")
    count(assemble, "assemble", "build")
    return found
