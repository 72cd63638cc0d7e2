"""``crossdeps diff`` on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.report.artifacts import directory, project

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine


@pytest.fixture
def two(run: CommandLine) -> CommandLine:
    """Two directories, a and b, that differ in a version."""
    directory(run.folder / "a", project("p", "1.0", {"p.py": "1"}))
    directory(run.folder / "b", project("p", "2.0", {"p.py": "2"}))
    return run


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a", "b"), 0),
        (("a", "b", "--exit-code"), 1),
        (("a", "a", "--exit-code"), 0),
        (("a", "b", "--exit-code", "--json"), 1),
        (("a", "missing", "--exit-code"), 2),
        (("a",), 2),
    ],
)
def test_the_exit_code(two: CommandLine, arguments: tuple[str, ...], code: int) -> None:
    """0 unless --exit-code asks for 1 where they differ; an error keeps its own."""
    assert two("diff", *arguments).code == code


def test_every_form_goes_to_standard_output(two: CommandLine) -> None:
    """Text, Markdown or one JSON document; nothing is said beside it."""
    text, markdown = two("diff", "a", "b"), two("diff", "a", "b", "--markdown")
    assert "~ p  1.0 -> 2.0" in text.out
    assert "| `p` | version | `1.0` | `2.0` |  |" in markdown.out
    document = two("diff", "a", "b", "--json")
    assert document.document["differs"] is True
    assert text.err == markdown.err == document.err == ""


def test_quiet_says_nothing_and_a_report_file_gets_the_document(two: CommandLine) -> None:
    told = two("diff", "a", "b", "-q", "--report", "diff.json")
    assert (told.out, told.err) == ("", "")
    assert "diff.json" in told.left
    assert two("diff", "a", "b", "-q", "--markdown").out


def test_two_forms_at_once_are_refused(two: CommandLine) -> None:
    told = two("diff", "a", "b", "--markdown", "--json")
    assert told.code == 2
    assert "--markdown and --json" in told.err
