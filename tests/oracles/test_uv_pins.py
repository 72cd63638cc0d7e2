"""The same pins as uv, for the same target, from the real index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import ResolutionError
from tests.oracles.requirement_sets import CUT_OFF, TARGETS, load_sets
from tests.oracles.search import search
from tests.oracles.uv_tool import uv_pins

if TYPE_CHECKING:
    from crossdeps.index.client import IndexClient

pytestmark = [pytest.mark.network, pytest.mark.subprocess, pytest.mark.timeout(300)]

SETS = load_sets()
DOCS = Path(__file__).parents[2] / "docs" / "explanation"


@pytest.mark.parametrize("target_name", TARGETS)
@pytest.mark.parametrize("set_name", SETS)
def test_pins_are_those_of_uv(
    set_name: str, target_name: str, package_index: IndexClient, tmp_path: Path
) -> None:
    """Wheels only, the same cut-off, the same full Python version, the same C library."""
    asked = SETS[set_name]
    ours = pins(asked.requirements, target_name, package_index)
    theirs, said = uv_pins(
        asked.requirements, TARGETS[target_name], cut_off=CUT_OFF, folder=tmp_path
    )
    if not asked.is_solvable(target_name):
        assert ours is None
        assert theirs is None
        return
    assert ours is not None, "crossdeps finds no answer"
    assert theirs is not None, said
    differing = {name for name in ours | theirs if ours.get(name) != theirs.get(name)}
    shown = {name: (ours.get(name), theirs.get(name)) for name in sorted(differing)}
    assert differing == asked.may_differ(target_name), shown


def pins(
    requirements: tuple[str, ...], target_name: str, index: IndexClient
) -> dict[str, str] | None:
    """The versions that crossdeps chooses, by normalised name; None where there is no answer."""
    try:
        found = search(requirements, TARGETS[target_name], index)
    except ResolutionError:
        return None
    return {str(name): str(choice.version) for name, choice in found.choices.items()}


def test_differences_are_explained() -> None:
    """Each difference names a decision that the documentation explains."""
    headings = (DOCS / "differences.md").read_text(encoding="utf-8").splitlines()
    for asked in SETS.values():
        for difference in asked.differences:
            assert f"## {difference.decision}" in headings
            assert difference.why


def test_there_are_enough_sets() -> None:
    """At least twenty, each of them answered for at least one target."""
    answered = [name for name, asked in SETS.items() if any(map(asked.is_solvable, TARGETS))]
    assert len(answered) >= 20
