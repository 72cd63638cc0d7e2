"""What is refused before any work is done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import OutputError
from crossdeps.pipeline.artifact import apply_layout, check_output
from crossdeps.pipeline.request import Settings
from crossdeps.target.model import Target

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target(python="3.12", arch="x86_64")


def test_no_force_replaces_the_code_that_is_being_packaged(tmp_path: Path) -> None:
    """An output inside a source that holds the user's files stays, whatever was asked."""
    source = tmp_path / "src"
    (source / "pkg").mkdir(parents=True)
    (source / "pkg" / "mine.py").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "old.txt").write_text("")
    forced = Settings(force=True)
    with pytest.raises(OutputError, match="didn't write"):
        check_output(apply_layout(forced, source / "pkg", source, TARGET))
    check_output(apply_layout(forced, source / "new", source, TARGET))
    check_output(apply_layout(forced, tmp_path / "elsewhere", source, TARGET))
