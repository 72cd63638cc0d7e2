"""Metadata beside a wheel (PEP 658) that says other things than the wheel is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import WheelError
from crossdeps.pipeline.build import build
from crossdeps.pipeline.request import Settings
from crossdeps.requirements.model import FileOptions
from crossdeps.target.model import Target
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index_server import IndexServer

HIDING = make_wheel("hiding", "1.0", requires=["needed>=1"])
OPEN = make_wheel("hiding", "1.0")
NEEDED = make_wheel("needed", "1.0")
TARGET = Target(python="3.12", arch="x86_64")


def test_hidden_dependencies_are_refused_before_anything_is_written(
    pypi_like_index: IndexServer, tmp_path: Path
) -> None:
    """The resolver trusted what the index said; the wheel is what would be imported (C38)."""
    pypi_like_index.add(HIDING, metadata=OPEN.metadata)
    settings = Settings(index=FileOptions(index_url=pypi_like_index.url), isolated=True)
    for _ in ("cold", "warm"):
        with pytest.raises(WheelError, match="Requires-Dist") as caught:
            build(["hiding"], TARGET, tmp_path / "package", settings=settings)
        assert caught.value.rule == "metadata-mismatch"
        assert not (tmp_path / "package").exists()


def test_metadata_that_agrees_is_trusted(pypi_like_index: IndexServer, tmp_path: Path) -> None:
    """Nothing but the description may differ."""
    pypi_like_index.add(HIDING)
    pypi_like_index.add(NEEDED)
    settings = Settings(index=FileOptions(index_url=pypi_like_index.url), isolated=True)
    report = build(["hiding"], TARGET, tmp_path / "package", settings=settings)
    assert [line.name for line in report.packages] == ["hiding", "needed"]
