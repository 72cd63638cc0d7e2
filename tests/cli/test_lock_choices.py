"""What of a lock is built: its extras and groups, of the version of the standard that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import TARGET
from tests.support.toml import load_toml
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

MARKERS = {
    "always": "",
    "for-web": "'web' in extras",
    "for-dev": "'dev' in dependency_groups",
    "for-lint": "'Lint_It' in dependency_groups",
    "by-default": "'main' in dependency_groups",
}
TABLE = 'extras = ["web"]\ndependency-groups = ["dev", "Lint_It"]\ndefault-groups = ["main"]\n'


@pytest.fixture
def locked(run: CommandLine) -> CommandLine:
    """A lock with an extra, two groups and a default group."""
    write_lock(run, TABLE)
    return run


def write_lock(run: CommandLine, table: str, version: str = "1.0") -> None:
    text = f'lock-version = "{version}"\ncreated-by = "a test"\n{table}'
    for name, marker in MARKERS.items():
        wheel = make_wheel(name, "1.0")
        run.write(wheel.filename, wheel.content)
        text += f'[[packages]]\nname = "{name}"\nversion = "1.0"\n'
        text += f'marker = "{marker}"\n' if marker else ""
        text += f'wheels = [{{path = "{wheel.filename}", '
        text += f'hashes = {{sha256 = "{wheel.sha256}"}}}}]\n'
    run.write("pylock.toml", text)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), {"by-default"}),
        (("--extra", "web"), {"by-default", "for-web"}),
        (("--extra", "WEB", "--extra", "web"), {"by-default", "for-web"}),
        (("--group", "main", "--group", "dev"), {"by-default", "for-dev"}),
        (("--group", "main", "--group", "lint-it"), {"by-default", "for-lint"}),
        (("--group", "dev", "--extra", "web"), {"for-dev", "for-web"}),
    ],
)
def test_extras_and_groups_are_chosen(
    locked: CommandLine, arguments: tuple[str, ...], expected: set[str]
) -> None:
    """Groups replace the default ones, as PEP 751 and uv have it."""
    told = locked.build("-r", "pylock.toml", *arguments, "-o", "out", "--json")
    assert told.code == 0, told.err
    names = {package["name"] for package in told.document["packages"]}
    assert names == {"always"} | expected
    is_replaced = "--group" in arguments and "main" not in arguments
    warning = "--group replaces the default groups of pylock.toml: add --group main to keep them"
    assert (warning in told.document["warnings"]) is is_replaced


def test_another_choice_is_another_result(locked: CommandLine) -> None:
    """Results of earlier runs are not taken for it."""
    for arguments, count in (((), 2), (("--extra", "web"), 3), ((), 2), (("--group", "dev"), 2)):
        told = locked.build("pylock.toml", *arguments, "-o", "out.zip", "--json")
        assert len(told.document["packages"]) == count


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("--extra", "nope"), "does not have the extra nope", "it has web"),
        (("--group", "a", "--group", "b"), "does not have the groups a, b",
         "it has dev, Lint_It, main"),
    ],
)  # fmt: skip
def test_an_unknown_one_is_an_error_that_lists_those_that_exist(
    locked: CommandLine, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    told = locked.build("pylock.toml", *arguments, "-o", "out.zip")
    assert (told.code, "out.zip" in told.left) == (2, False)
    assert f"error: pylock.toml {message}\n" in told.err
    assert f"hint: {hint}\n" in told.err


def test_a_lock_without_any_says_so(run: CommandLine) -> None:
    write_lock(run, "")
    told = run.build("pylock.toml", "--extra", "web", "-o", "out.zip")
    assert told.code == 2
    assert "it has no extras" in told.err


def test_a_group_of_another_file_is_refused(locked: CommandLine) -> None:
    told = locked.build("pylock.toml", "--group", "pyproject.toml:dev", "-o", "out.zip")
    assert told.code == 2
    assert "cannot be combined" in told.err


def test_a_newer_minor_version_warns_once_and_a_major_one_is_refused(run: CommandLine) -> None:
    """Each time that it is built, also from what an earlier run has made."""
    write_lock(run, TABLE, version="1.1")
    for _ in range(2):
        told = run.build("pylock.toml", "-o", "out.zip")
        assert told.code == 0
        assert told.err.count("lock-version") == 1
        assert "warning: pylock.toml has lock-version 1.1: what is newer in it than 1.0" in told.err
    write_lock(run, TABLE, version="2.0")
    told = run.build("pylock.toml", "-o", "out.zip", "--force")
    assert told.code == 2
    assert "unsupported lock-version" in told.err


@pytest.mark.parametrize("form", ["links", "./links", "file URL"])
def test_find_links_are_an_index_by_its_url(run: CommandLine, form: str) -> None:
    """PEP 751, "packages.index": a URL."""
    wheel = make_wheel("near", "1.0")
    path = run.write(f"links/{wheel.filename}", wheel.content)
    links = path.parent.as_uri() if form == "file URL" else form
    told = run("lock", "near", "--no-index", "--find-links", links, *TARGET)
    assert told.code == 0, told.err
    (package,) = load_toml(run.folder / "pylock.toml")["packages"]
    assert package["index"] == path.parent.as_uri()
    assert run.build("pylock.toml", "-o", "out.zip").code == 0
