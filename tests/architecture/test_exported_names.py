from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import crossdeps

ROOT = Path(crossdeps.__file__).parent
PACKAGES = sorted(path.parent for path in ROOT.rglob("*/__init__.py"))


def _names_for_type_checkers() -> set[str]:
    """The names that ``crossdeps/__init__.py`` imports, which is what a type checker sees."""
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crossdeps")
        for alias in node.names
    }


def test_public_names_are_the_same_for_people_and_type_checkers() -> None:
    assert _names_for_type_checkers() == set(crossdeps.__all__)
    assert dir(crossdeps) == sorted(crossdeps.__all__)


@pytest.mark.parametrize("name", crossdeps.__all__)
def test_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(crossdeps, name)
    assert isinstance(value, str) or value.__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        crossdeps.no_such_name  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES)
def test_inner_packages_export_nothing(package: Path) -> None:
    """Modules are imported where they are defined; only ``crossdeps`` itself exports names."""
    assert (package / "__init__.py").read_bytes() == b""


@pytest.mark.parametrize("name", [name for name in crossdeps.__all__ if name != "__version__"])
def test_no_module_hides_a_public_name(name: str) -> None:
    """Public names are loaded on first use: the import system would set a module of that name."""
    assert not (ROOT / f"{name}.py").exists()
    if (ROOT / name).exists():
        importlib.import_module(f"crossdeps.{name}")
        assert callable(getattr(crossdeps, name))
