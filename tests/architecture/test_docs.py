"""What the reference says is what the program has."""

from __future__ import annotations

import argparse
import itertools
import re
import runpy
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import crossdeps
from crossdeps.cli.argument_parser import build_parser
from crossdeps.config.options import OPTIONS
from crossdeps.target.runtimes import RUNTIMES, provided_projects
from tests.support.toml import load_toml

DOCS = Path(__file__).parents[2] / "docs"
CLI = (DOCS / "reference/cli.md").read_text(encoding="utf-8")


def _verbs() -> dict[str, argparse.ArgumentParser]:
    actions = build_parser(complete=True)._actions
    verbs = next(action for action in actions if isinstance(action, argparse._SubParsersAction))
    return dict(verbs.choices)


def _options(parser: argparse.ArgumentParser) -> set[str]:
    return {text for action in parser._actions for text in action.option_strings}


@pytest.mark.parametrize("name", ["cli", "configuration", "library"])
def test_the_options_of_the_reference_are_up_to_date(name: str) -> None:
    """``python docs/render_options.py`` writes them."""
    script = runpy.run_path(str(DOCS / "render_options.py"))
    page = (DOCS / f"reference/{name}.md").read_text(encoding="utf-8")
    assert page.count("<!-- options: ") == {"cli": 9, "configuration": 1, "library": 1}[name]
    assert script[f"render_{name}"](page) == page


@pytest.mark.parametrize("verb", _verbs())
def test_every_verb_is_in_the_reference(verb: str) -> None:
    assert f"## `crossdeps {verb}`" in CLI


def test_the_reference_has_every_option_and_no_other() -> None:
    known = {text for parser in _verbs().values() for text in _options(parser)}
    known |= _options(build_parser())
    documented = set(re.findall(r"`(--?[a-zA-Z][a-z-]*)", CLI))
    assert documented == known


def test_the_reference_has_every_key_of_the_configuration_and_no_other() -> None:
    page = (DOCS / "reference/configuration.md").read_text(encoding="utf-8")
    keys = {option.key for option in OPTIONS.values() if option.key}
    cells = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    documented = {key for cell in cells for key in re.findall(r"`([a-z-]+)`", cell)}
    assert documented == keys


def test_the_oldest_packaging_that_is_allowed_has_what_is_imported() -> None:
    """``packaging.tags.InvalidTag`` isn't in 26.2."""
    project = load_toml(DOCS.parent / "pyproject.toml")["project"]
    required = {item.name: item for item in map(Requirement, project["dependencies"])}
    assert not required["packaging"].specifier.contains("26.2")
    assert required["packaging"].specifier.contains("26.3")


def test_every_dependency_has_its_reason() -> None:
    page = (DOCS / "explanation/dependencies.md").read_text(encoding="utf-8")
    project = load_toml(DOCS.parent / "pyproject.toml")["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *itertools.chain(*extras)]
    names = {re.split(r"[^a-z-]", text)[0] for text in wanted}
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    explained = set(re.findall(r"[a-z][a-z-]+", "\n".join(rows)))
    assert names <= explained


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_runtimes_table_is_the_program_s(name: str) -> None:
    page = (DOCS / "reference/runtimes.md").read_text(encoding="utf-8")
    runtime = RUNTIMES[name]
    row = [
        f"`{name}`",
        runtime.python,
        runtime.operating_system,
        str(runtime.libc),
        ", ".join(runtime.architectures),
        str(runtime.deprecated),
    ]
    assert f"| {' | '.join(row)} |" in page


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_table_of_provided_projects_is_the_program_s(name: str) -> None:
    page = (DOCS / "reference/runtimes.md").read_text(encoding="utf-8")
    projects = provided_projects(name)
    boto3, botocore = (projects[canonicalize_name(item)] for item in ("boto3", "botocore"))
    row = [
        f"`{name}`",
        str(boto3.version or "unknown"),
        str(botocore.version or "unknown"),
        boto3.certainty,
        str(boto3.seen or "-"),
    ]
    assert f"| {' | '.join(row)} |" in page


@pytest.mark.parametrize("name", crossdeps.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    pages = "".join(
        (DOCS / "reference" / page).read_text(encoding="utf-8")
        for page in ("library.md", "errors.md")
    )
    assert re.search(rf"\b{name}\b", pages)
