"""The Pythons that the user's own project admits are those that it can be packaged for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import TARGET

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

PROJECT = """\
[project]
name = "app"
version = "1.0"
dependencies = ["pure"]
requires-python = "{python}"

[project.optional-dependencies]
more = ["leaf"]

[dependency-groups]
dev = ["leaf"]
"""
OTHERS = ("--runtime", "python3.11", "--runtime", "python3.12", "--runtime", "python3.13")


def write(run: CommandLine, python: str, name: str = "pyproject.toml") -> None:
    run.write(name, PROJECT.format(python=python))


@pytest.mark.parametrize("python", [">=3.13", "<3.12", "==3.11.*", "!=3.12.*", "~=3.10.0"])
@pytest.mark.parametrize(
    "arguments", [("-r", "pyproject.toml"), ("pyproject.toml",), ("--extra", "more")]
)
def test_a_target_that_the_project_does_not_admit_is_refused(
    run: CommandLine, python: str, arguments: tuple[str, ...]
) -> None:
    """With the line, the target and the way out; and before any index is asked."""
    write(run, python)
    told = run.build(*arguments, "-o", "out.zip", "--index-url", "http://127.0.0.1:1/")
    assert (told.code, "out.zip" in told.left) == (3, False)
    assert f"error: pyproject.toml requires Python {python}, and the target has 3.12." in told.err
    assert f"  pyproject.toml:5 (project.requires-python): {python}\n" in told.err
    assert "  the target: CPython 3.12." in told.err
    assert "hint: choose a Python that it admits with --python" in told.err


@pytest.mark.parametrize("python", [">=3.12", ">=3.9,<4", "==3.12.*", ""])
def test_one_that_it_admits_is_not(run: CommandLine, python: str) -> None:
    write(run, python)
    assert run.build("-r", "pyproject.toml", "-o", "out.zip").code == 0


def test_the_python_that_counts_is_that_of_this_run(run: CommandLine) -> None:
    """A result that an earlier run has made for another requirement is not taken."""
    for python, code in ((">=3.12", 0), (">=3.13", 3), (">=3.12", 0)):
        write(run, python)
        assert run.build("-r", "pyproject.toml", "-o", "out.zip").code == code


def test_a_group_is_not_of_the_project(run: CommandLine) -> None:
    """It may be for another Python, as in uv and pip."""
    write(run, ">=3.13")
    assert run.build("--group", "dev", "-o", "out.zip").code == 0
    assert run.build("--group", "dev", "-r", "pyproject.toml", "-o", "out.zip").code == 3


def test_every_target_of_a_lock_is_checked(run: CommandLine) -> None:
    """All that are refused are named at once."""
    write(run, "!=3.11.*,<3.13")
    told = run("lock", "-r", "pyproject.toml", *OTHERS, "--arch", "x86_64")
    assert (told.code, told.left) == (3, ("pyproject.toml",))
    assert "  the target: python3.11 (" in told.err
    assert "  the target: python3.13 (" in told.err
    assert "  the target: python3.12 (" not in told.err
    assert "with --runtime" in told.err
    assert run("lock", "-r", "pyproject.toml", "--arch", "x86_64", *OTHERS[2:4]).code == 0


def test_why_says_the_same(run: CommandLine) -> None:
    write(run, ">=3.13")
    assert run("why", "pure", "-r", "pyproject.toml", *TARGET).code == 3


@pytest.mark.parametrize("value", ['"three"', '">=3.9, and more"', "3.9", '[">=3.9"]'])
def test_an_invalid_one_is_an_error_in_the_input(run: CommandLine, value: str) -> None:
    run.write("pyproject.toml", PROJECT.replace('"{python}"', value))
    told = run.build("-r", "pyproject.toml", "-o", "out.zip")
    assert told.code == 2
    assert "project.requires-python" in told.err


def test_a_dynamic_one_is_not_known(run: CommandLine) -> None:
    dynamic = PROJECT.replace("requires-python =", 'dynamic = ["requires-python"] #')
    run.write("pyproject.toml", dynamic)
    assert run.build("-r", "pyproject.toml", "-o", "out.zip").code == 0


def test_each_project_counts(run: CommandLine) -> None:
    write(run, ">=3.12")
    write(run, ">=3.13", "lib/pyproject.toml")
    told = run.build("-r", "pyproject.toml", "-r", "lib/pyproject.toml", "-o", "out.zip")
    assert told.code == 3
    assert "lib/pyproject.toml:5" in told.err
