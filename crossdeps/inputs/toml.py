"""Reading TOML files, with errors that say where."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from crossdeps.errors import InputError
from crossdeps.inputs.files import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path


def read_toml(path: Path, name: str) -> tuple[dict[str, Any], str]:
    """Read a TOML file; return what it says, and its text.

    :param name: the path as the user would recognise it
    :raises InputError: if it can't be read, isn't UTF-8 or isn't TOML
    """
    data = read_bytes(path, name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} isn't UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}",
            context=(f"{name}:{line}",),
            hint="TOML files are always UTF-8",
        ) from error
    try:
        return tomllib.loads(text), text
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise InputError(
            f"{name} isn't valid TOML: {error}",
            context=(name,),
            hint="correct it at this place; text stands in quotation marks",
        ) from error
    except RecursionError as error:
        raise InputError(
            f"{name} isn't readable: it is nested too deeply", context=(name,)
        ) from error
