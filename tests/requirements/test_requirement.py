from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Specification
from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.requirements.model import Origin
from crossdeps.requirements.parser import parse_requirement

if TYPE_CHECKING:
    from crossdeps.requirements.model import Requirement

ORIGIN = Origin(file="requirements.txt", line=7)


def parse(text: str) -> Requirement:
    return parse_requirement(text, origin=ORIGIN)


def refusal(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "name", "specifier", "extras", "marker"),
    [
        ("requests", "requests", "", [], None),
        ("  Requests  ", "requests", "", [], None),
        ("Typing_Extensions==4.0", "typing-extensions", "==4.0", [], None),
        ("zope.interface>=5,<6", "zope-interface", "<6,>=5", [], None),
        ("pkg >= 1.0 , != 1.3", "pkg", "!=1.3,>=1.0", [], None),
        ("pkg (>=1.0)", "pkg", ">=1.0", [], None),
        ("pkg==1.*", "pkg", "==1.*", [], None),
        ("pkg===weird", "pkg", "===weird", [], None),
        ("pkg==1!2.0+local", "pkg", "==1!2.0+local", [], None),
        ("pkg[a, B_c]~=1.4", "pkg", "~=1.4", ["a", "b-c"], None),
        ("pkg[]", "pkg", "", [], None),
        ("pkg; python_version<'3.9'", "pkg", "", [], 'python_version < "3.9"'),
        ("pkg==1 ; os_name=='nt'", "pkg", "==1", [], 'os_name == "nt"'),
        ("pkg[a]==1; extra == 'X_y'", "pkg", "==1", ["a"], 'extra == "x-y"'),
    ],
)
def test_specifiers_are_read_and_normalised(
    text: str, name: str, specifier: str, extras: list[str], marker: str | None
) -> None:
    """Extras may have spaces between them (G96)."""
    requirement = parse(text)
    assert requirement.name == name
    assert str(requirement.specifier) == specifier
    assert sorted(requirement.extras) == extras
    assert (str(requirement.marker) if requirement.marker else None) == marker
    assert requirement.source is None
    assert requirement.origin == ORIGIN
    assert requirement.text == text.strip()


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True)
CLAUSES = st.lists(
    st.tuples(
        st.sampled_from(["==", ">=", "<=", "!=", "~=", "<", ">", "===", "="]),
        st.sampled_from(["1", "1.0", "2.*", "1!3", "1.0a1", "1.0+x", "v1", "x", "", "1..2"]),
    ),
    max_size=3,
)


@given(NAMES, CLAUSES, st.sampled_from(["", ";os_name=='x'", " ; python_version<'3'", ";", ";x"]))
def test_every_specifier_means_what_the_standard_parser_says(
    name: str, clauses: list[tuple[str, str]], marker: str
) -> None:
    """The quick way for common forms gives what the general one gives."""
    text = name + ",".join(operator + version for operator, version in clauses) + marker
    if text.lower().endswith((".whl", ".zip", ".tar", ".tgz", ".tbz", ".txz", ".tlz")):
        return
    try:
        expected = Specification(text)
    except InvalidRequirement:
        assert refusal(text).message
        return
    found = parse(text)
    assert found.name == canonicalize_name(expected.name)
    assert found.specifier == expected.specifier
    assert found.marker == expected.marker


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "an empty requirement does not start with a project name", None),
        ("pkg=1.0", "single =", "pkg==1.0"),
        ("foo bar", "two requirements on one line: foo and bar", "one requirement per line"),
        ("foo==1.0 bar>=2", "two requirements on one line", None),
        ("foo, bar", "two requirements", None),
        ("requ\u0435sts==2", "requ\\u0435sts", "ASCII"),
        ("pkg\u202e==1", "\\u202e", "ASCII"),
        ("==1.0", "does not start with a project name", None),
        (
            "pkg; pyton_version < '3'",
            "unknown variable in the marker: pyton_version",
            "python_version",
        ),
        ("pkg; sys_platform == linux", "unknown variable in the marker: linux", "quoted"),
        ("pkg[x]; nope", "unknown variable in the marker: nope", None),
        ("pkg;", "the marker is not valid", None),
        ("pkg; python_version", "the marker is not valid", None),
        ("pkg[a b]", "is not a valid requirement", None),
        ("pkg==", "is not a valid requirement", None),
        ("pkg==1.0..2", "is not a valid requirement", None),
        ("pkg;" + "(" * 30_000, "nested too deeply", None),
        ("a" * 70_000, "70000 characters", None),
        ("git@github.com:org/repo.git", "is not a URL", "git+ssh://git@github.com/org/repo.git"),
        ("./dir", "is a path", "file: URL"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str, hint: str | None) -> None:
    """Two requirements on one line are an error too (G96)."""
    error = refusal(text)
    assert message in error.message
    assert len(error.message) < 500
    if hint:
        assert hint in (error.hint or "")


@given(st.text(max_size=80))
def test_any_text_is_a_requirement_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        parse(text)


ALPHABET = "ab1.-_ [],;()<>=!~@#&'\"/:%\\\t"


@given(st.text(alphabet=ALPHABET, max_size=40))
def test_any_punctuation_is_a_requirement_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        parse(f"pkg {text}")


def test_the_text_of_a_requirement_has_no_credentials() -> None:
    requirement = parse("pkg @ https://me:s3cret@host.example/pkg-1.0-py3-none-any.whl")
    assert "s3cret" not in requirement.text
    assert requirement.source is not None
    assert "s3cret" in requirement.source.location
