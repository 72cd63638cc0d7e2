"""The code in the documentation is valid, and the commands have options that exist."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from pathlib import Path

import pytest

from crossdeps.cli.argument_parser import build_parser
from crossdeps.cli.pip_spellings import translate_pip_options
from tests.support.toml import load_toml

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^( *)```(console|python|toml)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    (page.relative_to(ROOT).as_posix(), language, re.sub(rf"(?m)^{indent}", "", code))
    for page in PAGES
    for indent, language, code in BLOCK.findall(page.read_text(encoding="utf-8"))
]
COMMAND = re.compile(r"^\$ crossdeps ((?:.*\\\n)*.*)", re.MULTILINE)
SHELL = {"|", "||", "&&", ";", ">"}
COMMANDS = [
    (page, command)
    for page, language, code in BLOCKS
    if language == "console"
    for command in COMMAND.findall(code)
]


@pytest.mark.parametrize(
    ("page", "code"), [(page, code) for page, language, code in BLOCKS if language == "python"]
)
def test_python_is_valid(page: str, code: str) -> None:
    ast.parse(code, page)


@pytest.mark.parametrize("code", [code for _, language, code in BLOCKS if language == "toml"])
def test_toml_is_valid(code: str, tmp_path: Path) -> None:
    (tmp_path / "block.toml").write_text(code, encoding="utf-8")
    load_toml(tmp_path / "block.toml")


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_commands_are_understood(page: str, command: str) -> None:
    words = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    words.whitespace_split = True
    arguments = list(itertools.takewhile(lambda word: word not in SHELL, words))
    if "--print-completion" not in arguments:  # which prints and exits
        assert vars(build_parser(complete=True).parse_args(translate_pip_options(arguments))), page
