"""Laws of the search: it finds an answer where there is one, and answers are true."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

from crossdeps.errors import ResolutionError
from crossdeps.index.model import ProjectFile
from crossdeps.resolution.candidates import CandidateEvaluator
from crossdeps.resolution.file_rules import FileRules
from tests.resolution.memory import TARGETS, Case, pins_of

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1", "2", "3")

specifiers = st.sampled_from(["", "==1", "==2", "==3", ">=2", "<=2", "!=2", "<3", ">1"])
wants = st.builds(
    lambda name, extra, specifier, marker: f"{name}{extra}{specifier}{marker}",
    st.sampled_from(NAMES),
    st.sampled_from(["", "", "", "[x]", "[y]"]),
    specifiers,
    st.sampled_from(["", "", "", '; extra == "x"', '; extra == "y"']),
)
indexes = st.fixed_dictionaries(
    {
        name: st.dictionaries(
            st.sampled_from(VERSIONS), st.lists(wants, max_size=2), min_size=1, max_size=3
        )
        for name in NAMES
    }
)
asks = st.lists(
    st.builds(
        lambda name, extra, specifier: f"{name}{extra}{specifier}",
        st.sampled_from(NAMES),
        st.sampled_from(["", "", "[x]"]),
        specifiers,
    ),
    min_size=1,
    max_size=3,
)


def _case(index: dict[str, dict[str, list[str]]], ask: list[str]) -> Case:
    table = {
        name: {
            version: {"requires": requires, "extras": ["x", "y"]}
            for version, requires in versions.items()
        }
        for name, versions in index.items()
    }
    return Case(id="", index=table, ask=tuple(ask))


def _holds(picked: dict[str, str], index: dict[str, dict[str, list[str]]], ask: list[str]) -> bool:
    """Whether every want that *ask* leads to is satisfied by what was picked."""
    waiting = [Requirement(text) for text in ask]
    extras: dict[str, set[str]] = {name: set() for name in NAMES}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        want = waiting.pop()
        version = picked.get(want.name)
        if version is None or not want.specifier.contains(version):
            return False
        extras[want.name] |= want.extras
        key = (want.name, frozenset(extras[want.name]))
        if key in seen:
            continue
        seen.add(key)
        for text in index[want.name][version]:
            more = Requirement(text)
            asked_for = ["", *extras[want.name]]
            if more.marker is None or any(more.marker.evaluate({"extra": e}) for e in asked_for):
                waiting.append(more)
    return True


def _has_answer(index: dict[str, dict[str, list[str]]], ask: list[str]) -> bool:
    choices = [[None, *index[name]] for name in NAMES]
    for combination in itertools.product(*choices):
        picked = {
            name: version
            for name, version in zip(NAMES, combination, strict=True)
            if version is not None
        }
        if _holds(picked, index, ask):
            return True
    return False


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(index=indexes, ask=asks)
def test_an_answer_is_found_if_and_only_if_there_is_one(
    index: dict[str, dict[str, list[str]]], ask: list[str]
) -> None:
    """Whatever circles, extras and contradictions the projects have; tried against brute force."""
    try:
        resolution = _case(index, ask).resolve()
    except ResolutionError:
        assert not _has_answer(index, ask)
        return
    picked = {str(name): str(choice.version) for name, choice in resolution.choices.items()}
    assert _holds(picked, index, ask)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(index=indexes, ask=asks, data=st.data())
def test_neither_order_nor_timing_changes_the_answer(
    index: dict[str, dict[str, list[str]]], ask: list[str], data: st.DataObject
) -> None:
    """The order of lines, of files on a page, and which request ends first never matter (F90)."""
    shuffled = data.draw(st.permutations(ask))

    def outcome(ask: list[str], *, shuffle: int, ahead: bool) -> str:
        case = _case(index, ask)
        try:
            return pins_of(case.resolve(case.memory_index(shuffle), ahead=ahead))
        except ResolutionError as error:
            return type(error).__name__

    assert outcome(ask, shuffle=0, ahead=False) == outcome(shuffled, shuffle=1, ahead=True)


parts = st.builds(
    "-".join,
    st.tuples(
        st.sampled_from(["cp312", "cp311", "py3", "py2.py3", "cp312.cp313", "pp310", "cp38"]),
        st.sampled_from(["cp312", "none", "abi3", "cp312t", "cp311.cp312", "pypy310_pp73"]),
        st.sampled_from(
            [
                "any",
                "manylinux2014_x86_64",
                "manylinux_2_17_x86_64.manylinux2014_x86_64",
                "manylinux_2_28_x86_64",
                "manylinux2014_aarch64",
                "musllinux_1_2_x86_64",
                "win_amd64",
                "linux_x86_64",
                "macosx_11_0_arm64",
            ]
        ),
    ),
)


@given(tags=parts, target=st.sampled_from(sorted(TARGETS)))
def test_a_file_fits_if_and_only_if_its_tags_meet_the_targets(tags: str, target: str) -> None:
    """Source: platform compatibility tags specification, "Use"."""
    filename = f"a-1-{tags}.whl"
    evaluation = CandidateEvaluator(TARGETS[target]).evaluate(
        canonicalize_name("a"),
        [ProjectFile(filename=filename, url=f"https://e/{filename}", hashes={})],
        FileRules(),
    )
    assert bool(evaluation.candidates) == bool(parse_tag(tags) & set(TARGETS[target].tags))
    assert len(evaluation.candidates) + len(evaluation.rejections) == 1
