"""Where things of this machine are: the cache folder, the current directory, standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CACHE_NAME = "crossdeps"


def cache_directory(given: Path | None) -> Path:
    """The cache: *given*, or ``crossdeps`` in the user's cache folder as the platform has it."""
    if given is not None:
        return given.absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where nothing was given

    return user_cache_path(CACHE_NAME, appauthor=False)


def read_stdin() -> bytes:
    """All of standard input."""
    return sys.stdin.buffer.read()
