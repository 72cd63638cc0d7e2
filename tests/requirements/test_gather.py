from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import InputError
from crossdeps.fs import hash_file
from crossdeps.requirements.model import Origin, Requirements
from tests.requirements.reading import gather, write

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """\
[project]
name = "app"
dependencies = ["a>=1", "b; os_name == 'posix'"]

[project.optional-dependencies]
fast = ["c"]

[dependency-groups]
test = ["d"]
"""


def texts(folder: Path, **request: tuple[str, ...]) -> list[str]:
    inputs = gather(folder, Requirements(**request))
    return [requirement.text for requirement in inputs.requirements]


def test_everything_comes_in_the_order_of_the_command_line(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": PROJECT, "r.txt": "e\n"})
    found = texts(
        tmp_path,
        requirements=("z", "y==1"),
        requirement_files=("r.txt", "pyproject.toml"),
        extras=("fast",),
        groups=("test",),
    )
    assert found == ["z", "y==1", "e", "a>=1", "b; os_name == 'posix'", "c", "d"]


def test_requirements_of_the_command_line_have_its_origin(tmp_path: Path) -> None:
    write(tmp_path, {"project/setup.py": ""})
    inputs = gather(tmp_path, Requirements(requirements=("a", "./project")))
    assert {item.origin for item in inputs.requirements} == {Origin()}
    assert str(Origin()) == "command line"
    assert tuple(inputs.files) == ()


def test_standard_input_is_read_once_and_is_relative_to_the_working_directory(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"more.txt": "b\n"})
    request = Requirements(requirement_files=("-", "-"))
    inputs = gather(tmp_path, request, stdin=b"a\n-r more.txt\n")
    assert [str(item.origin) for item in inputs.requirements] == ["standard input:1", "more.txt:1"]
    assert tuple(inputs.files) == ("-", str(tmp_path / "more.txt"))
    assert inputs.files[str(tmp_path / "more.txt")] == hash_file(tmp_path / "more.txt")


def test_what_is_wrong_with_standard_input_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        gather(tmp_path, Requirements(requirement_files=("-",)), stdin=b"\xff")
    assert caught.value.message.startswith("standard input is not utf-8")


def test_a_group_alone_brings_no_dependencies_of_the_project(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": PROJECT, "sub/pyproject.toml": PROJECT.replace("d", "dd")})
    assert texts(tmp_path, groups=("test",)) == ["d"]
    with pytest.raises(InputError):
        texts(tmp_path, groups=("sub:test",))  # its table is [ddependdency-groups]


def test_a_group_may_name_its_file(tmp_path: Path) -> None:
    write(tmp_path, {"sub/pyproject.toml": PROJECT})
    for group in ("sub/pyproject.toml:test", "sub:test"):
        inputs = gather(tmp_path, Requirements(groups=(group,)))
        assert [str(item.origin) for item in inputs.requirements] == [
            "sub/pyproject.toml:9 (dependency-groups.test)"
        ]


@pytest.mark.parametrize(
    ("request_", "message", "hint"),
    [
        ({}, "no requirements were specified", "-r"),
        (
            {"requirements": ("a",), "extras": ("x",)},
            "the extra x was specified without a pyproject.toml",
            "-r",
        ),
        ({"requirement_files": ("pylock.toml",)}, "is a lock", "build pylock.toml"),
        ({"requirement_files": ("pylock.dev.toml",)}, "is a lock", "build pylock.dev.toml"),
        (
            {"requirement_files": ("other.toml",)},
            "a TOML file with an unknown name",
            "pyproject.toml",
        ),
        ({"requirement_files": ("none.txt",)}, "no such file: none.txt", None),
        ({"requirement_files": ("pyproject.toml",)}, "no such file: pyproject.toml", None),
        ({"requirement_files": (".",)}, ". is a directory", None),
        (
            {"requirement_files": ("https://h.example/r.txt",)},
            "must be local files, not URLs: http",
            "download",
        ),
        (
            {"requirement_files": ("no/r.txt",)},
            "no such file: no/r.txt",
            "its directory does not exist",
        ),
        ({"requirement_files": ("a\0b",)}, "a\\x00b is not a valid path", None),
        ({"requirement_files": ("R.txt",)}, "no such file: R.txt", "did you mean r.txt?"),
        ({"requirements": ("r.txt",)}, "r.txt is a file, not a requirement", "-r r.txt"),
        ({"requirements": ("requirements.txt",)}, "is a file, not a requirement", "-r"),
        ({"requirements": ("./r.txt",)}, "r.txt is a file, not a requirement", "-r ./r.txt"),
        ({"requirements": ("a=1",)}, "single =", "a==1"),
        ({"constraint_files": ("none.txt",), "requirements": ("a",)}, "no such file", None),
        ({"groups": ("test",)}, "no such file: pyproject.toml", None),
    ],
)
def test_requests_that_cannot_be_met_are_refused(
    request_: dict[str, tuple[str, ...]], message: str, hint: str | None, tmp_path: Path
) -> None:
    write(tmp_path, {"r.txt": "a\n"})
    with pytest.raises(InputError) as caught:
        gather(tmp_path, Requirements(**request_))
    assert message in caught.value.message
    if hint:
        assert hint in (caught.value.hint or "")


def test_what_is_wrong_anywhere_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"r.txt": "b=1\n", "pyproject.toml": "[project]\ndependencies = ['c=1']"})
    request = Requirements(
        requirements=("a=1",), requirement_files=("r.txt", "pyproject.toml", "none.txt")
    )
    with pytest.raises(InputError) as caught:
        gather(tmp_path, request)
    assert [line.split(": ")[0] for line in caught.value.context] == [
        "command line",
        "r.txt:1",
        "pyproject.toml:2 (project.dependencies)",
        "none.txt",
    ]


def test_a_file_that_may_not_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    with pytest.raises(InputError, match=r"loop\.txt cannot be read"):
        gather(tmp_path, Requirements(requirement_files=("loop.txt",)))
