from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdeps.errors import InputError
from crossdeps.requirements.model import Requirements
from tests.requirements.reading import gather, write

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.requirements.model import Requirement


def requirements(
    folder: Path,
    content: str | bytes,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> tuple[Requirement, ...]:
    write(folder, {"pyproject.toml": content})
    request = Requirements(requirement_files=("pyproject.toml",), extras=extras, groups=groups)
    return gather(folder, request).requirements


def refusal(
    folder: Path,
    content: str | bytes,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> InputError:
    with pytest.raises(InputError) as caught:
        requirements(folder, content, extras=extras, groups=groups)
    return caught.value


PROJECT = """\
[project]
name = "My.App"
dependencies = [
    "requests>=2",
    "tomli; python_version < '3.11'",
    "lib @ https://h.example/lib-1.0-py3-none-any.whl",
]

[project.optional-dependencies]
Fast_Path = ["orjson"]
all = ["my-app[fast-path, more]", "extra-thing"]
more = ["MY_APP[all]; python_version > '3'", "more-thing"]

[dependency-groups]
base = ["pytest"]
Lint_All = [{include-group = "BASE"}, "ruff", {include-group = "base"}]
with-app = ["my-app[fast-path]"]
"""


def test_dependencies_have_their_line_and_table(tmp_path: Path) -> None:
    found = requirements(tmp_path, PROJECT)
    assert [item.name for item in found] == ["requests", "tomli", "lib"]
    assert str(found[1].origin) == "pyproject.toml:5 (project.dependencies)"
    assert found[2].source is not None


@pytest.mark.parametrize(
    ("extras", "expected"),
    [
        (("fast-path",), ["orjson"]),
        (("FAST.PATH", "fast_path"), ["orjson"]),
        (("all",), ["orjson", "extra-thing", "more-thing"]),
    ],
)
def test_extras_are_normalised_and_may_ask_for_each_other(
    extras: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    found = requirements(tmp_path, PROJECT, extras=extras)[3:]
    assert sorted(item.name for item in found) == sorted(expected)


def test_an_extra_asked_under_a_marker_holds_under_that_marker(tmp_path: Path) -> None:
    found = requirements(
        tmp_path,
        """\
[project]
name = "app"
dependencies = []
[project.optional-dependencies]
a = ["app[b]; python_version < '3.12'"]
b = ["x", "y; os_name == 'nt'"]
""",
        extras=("a",),
    )
    assert [str(item.marker) for item in found] == [
        'python_version < "3.12"',
        'os_name == "nt" and python_version < "3.12"',
    ]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("base", ["pytest"]),
        ("lint.all", ["pytest", "ruff"]),
        ("with-app", ["requests", "tomli", "lib", "orjson"]),
    ],
)
def test_groups_include_each_other(group: str, expected: list[str], tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": PROJECT})
    found = gather(tmp_path, Requirements(groups=(group,))).requirements
    assert [item.name for item in found] == expected


def test_a_project_without_dependencies_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "[project]\nname = 'x'"})
    inputs = gather(tmp_path, Requirements(requirement_files=("pyproject.toml",)))
    assert inputs.warnings == ("pyproject.toml has no requirements",)


@pytest.mark.parametrize(
    ("content", "extras", "groups", "message", "hint"),
    [
        ("[project", (), (), "is not valid TOML", None),
        (b"x = '\xe9'", (), (), "is not UTF-8 text", None),
        ("", (), (), "has no [project] table", "--group"),
        ("[tool.poetry]", (), (), "has no [project] table", "poetry export"),
        ("project = 1", (), (), "project is not a table", None),
        ("tool = 1", (), (), "has no [project] table", None),
        ("[project]\ndependencies = 'a'", (), (), "is not a list of strings", None),
        ("[project]\ndependencies = [1]", (), (), "is not a list of strings", None),
        ("[project]\ndependencies = ['a=1']", (), (), "single =", None),
        ("[project]\ndependencies = ['./x']", (), (), "is a path", "file:"),
        ("[project]\ndynamic = ['dependencies']", (), (), "dynamic", "crossdeps build ."),
        (PROJECT, ("fast-pth",), (), "has no extra fast-pth", "fast-path"),
        ("[project]", ("x",), (), "has no extra x", "it has no extras"),
        ("[project]\ndynamic = ['optional-dependencies']", ("x",), (), "dynamic", None),
        ("[project]\noptional-dependencies = []", ("x",), (), "is not a table", None),
        ("[project.optional-dependencies]\na_b=[]\na-b=[]", ("a-b",), (), "the same name", None),
        (PROJECT, (), ("bsae",), "has no group bsae", "base"),
        (
            "[project]\n[dependency-groups]\na=[{include-group='b'}]\nb=[{include-group='A'}]",
            *((), ("a",), "include each other: a -> b -> a", None),
        ),
        ("[project]\n[dependency-groups]\na=[{include='b'}]", (), ("a",), "include-group", None),
        ("[project]\n[dependency-groups]\na='x'", (), ("a",), "is not a list", None),
        ("[project]\n[dependency-groups]\na=[1]", (), ("a",), "is not a list of strings", None),
        (
            "[project]\n[dependency-groups]\na=[{include-group='nope'}]",
            *((), ("a",), "has no group nope", None),
        ),
        ("a = " + "[" * 100_000, (), (), "", None),
    ],
)
def test_projects_that_cannot_be_read_are_refused(
    content: str | bytes,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    message: str,
    hint: str | None,
    tmp_path: Path,
) -> None:
    error = refusal(tmp_path, content, extras=extras, groups=groups)
    assert message in error.message
    assert "pyproject.toml" in str(error)
    if hint:
        assert hint in (error.hint or "")


VALUES = st.recursive(
    st.sampled_from(["'a'", "'app[x]'", "1", "true", "'a=1'", "{include-group='x'}"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(VALUES, VALUES, VALUES)
def test_any_values_are_read_or_refused_as_input(
    tmp_path: Path, dependencies: str, extra: str, group: str
) -> None:
    content = (
        f"[project]\nname = 'app'\ndependencies = {dependencies}\n"
        f"[project.optional-dependencies]\nx = {extra}\n[dependency-groups]\nx = {group}\n"
    )
    with contextlib.suppress(InputError):
        requirements(tmp_path, content, extras=("x",), groups=("x",))
