"""``crossdeps check``: what fails, what is silenced, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.finding import Finding
from crossdeps.report.build import render_annotations
from tests.support.command_line import TARGET as PYTHON_312

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

TARGET = ("--runtime", "python3.12", "--arch", "x86_64")
ERROR = "editable-install"
WARNING = "shadows-stdlib"


@pytest.fixture
def broken(run: CommandLine) -> CommandLine:
    """A package with one error and two warnings."""
    run.write("package/mine.pth", "/home/me/mine\n")
    run.write("package/queue.py", "")
    run.write("package/types.py", "")
    return run


@pytest.mark.parametrize(
    ("options", "code", "rules", "said"),
    [
        ((), 7, [ERROR, WARNING, WARNING], "package is not right for python3.12"),
        (("--ignore", ERROR), 0, [WARNING, WARNING], "package is right for python3.12"),
        (
            ("--ignore", f"{ERROR}:mine.*", "--ignore", WARNING),
            0,
            [],
            "package is right for python3.12",
        ),
        (("--ignore", f"{ERROR}:yours.*"), 7, [ERROR, WARNING, WARNING], "1 error and 2 warnings"),
        (
            ("--ignore", ERROR, "--strict"),
            7,
            [WARNING, WARNING],
            "2 warnings (--strict treats warnings as errors)",
        ),
        (
            ("--ignore", ERROR, "--ignore", f"{WARNING}:queue.py", "--strict"),
            7,
            [WARNING],
            "1 warning",
        ),
        (("--ignore", ERROR, "--ignore", WARNING, "--strict"), 0, [], "is right"),
        (("--ignore", "*:*.p*"), 0, [], "is right"),
    ],
)
def test_what_fails_and_what_is_silenced(
    broken: CommandLine, options: tuple[str, ...], code: int, rules: list[str], said: str
) -> None:
    """By rule and path; warnings fail where ``--strict`` says so, and the verdict tells which."""
    told = broken("check", "package", *TARGET, *options, "--json")
    assert told.code == code
    assert [finding["rule"] for finding in told.document["findings"]] == rules
    assert said in told.err


@pytest.mark.parametrize(
    ("pattern", "silenced"), [("vendored/*", False), ("*/__pycache__/*", True)]
)
def test_a_finding_about_several_files_is_silenced_where_all_match(
    run: CommandLine, pattern: str, silenced: bool
) -> None:
    """What was silenced for some of them still tells of the others."""
    files = [f"{folder}/__pycache__/a.cpython-311.pyc" for folder in ("own", "vendored")]
    for file in ("app.py", *files):
        run.write(f"package/{file}", "")
    told = run("check", "package", *TARGET, "--ignore", f"bytecode:{pattern}", "--json")
    found = [finding["paths"] for finding in told.document["findings"]]
    assert found == ([] if silenced else [files])


def test_the_project_silences_too(broken: CommandLine) -> None:
    """In ``[tool.crossdeps]``, by rule and path; the command line speaks instead where it does."""
    broken.write(
        "pyproject.toml",
        f'[tool.crossdeps]\nignore = ["{ERROR}:*.pth", "{WARNING}:queue.py"]\n',
    )
    told = broken("check", "package", *TARGET, "--json")
    assert told.code == 0
    assert [finding["path"] for finding in told.document["findings"]] == ["types.py"]
    assert broken("check", "package", *TARGET, "--ignore", WARNING).code == 7


def test_a_finding_names_the_command_that_mends_it(broken: CommandLine) -> None:
    """The target's own options are in it."""
    told = broken("check", "package", *TARGET)
    assert f"error[{ERROR}]" in told.out
    assert "crossdeps build --runtime python3.12 --arch x86_64" in told.out


def test_the_first_files_are_shown_and_all_of_them_on_request(run: CommandLine) -> None:
    """A project built for another machine has many, and one thing to do."""
    run.build("native")
    binary = run.folder / "package/native/_native.cpython-312-x86_64-linux-gnu.so"
    record = run.folder / "package/native-1.0.dist-info/RECORD"
    for number in range(9):
        binary.with_name(f"_{number}.so").write_bytes(binary.read_bytes())
        with record.open("a") as lines:
            lines.write(f"native/_{number}.so,,\n")
    other = ("--python", "3.12", "--arch", "arm64")
    told = run("check", "package", *other)
    assert told.code == 7
    assert "  and 6 more in native (-v shows them)\n" in told.out
    assert told.out.count("  also: ") == 3
    told = run("check", "package", *other, "-v")
    assert "more in native" not in told.out
    assert told.out.count("  also: ") == 9


class TestAnnotations:
    """``--format github``: the workflow commands of GitHub Actions."""

    def test_each_finding_is_a_line(self, run: CommandLine) -> None:
        run.build("native")
        target = ("--python", "3.12", "--arch", "arm64")
        told = run("check", "package", *target, "--format", "github")
        (line,) = told.out.splitlines()
        assert told.code == 7
        assert line.startswith("::error file=native/_native.cpython-312-x86_64-linux-gnu.so,")
        assert ",title=wrong-machine::" in line

    def test_nothing_in_a_name_ends_a_command(self) -> None:
        finding = Finding(
            rule="x", severity="warning", path="a,b:c\n::error::d%", owner=None, message="m\n::n"
        )
        assert render_annotations([finding], "out.zip") == (
            "::warning file=a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ad%25,title=x::m%0A::n"
        )

    def test_not_beside_json(self, run: CommandLine) -> None:
        told = run("check", "package", "--json", "--format", "github", *PYTHON_312)
        assert told.code == 2
