"""``crossdeps report`` on the command line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.report.artifacts import directory, project, zipped

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine


@pytest.fixture
def item(run: CommandLine) -> CommandLine:
    """A zip and a directory."""
    files = project("p", "1.0", {"p.py": "1"}, headers=["License-Expression: MIT"])
    zipped(run.folder / "f.zip", files)
    directory(run.folder / "package", files)
    return run


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("text", "Artifact  f.zip\n"),
        ("json", "{\n"),
        ("sbom", '{\n  "$schema"'),
        ("html", "<!doctype html>\n"),
        ("licences", "  p  1.0  MIT (License-Expression)\n"),
    ],
)
def test_every_form_goes_to_standard_output_or_a_file(
    item: CommandLine, form: str, start: str
) -> None:
    """The same bytes either way, and twice the same."""
    told = item("report", "f.zip", "--format", form)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(start)
    written = item("report", "f.zip", "--format", form, "-o", "out")
    assert (written.code, written.out) == (0, "")
    assert written.err == f"out: {form} report of f.zip\n"
    assert (item.folder / "out").read_text() == told.out


def test_json_is_one_of_the_forms(item: CommandLine) -> None:
    told = item("report", "f.zip", "--json", "--report", "report.json")
    assert told.document["projects"][0]["name"] == "p"
    assert json.loads((item.folder / "report.json").read_text()) == told.document
    refused = item("report", "f.zip", "--json", "--format", "html")
    assert refused.code == 2
    assert "--json and --format html" in refused.err


def test_a_target_is_taken_but_not_needed(item: CommandLine) -> None:
    told = item("report", "package", "--runtime", "python3.12", "--arch", "arm64", "--json")
    assert told.document["target"]["runtime"] == "python3.12"
    assert told.document["limits"]["of"] == "python3.12"
    assert item("report", "package", "--json").document["target"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing",), "missing doesn't exist"),
        (
            ("f.zip", "--format", "pdf"),
            "invalid value for --format: must be one of text, json, sbom, html, licences",
        ),
        (("f.zip", "-o", "f.zip"), "f.zip is the reported artifact itself"),
        (("f.zip", "-o", "package"), "package is a directory"),
        (("f.zip", "-o", "no/such/file"), "the report cannot be written to no/such/file"),
        (("f.zip", "--runtime", "python3.12"), "no architecture was specified"),
        (("f.zip", "--lock", "missing.toml"), "missing.toml"),
    ],
)
def test_what_cannot_be_done(item: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    """Told with exit code 2, and nothing is written or lost."""
    before = (item.folder / "f.zip").read_bytes()
    told = item("report", *arguments)
    assert told.code == 2
    assert said in told.err
    assert told.out == ""
    assert (item.folder / "f.zip").read_bytes() == before
    assert not any(name.startswith((".f", ".out")) for name in told.left)


def test_a_missing_extra_is_told_before_any_work(
    item: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    told = item("report", "missing", "--format", "sbom")
    assert told.code == 2
    assert "hint: install it beside crossdeps: pip install cyclonedx-python-lib" in told.err
