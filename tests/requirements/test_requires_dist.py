"""Metadata that is taken apart says what packaging says."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from crossdeps.requirements.requires_dist import (
    RequiresDist,
    accepts,
    evaluate,
    expand_tag,
    take_apart,
)
from crossdeps.target.model import Target

ENVIRONMENT = {
    key: str(value)
    for key, value in Target(python="3.12.7", arch="x86_64").environment.items()
}  # fmt: skip

COMPARISONS = st.one_of(
    st.builds(
        '{} {} "{}"'.format,
        st.sampled_from(["python_version", "python_full_version", "implementation_version"]),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "~=", "===", "in", "not in"]),
        st.sampled_from(
            ["3", "3.9", "3.12", "3.12.7", "3.12.0", "3.13", "3.*", "3.12.*", "3.12rc1", "3.8 3.12"]
        ),
    ),
    st.builds(
        '{} {} "{}"'.format,
        st.sampled_from(["sys_platform", "os_name", "platform_machine", "platform_release"]),
        st.sampled_from(["==", "!=", "<", "in", "not in"]),
        st.sampled_from(["linux", "win32", "posix", "x86_64", "", "linux2 darwin"]),
    ),
    st.builds('extra {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from(["a", "B_c"])),
    st.sampled_from(['"linux" in sys_platform', '"3.9" <= python_version', "os_name == 'posix'"]),
)
MARKERS = st.recursive(
    COMPARISONS,
    lambda each: st.builds(
        "{} {} {}".format, each, st.sampled_from(["and", "or"]), each.map("({})".format) | each
    ),
    max_leaves=6,
)


@given(marker=MARKERS, extra=st.sampled_from(["", "a", "b-c"]))
def test_a_marker_is_evaluated_as_by_packaging(marker: str, extra: str) -> None:
    environment = {**ENVIRONMENT, "extra": extra}
    try:
        expected = Marker(marker).evaluate(dict(environment))
    except Exception as error:  # noqa: BLE001 - whatever packaging raises
        with pytest.raises(type(error)):
            evaluate(str(Marker(marker)), environment)
    else:
        assert evaluate(str(Marker(marker)), environment) is expected


@given(marker=MARKERS, extra=st.sampled_from(["", "a", "b-c"]))
def test_a_line_applies_as_its_marker_says(marker: str, extra: str) -> None:
    """The extra that is split off, and the rest of the marker, say the same together."""
    environment = {**ENVIRONMENT, "extra": extra}
    taken = take_apart(f"x; {marker}")
    try:
        expected = Marker(marker).evaluate(dict(environment))
    except Exception:  # noqa: BLE001 - a marker without meaning
        return
    found = taken.extra in {"", extra} and (not taken.marker or evaluate(taken.marker, environment))
    assert found is expected


RELEASES = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)
VERSIONS = st.builds(
    "{}{}".format, RELEASES, st.sampled_from(["", "", "", "rc1", ".post1", ".dev0", "+local"])
)
CLAUSES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~=", "==="]),
    st.sampled_from(["", " "]),
    VERSIONS,
    st.sampled_from(["", "", ".*"]),
)


@given(clauses=st.lists(CLAUSES, max_size=3), version=VERSIONS)
def test_a_specifier_accepts_as_by_packaging(clauses: list[str], version: str) -> None:
    text = ",".join(clauses)
    try:
        expected = SpecifierSet(text).contains(Version(version), prereleases=True)
    except InvalidSpecifier:
        with pytest.raises(InvalidSpecifier):
            accepts(text, version)
    else:
        assert accepts(text, version) is expected


@pytest.mark.parametrize(
    ("specifier", "version", "error"),
    [
        (">=1", "one", InvalidVersion),
        (">>1", "1", InvalidSpecifier),
        ("1.0", "1", InvalidSpecifier),
    ],
)
def test_what_is_invalid_is_refused(specifier: str, version: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        accepts(specifier, version)


def test_a_line_is_taken_apart() -> None:
    taken = take_apart('Foo_Bar[B_b,a] <2,>=1.0 ; python_version < "3.13" and extra == "Dev_x"')
    assert taken == RequiresDist(
        line='Foo_Bar[B_b,a] <2,>=1.0 ; python_version < "3.13" and extra == "Dev_x"',
        name="Foo_Bar",
        project="foo-bar",
        extras=("a", "b-b"),
        specifier=str(Requirement("x<2,>=1.0").specifier),
        extra="dev-x",
        marker='python_version < "3.13"',
    )
    assert taken.is_valid


def test_a_condition_with_or_is_not_cut() -> None:
    """Cut off, the extra would be required in both cases."""
    taken = take_apart('x; os_name == "nt" or os_name == "posix" and extra == "a"')
    assert (taken.extra, taken.marker) == (
        "", 'os_name == "nt" or os_name == "posix" and extra == "a"'
    )  # fmt: skip


@pytest.mark.parametrize("line", ["", "??", "a b c", "x; bogus == '1'", "x>=", "x @ "])
def test_an_invalid_line_has_only_its_text(line: str) -> None:
    taken = take_apart(line)
    assert taken == RequiresDist(line=line)
    assert not taken.is_valid


def test_common_forms_are_evaluated_without_packaging(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("packaging.markers", "packaging.specifiers", "packaging.version"):
        monkeypatch.setitem(sys.modules, name, None)
    environment = {**ENVIRONMENT, "extra": ""}
    marker = '(os_name == "posix" or extra == "x") and python_version >= "3.9"'
    assert evaluate(marker, environment)
    assert accepts(">=1.2,!=1.3.*,<2,~=1.0", "1.4.1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("py3-none-any", ["py3-none-any"]),
        ("Py2.py3-none-ANY", ["py2-none-any", "py3-none-any"]),
        ("cp39-cp39-a.b", ["cp39-cp39-a", "cp39-cp39-b"]),
        ("py3-none", []),
        ("py3-none-any-more", []),
        ("py3-none-", []),
        ("", []),
        ("-".join([".".join("abcdefghijklmnopqrstuvwxyz")] * 3), []),
    ],
)
def test_tags_are_expanded(line: str, expected: list[str]) -> None:
    assert expand_tag(line) == expected
