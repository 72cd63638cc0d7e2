"""The ``.python-version`` file that pyenv, uv and others write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossdeps.errors import InputError
from crossdeps.inputs.display import shown
from crossdeps.inputs.encoding import decode
from crossdeps.inputs.files import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = re.compile(r"(?:(?:c?python)-?)?(3\.\d{1,2}(?:\.\d{1,2})?)")


def read_python_version(path: Path) -> str | None:
    """Return the first version that a ``.python-version`` names, such as ``3.12`` or ``3.12.4``.

    None where it names nothing. ``python-3.12`` and ``cpython-3.12`` mean the same.

    :raises InputError: if the file can't be read, or its first entry is another implementation or
        the name of an environment
    """
    for number, line in enumerate(decode(read_bytes(path, str(path))).splitlines(), start=1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        if found := _VERSION.fullmatch(said):
            return found[1]
        raise InputError(
            f"{shown(said)} isn't a version of CPython",
            context=(f"{path}:{number}",),
            hint="say which Python the package is for with --python, such as --python 3.12",
        )
    return None
