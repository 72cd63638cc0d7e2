from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import crossdeps

ROOT = Path(crossdeps.__file__).parent
ROOMS = sorted(
    module.name for module in pkgutil.iter_modules([str(ROOT)], "crossdeps.") if module.ispkg
)


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


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_what_it_exports(room: str) -> None:
    module = importlib.import_module(room)
    missing = [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)]
    assert missing == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_hides_what_its_room_exports(room: str) -> None:
    """Names are loaded when they are asked for: a module of the same name would come first."""
    module = importlib.import_module(room)
    modules = {each.name for each in pkgutil.iter_modules(module.__path__)}
    assert modules & set(getattr(module, "__all__", ())) == set()
