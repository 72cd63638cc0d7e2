"""Rules of the house that no linter knows: who may read the environment, and who may print."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import crossdeps

ROOT = Path(crossdeps.__file__).parent
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))
READS_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}


@pytest.mark.parametrize(
    "name", [name for name in FILES if not name.startswith(("cli/", "config/"))]
)
def test_only_cli_and_config_read_environment_variables(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    read = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in READS_ENVIRONMENT)
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and _names(node))
    ]
    assert read == []


def _names(node: ast.ImportFrom) -> set[str]:
    return READS_ENVIRONMENT & {alias.name for alias in node.names}


@pytest.mark.parametrize("name", FILES)
def test_no_module_is_a_drawer_of_odds_and_ends(name: str) -> None:
    assert Path(name).stem not in {"common", "helpers", "misc", "util", "utils"}
