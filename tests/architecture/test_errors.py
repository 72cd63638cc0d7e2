from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import crossdeps
from crossdeps import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs/reference"
PAGE = (DOCS / "errors.md").read_text(encoding="utf-8")


def _all_errors() -> list[type[errors.CrossdepsError]]:
    """Every error class of the package, wherever it is defined."""
    for module in pkgutil.walk_packages(crossdeps.__path__, "crossdeps."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return sorted(set(_tree(errors.CrossdepsError)), key=lambda cls: cls.__name__)


def _tree(cls: type[errors.CrossdepsError]) -> Iterator[type[errors.CrossdepsError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _tree(child)


ERRORS = _all_errors()


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
class TestEveryError:
    def test_it_has_an_id_of_its_own(self, cls: type[errors.CrossdepsError]) -> None:
        assert "id" in vars(cls)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.id)
        assert [other for other in ERRORS if other.id == cls.id] == [cls]

    def test_it_is_documented_with_its_exit_code(self, cls: type[errors.CrossdepsError]) -> None:
        """The reference has an anchor for the id, and says the class and the exit code."""
        _, anchor, rest = PAGE.partition(f"(error-{cls.id})=\n")
        assert anchor, f"docs/reference/errors.md has no section for {cls.id}"
        section = rest.partition("(error-")[0]
        assert section.startswith(f"### `{cls.id}`\n")
        assert f"{{exc}}`~crossdeps.{cls.__name__}`, exit code {cls.exit_code}." in section

    def test_it_is_a_public_name(self, cls: type[errors.CrossdepsError]) -> None:
        assert cls.__name__ in crossdeps.__all__


@pytest.mark.parametrize(
    "cls",
    [cls for cls in ERRORS if cls.__module__ == errors.__name__],
    ids=lambda cls: cls.__name__,
)
def test_the_tree_is_drawn_where_it_is_defined(cls: type[errors.CrossdepsError]) -> None:
    assert re.search(rf"\b{cls.__name__} +{cls.exit_code}\b", errors.__doc__ or "")


def test_exit_codes_are_those_of_the_reference() -> None:
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    documented = {int(code) for code in re.findall(r"^\| `(\d+)` \|", page, re.MULTILINE)}
    assert {cls.exit_code for cls in ERRORS} | {0, 129, 130, 143} == documented


def test_an_error_says_where_it_happened() -> None:
    error = errors.InputError("not a requirement", context=("requirements.txt:3",), hint="quote it")
    assert str(error) == "not a requirement · requirements.txt:3"
    assert error.within("pyproject.toml").context == ("pyproject.toml", "requirements.txt:3")
