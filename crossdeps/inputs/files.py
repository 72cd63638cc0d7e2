"""Reading input files from disk: what can go wrong, said in words."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from crossdeps.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 64 * 1024 * 1024  # bytes; a list of 300,000 requirements has about 10 million


def read_bytes(path: Path, name: str) -> bytes:
    """Read a file that lists what is asked.

    :param name: the path as the user would recognise it
    :raises InputError: if it is missing, a directory, not readable or larger than 64 MiB
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {name}", hint=_nearest_hint(path, name)) from error
    except IsADirectoryError as error:
        raise InputError(
            f"{name} is a directory, not a file", hint="name the file in it that lists requirements"
        ) from error
    except PermissionError as error:
        # Windows says so of directories, too
        is_directory = os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() may raise the same again
        what = "is a directory, not a file" if is_directory else "may not be read"
        hint = (
            "name the file in it that lists requirements"
            if is_directory
            else "let this user read it, or run as one who may"
        )
        raise InputError(f"{name} {what}", hint=hint) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{name} can't be read: {reason}", hint="check the path, and the disk that it is on"
        ) from error
    if len(data) > _LARGEST:
        raise InputError(f"{name} is larger than 64 MiB", hint="is it the right file?")
    return data


def _nearest_hint(path: Path, name: str) -> str:
    """Name a file beside it that is spelled alike, as the user would."""
    try:
        beside = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    except OSError:
        return "check the path: its folder isn't there"
    nearest = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.75)
    if nearest:
        return f"did you mean {name.removesuffix(path.name)}{nearest[0]}?"
    return "check the path; one in a requirements file is relative to that file"
