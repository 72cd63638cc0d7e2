from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.config.configuration import read_project_file
from crossdeps.config.options import Options
from crossdeps.errors import InputError
from tests.requirements.reading import write

if TYPE_CHECKING:
    from pathlib import Path


def configuration(folder: Path, table: str) -> Options:
    write(folder, {"pyproject.toml": table})
    return Options("", **(read_project_file(folder / "pyproject.toml") or {}))


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    found = configuration(
        tmp_path,
        """\
[tool.crossdeps]
python = "3.12"
arch = ["x86_64", "arm64"]
runtime = "python3.12"
requirements = ["requirements.txt", "/srv/more.txt"]
source = "src"
output = "dist/function.zip"
exclude = ["tests/**"]
find-links = ["wheels", "https://h.example/links"]
no-deps = true
exclude-newer = 2024-05-01
index-strategy = "first"

[tool.crossdeps.project-index]
Torch_X = "https://h.example/cpu"

[tool.crossdeps.pre-releases]
numpy = "allow"
""",
    )
    assert found.python == "3.12"
    assert found.archs == ("x86_64", "arm64")
    assert found.runtimes == ("python3.12",)
    assert found.requirement_files == (str(tmp_path / "requirements.txt"), "/srv/more.txt")
    assert found.sources == (str(tmp_path / "src"),)
    assert found.output == str(tmp_path / "dist/function.zip")
    assert found.excludes == ("tests/**",)
    assert found.find_links == (str(tmp_path / "wheels"), "https://h.example/links")
    assert found.no_deps is True
    assert "slim" not in found.specified
    assert found.exclude_newer == "2024-05-01"
    assert found.index_strategy == "first"
    assert found.project_indexes == {"torch-x": "https://h.example/cpu"}
    assert found.pre_releases == {"numpy": "allow"}


@pytest.mark.parametrize("content", ["", "[tool]", "[tool.other]\nx = 1", "tool = 1"])
def test_a_file_without_the_table_says_nothing(content: str, tmp_path: Path) -> None:
    assert configuration(tmp_path, content).specified == {}


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ("pyhton = '3.12'", "has no key pyhton", "did you mean python?"),
        ("index_url = 'x'", "has no key index_url", "did you mean index-url?"),
        ("file = 'x'", "has no key file", None),
        ("zzz = 1", "has no key zzz", "keys are"),
        ("python = 3.12", "tool.crossdeps.python must be a string", None),
        ("slim = 'yes'", "must be true or false", None),
        ("arch = [1]", "must be a string or a list of strings", None),
        ("pre-releases = ['x']", "must be a table of strings", None),
        ("pre-releases = {x = 'maybe'}", "must be one of if-necessary", None),
        ("index-strategy = 'best'", "must be one of safe, first", None),
    ],
)
def test_a_table_that_means_nothing_is_refused(
    table: str, message: str, hint: str | None, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        configuration(tmp_path, f"[tool.crossdeps]\n{table}\n")
    assert message in caught.value.message
    assert str(tmp_path / "pyproject.toml") in caught.value.context[0]
    if hint:
        assert hint in (caught.value.hint or "")


def test_the_table_must_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a table"):
        configuration(tmp_path, "[tool]\ncrossdeps = 1")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_project_file(tmp_path / "pyproject.toml")


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\ncrossdeps.arch = 'arm64'",
        "tool.crossdeps.arch = 'arm64'",
        "[ tool . 'crossdeps' ]\narch = 'arm64'",
        "tool = {crossdeps = {arch = 'arm64'}}",
    ],
)
def test_the_table_may_be_spelled_as_toml_allows(text: str, tmp_path: Path) -> None:
    assert configuration(tmp_path, text) == Options("", archs=("arm64",))


@pytest.mark.parametrize("text", ["", "[tool.other]\narch = 'arm64'", "no TOML at all"])
def test_a_file_that_does_not_mention_us_is_not_parsed(text: str, tmp_path: Path) -> None:
    """Other tools tell of its errors."""
    assert configuration(tmp_path, text) == Options("")


def test_a_file_that_is_not_toml_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not valid TOML"):
        configuration(tmp_path, "[tool.crossdeps\n")
