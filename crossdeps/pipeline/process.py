"""What a run takes from its process: the cache of its user, standard input, the environment."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from crossdeps.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossdeps.pipeline.request import Settings

CACHE_NAME = "crossdeps"


def cache_directory(path: Path | None) -> Path:
    """The cache: *path*, or ``crossdeps`` in the cache folder that the platform gives a user.

    :raises UsageError: if the platform gives none, since the user has no home
    """
    if path is not None:
        return path.absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - needed without --cache-dir only

    # HOME may be unset for a user without an entry in passwd. Versions of platformdirs then raise
    # an error, or return a relative path.
    with contextlib.suppress(RuntimeError):
        found = user_cache_path(CACHE_NAME, appauthor=False)
        if found.is_absolute():
            return found
    raise UsageError(
        "the cache has no directory: this user has no home",
        hint="set HOME to an absolute path, or name a directory with --cache-dir",
        rule="no-home",
    )


def find_cache(settings: Settings, warnings: list[str] | None = None) -> Path | None:
    """The cache of a run; None if it uses none.

    :param warnings: receives the reason if this user has no directory for one
    """
    if settings.no_cache:
        return None
    try:
        return cache_directory(settings.cache)
    except UsageError as error:
        if warnings is not None:
            warnings.append(f"{error.message}, and downloads are not cached; {error.hint}")
        return None


class RecordingEnvironment(Mapping[str, str]):
    """Environment variables, and which of them were read.

    :ivar variables: all of them; reading these is not recorded
    :ivar read: the values of those that were read; None for those that are not set
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.read: dict[str, str | None] = {}

    def __getitem__(self, name: str) -> str:
        self.read[name] = self.variables.get(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def read_standard_input() -> bytes:
    """Read requirements from standard input.

    :raises InputError: if it is closed
    """
    try:
        if sys.stdin is not None:
            return sys.stdin.buffer.read()
        reason = "it is closed"
    except OSError as error:
        reason = error.strerror or str(error)
    raise InputError(
        f"standard input cannot be read: {reason}",
        context=("-r -",),
        hint="pipe requirements into crossdeps, or name a file with -r FILE",
    )
