"""What ``--slim`` removes, no program misses: projects that look like what it removes, and others.

``python -m tests.artifacts.slimmed_programs`` runs all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.artifacts.slimmed_programs import PROGRAMS, build_slim, run_program
from tests.support.built_once import CACHE_ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.timeout(300)]

# Small ones; one for each rule that keeps something, and some that lose much.
SOME = (
    "mypy", "jedi", "cython", "pybind11", "nanobind", "twisted", "numpy", "lxml",
    "pycryptodome", "tornado",
)  # fmt: skip


def test_number_of_programs() -> None:
    """The eight that slimming broke, and at least 54 others."""
    assert len(PROGRAMS) >= 62


@pytest.mark.parametrize("requirement", SOME)
def test_a_slim_package_works(requirement: str, tmp_path: Path) -> None:
    report = build_slim(requirement, tmp_path / "package", cache=CACHE_ROOT)
    (tmp_path / "work").mkdir()
    assert run_program(requirement, tmp_path / "package", tmp_path / "work") == ""
    if requirement in {"numpy", "lxml", "tornado", "pycryptodome"}:
        assert sum(size for _, _, size in report.removed) > 500_000
