"""Lock files (PEP 751, the pylock.toml specification), read into the standard's own type."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from crossdeps.errors import InputError
from crossdeps.requirements.files import read_toml

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.pylock import Pylock

_NAME = re.compile(r"pylock(\.[^.]+)?\.toml")
_SOURCES = ("vcs", "directory", "archive", "sdist")


def is_pylock(path: Path) -> bool:
    """Whether a file is a lock by its name: ``pylock.toml`` or ``pylock.NAME.toml``.

    Source: pylock.toml specification, "File Name".
    """
    return bool(_NAME.fullmatch(path.name))


def read_pylock(path: Path) -> Pylock:
    """Read and validate a lock; relative paths in it are made absolute, from the lock's folder.

    :raises InputError: if it can't be read, isn't TOML, breaks the specification (the message names
        the key) or has a version of the format that isn't known
    """
    from packaging.pylock import (  # noqa: PLC0415 - only who reads a lock needs it
        Pylock,
        PylockUnsupportedVersionError,
        PylockValidationError,
    )

    name = str(path)
    document, _ = read_toml(path, name)
    _make_absolute(document, os.path.abspath(path.parent))  # noqa: PTH100 - links stay as they are
    try:
        return Pylock.from_dict(document)
    except PylockUnsupportedVersionError as error:
        raise InputError(
            f"{name} is a lock of a version that isn't known: {error.message}",
            context=(name,),
            hint="make it again with a tool that writes lock-version 1.0",
        ) from error
    except PylockValidationError as error:
        place = f" ({error.context})" if error.context else ""
        raise InputError(
            f"{name} isn't a valid lock: {error.message}",
            context=(f"{name}{place}",),
            hint="make it again with the tool that wrote it",
        ) from error


def _make_absolute(document: dict[str, Any], folder: str) -> None:
    """Put *folder* before the relative paths of every package, as far as they are well-formed."""
    packages = document.get("packages")
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue
        wheels = package.get("wheels")
        sources = [package.get(key) for key in _SOURCES]
        for source in (*sources, *(wheels if isinstance(wheels, list) else ())):
            if isinstance(source, dict) and isinstance(source.get("path"), str):
                source["path"] = os.path.join(folder, source["path"])  # noqa: PTH118 - text stays text
