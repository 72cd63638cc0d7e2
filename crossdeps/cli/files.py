"""Text files that appear complete or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from crossdeps.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path


def write_aside(
    path: Path, text: str, *, what: str, hint: str | None = None, rule: str | None = None
) -> None:
    """Write *text* as UTF-8 beside *path*, and rename it when it is complete.

    What isn't a file (a pipe, a terminal) is written as it is; a link keeps leading where it leads.

    :param what: is written, for the message
    :raises OutputError: if it can't be written; what was there before is still there
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        _replace(path.resolve(), text.encode("utf-8"))
    except OSError as error:
        raise OutputError(
            f"{what} can't be written to {path}: {error.strerror or error}", hint=hint, rule=rule
        ) from error


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            aside.chmod(path.stat().st_mode & 0o777)
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
