"""Files of other tools that list requirements, and how each becomes a file that is read here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from crossdeps.errors import InputError
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable

_POETRY: Final = "poetry export -o requirements.txt"  # with poetry-plugin-export
_PIPENV: Final = "pipenv requirements --hash > requirements.txt"
_CONDA: Final = "pip list --format=freeze > requirements.txt"  # in the environment
_EXPORTS: Final = {
    "uv.lock": ("a lock of uv", "uv export --format pylock.toml -o pylock.toml"),
    "poetry.lock": ("a lock of Poetry", _POETRY),
    "pdm.lock": ("a lock of PDM", "pdm export -o requirements.txt"),
    "Pipfile.lock": ("a lock of Pipenv", _PIPENV),
    "Pipfile": ("a file of Pipenv", _PIPENV),
    "environment.yml": ("an environment of conda", _CONDA),
    "environment.yaml": ("an environment of conda", _CONDA),
    "conda-lock.yml": ("a lock of conda", _CONDA),
    "setup.py": ("the build script of a project", ""),
    "setup.cfg": ("the configuration of a project", ""),
}
"""File name -> what it is, and the command that exports it; empty for that of a project."""


def other_format_error(path: str) -> InputError | None:
    """Return the error for a file of another tool, by its name; None for any other file.

    :param path: as the user specified it
    """
    what, command = _EXPORTS.get(os.path.basename(path), ("", ""))  # noqa: PTH119 - text only
    if not what:
        return None
    directory = os.path.dirname(path) or "."  # noqa: PTH120 - text only
    hint = f"export it: {command}; then build from that file"
    if not command:
        hint = f"build the project: crossdeps build {escape(directory)}"
    return InputError(
        f"{escape(path)} is {what}, which crossdeps does not read", hint=hint, rule="other-format"
    )


def find_other_formats(exists: Callable[[str], bool]) -> list[InputError]:
    """Return the errors for the files of other tools that exist in one directory."""
    found = (other_format_error(name) for name in _EXPORTS if exists(name))
    return [error for error in found if error is not None]
