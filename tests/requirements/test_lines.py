from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.errors import InputError
from crossdeps.requirements.files import expand_variables, logical_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n \n\t\n", []),
        ("a\nb", [(1, "a"), (2, "b")]),
        ("a\r\nb\rc\n", [(1, "a"), (2, "b"), (3, "c")]),
        ("# comment\na # comment\nb#not\n#", [(2, "a"), (3, "b#not")]),
        ("a\t# comment", [(1, "a")]),
        ("https://host/x#egg=y", [(1, "https://host/x#egg=y")]),
        ("a \\\n  b\nc", [(1, "a   b"), (3, "c")]),
        ("a \\\n  b \\\n  c\nd", [(1, "a   b   c"), (4, "d")]),
        ("a \\\n# comment\nb", [(1, "a"), (3, "b")]),
        ("a \\\n  # comment\nb", [(1, "a"), (3, "b")]),
        ("# comment \\\na", [(2, "a")]),
        ("a # comment \\\nb", [(1, "a")]),  # joined before comments go, as with pip
        ("a\\", [(1, "a")]),
        ("\\", []),
        ("a\\\n\nb", [(1, "a"), (3, "b")]),
        ("a\x0bb\u2028c", [(1, "a\x0bb\u2028c")]),  # only line ends end lines
    ],
)
def test_lines_are_joined_and_lose_their_comments(
    text: str, expected: list[tuple[int, str]]
) -> None:
    """A comment is one only after white space or at the start (G92)."""
    assert [(line.number, line.text) for line in logical_lines(text)] == expected


@given(st.text(alphabet="ab \\#\n\r\t", max_size=60))
def test_every_line_has_a_number_in_the_file_and_says_something(text: str) -> None:
    lines = list(logical_lines(text))
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers))
    assert all(line.text == line.text.strip() != "" for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain $HOME %X% {X}", "plain $HOME %X% {X}"),
        ("https://${USER_1}:${TOKEN}@host", "https://me:s3cret@host"),
        ("${TOKEN}${TOKEN}", "s3crets3cret"),
    ],
)
def test_variables_are_put_in(text: str, expected: str) -> None:
    """``${VAR}`` is a variable, ``$VAR`` is not (G94)."""
    assert expand_variables(text, {"USER_1": "me", "TOKEN": "s3cret"}) == expected


def test_a_value_is_not_expanded_again() -> None:
    assert expand_variables("${A}", {"A": "${B}", "B": "no"}) == "${B}"


@pytest.mark.parametrize(
    ("text", "environ", "named"),
    [
        ("${UNSET}", {}, "${UNSET} is not set"),
        ("${EMPTY}", {"EMPTY": ""}, "${EMPTY} is not set"),
        ("${A} ${B} ${A}", {}, "${A} and ${B} are not set"),
        ("${lower}", {"lower": "x"}, "${lower} has lower-case letters"),
    ],
)
def test_a_variable_without_value_is_named(text: str, environ: dict[str, str], named: str) -> None:
    with pytest.raises(InputError) as caught:
        expand_variables(text, environ)
    assert named in caught.value.message
