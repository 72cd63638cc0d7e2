"""Read lock files (PEP 751, pylock.toml specification)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from crossdeps.errors import InputError, OutputError
from crossdeps.requirements.files import parse_toml, read_toml

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.pylock import Pylock

_SOURCES = ("vcs", "directory", "archive", "sdist")

DEFAULT_LOCK = "pylock.toml"
LOCK_HEADER = "# Made by crossdeps lock; edit the requirements that it was made from instead."
"""The first line of a lock that is written as a requirements file."""


def is_pylock(path: Path) -> bool:
    """Whether a file is a lock by its name: ``pylock.toml`` or ``pylock.NAME.toml``.

    Source: pylock.toml specification, "File Name".
    """
    return re.fullmatch(r"pylock(\.[^.]+)?\.toml", path.name) is not None


def read_pylock(path: Path) -> Pylock:
    """Read and validate a lock; its relative paths are made absolute.

    :raises InputError: if it cannot be read, is not TOML, violates the specification (the message
        states the key) or has an unsupported version
    """
    name = str(path)
    return _validate(read_toml(path, name)[0], name, os.path.abspath(path.parent))  # noqa: PTH100 - links stay as they are


def parse_pylock(text: str, name: str, directory: str) -> Pylock:
    """Validate the text of a lock.

    :param name: of the lock, for messages
    :param directory: that its paths are relative to
    :raises InputError: as :func:`read_pylock`
    """
    return _validate(parse_toml(text, name), name, directory)


def _validate(document: dict[str, Any], name: str, directory: str) -> Pylock:
    from packaging.pylock import (  # noqa: PLC0415 - loads much
        Pylock,
        PylockUnsupportedVersionError,
        PylockValidationError,
    )

    _make_absolute(document, directory)
    try:
        return Pylock.from_dict(document)
    except PylockUnsupportedVersionError as error:
        raise InputError(
            f"{name} has an unsupported lock-version: {error.message}",
            context=(name,),
            hint="create it again with a tool that writes lock-version 1.0",
        ) from error
    except PylockValidationError as error:
        key = f" ({error.context})" if error.context else ""
        raise InputError(
            f"{name} is not a valid lock file: {error.message}",
            context=(f"{name}{key}",),
            hint="create it again with the tool that wrote it",
        ) from error


def _make_absolute(document: dict[str, Any], folder: str) -> None:
    """Prefix the relative paths of every package with *folder*, as far as they are well-formed."""
    packages = document.get("packages")
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue
        wheels = package.get("wheels")
        sources = [package.get(key) for key in _SOURCES]
        for source in (*sources, *(wheels if isinstance(wheels, list) else ())):
            if isinstance(source, dict) and isinstance(source.get("path"), str):
                source["path"] = os.path.join(folder, source["path"])  # noqa: PTH118 - text stays text


def not_a_lock(path: Path) -> OutputError:
    """Make the error for an output that exists and that crossdeps did not write."""
    return OutputError(
        f"{path} exists and is not a lock",
        hint=f"write to {DEFAULT_LOCK}, pylock.NAME.toml or another NAME.txt, or remove it first",
    )
