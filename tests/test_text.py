"""What makes text safe to show, whatever it holds."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest

from crossdeps.text import (
    escape,
    first_lines,
    first_words,
    join_words,
    local_path,
    plural,
    printable,
)

INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
UNASSIGNED = "Cn"


def test_every_character_that_cannot_be_seen_is_escaped_and_no_other() -> None:
    """What this Python's Unicode doesn't know may be either."""
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        category = unicodedata.category(character)
        if category != UNASSIGNED:
            assert (printable(character) != character) == (category in INVISIBLE), hex(number)


def test_only_line_feeds_and_tabs_stay_in_lines() -> None:
    for number in range(32):
        character = chr(number)
        assert (printable(character, lines=True) == character) == (character in "\n\t")
        assert printable(character) != character


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\tb\nc", r"a b\nc"),
        ("pkg @ https://me:secret@host.example/p", "pkg @ https://****@host.example/p"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 197 + "..."),
        ("\u20ac" * 100, (r"\u20ac" * 33)[:197] + "..."),
    ],
)
def test_values_in_messages_are_short_ascii_lines_without_secrets(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_counts_and_lists() -> None:
    assert [plural(n, "file") for n in (0, 1, 1_000)] == ["0 files", "1 file", "1,000 files"]
    assert [join_words(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert first_lines([], 2) == ()
    assert first_lines(["a", "b"], 2) == ("a", "b")
    assert first_words(["a", "b", "c"], 1) == "a, and 2 more"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("wheels/a", Path("wheels/a")),
        ("file:///srv/my%20wheels/%C3%A9t%C3%A9", Path("/srv/my wheels/été")),
        ("FILE://localhost/srv/wheels?query#fragment", Path("/srv/wheels")),
        ("file://host/srv/wheels", None),
        ("https://host/srv/wheels", None),
    ],
)
def test_local_path(location: str, path: Path | None) -> None:
    assert local_path(location) == path
