"""Every behaviour of the checklist that the search decides, each case as data."""

from __future__ import annotations

import msgspec
import pytest

from crossdeps.errors import CrossdepsError
from crossdeps.progress import Progress
from crossdeps.resolution.resolver import resolve
from crossdeps.resolution.stored_resolution import (
    StoredResolution,
    restore_resolution,
    store_resolution,
)
from tests.resolution.cases_conflicts import CONFLICTS
from tests.resolution.cases_dependencies import DEPENDENCIES
from tests.resolution.cases_files import FILES
from tests.resolution.cases_hashes import HASHES
from tests.resolution.cases_versions import VERSIONS
from tests.resolution.memory import TARGETS, Case, MemoryBuilder, pins_of

CASES = [*FILES, *VERSIONS, *DEPENDENCIES, *CONFLICTS, *HASHES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_behaviour(case: Case) -> None:
    index = case.memory_index()
    if case.error:
        _check_error(case)
        return
    resolution = case.resolve(index)
    assert pins_of(resolution) == (case.pins or "")
    chosen = {
        choice.candidate.file.filename for choice in resolution.choices.values() if choice.candidate
    }
    assert set(case.wheels) <= chosen
    chosen_on_index = [name for name, choice in resolution.choices.items() if choice.candidate]
    assert case.rejected.items() <= case.rejections(chosen_on_index).items()
    for fragment in case.warnings:
        assert any(fragment in warning for warning in resolution.warnings), resolution.warnings
    if not case.warnings:
        assert resolution.warnings == ()
    if case.pages is not None:
        assert sorted(index.pages) == sorted(case.pages)
    if case.read is not None:
        assert sorted(index.read) == sorted(case.read)


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.error], ids=lambda case: case.id
)
def test_a_stored_resolution_is_the_one_that_was_searched(case: Case) -> None:
    resolution = case.resolve()
    stored = store_resolution(resolution)
    if stored is None:
        choices = resolution.choices.values()
        assert any(choice.built or choice.source for choice in choices) or not case.hashes
        return
    data = msgspec.msgpack.encode(stored)
    again = msgspec.msgpack.decode(data, type=StoredResolution)
    assert restore_resolution(again, resolution.target, resolution.requirements) == resolution


def _check_error(case: Case) -> None:
    name, *fragments = case.error
    index = case.memory_index()
    with pytest.raises(CrossdepsError) as caught:
        case.resolve(index)
    error = caught.value
    assert type(error).__name__ == name, error
    told = "\n".join((error.message, *error.context, error.hint or ""))
    for fragment in fragments:
        assert fragment in told, told
    if case.pages is not None:
        assert sorted(index.pages) == sorted(case.pages)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_neither_order_nor_asking_ahead_changes_an_answer(case: Case) -> None:
    """The same pins or the same error, with pages, lines and requests in another order."""

    def outcome(*, shuffle: int, ahead: bool) -> str:
        inputs = case.inputs()
        if shuffle:
            inputs = msgspec.structs.replace(
                inputs,
                requirements=inputs.requirements[::-1],
                constraints=inputs.constraints[::-1],
                overrides=inputs.overrides[::-1],
            )
        try:
            return pins_of(case.resolve(case.memory_index(shuffle), inputs=inputs, ahead=ahead))
        except CrossdepsError as error:
            return f"{error!r} {error.context} {error.hint}"

    plain = outcome(shuffle=0, ahead=False)
    assert outcome(shuffle=1, ahead=True) == plain
    assert outcome(shuffle=2, ahead=False) == plain


def test_case_ids_are_unique() -> None:
    ids = [case.id for case in CASES]
    assert sorted(set(ids)) == sorted(ids)


def test_a_search_tells_what_it_takes_back_while_it_goes_on() -> None:
    """Each step back names the projects at odds, with the number of its round (F87)."""
    heard: list[tuple[str, int]] = []

    class Told(Progress):
        def backtracking(self, project: str, rounds: int) -> None:
            heard.append((project, rounds))

    case = Case(
        id="",
        index={
            "a": {str(version): [f"c=={version}"] for version in range(1, 6)},
            "b": {"1": ["c==1"]},
            "c": {str(version): [] for version in range(1, 6)},
        },
        ask=("a", "b"),
    )
    resolve(
        case.inputs(),
        TARGETS[case.target],
        case.memory_index(),
        case.policy,
        builder=MemoryBuilder(),
        progress=Told(),
    )
    assert heard
    assert {project for project, _ in heard} == {"c"}
    assert [rounds for _, rounds in heard] == sorted(rounds for _, rounds in heard)
