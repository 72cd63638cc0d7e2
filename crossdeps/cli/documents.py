"""JSON documents on standard output and in report files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdeps.errors import OutputError
from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.errors import CrossdepsError


def error_document(error: CrossdepsError) -> dict[str, Any]:
    """An error with the same fields as its text."""
    return {
        "version": 1,
        "crossdeps": __version__,
        "error": {
            "id": error.id,
            "rule": error.rule,
            "exit_code": error.exit_code,
            "message": error.message,
            "context": list(error.context),
            "hint": error.hint,
        },
    }


def write_json(document: dict[str, Any], console: Console) -> None:
    """Print *document* on standard output."""
    console.data(json.dumps(document, indent=2) + "\n")


def save_json(document: dict[str, Any], path: str) -> None:
    """Write *document* to a file.

    :raises OutputError: if it can't be written
    """
    try:
        Path(path).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"the report can't be written to {path}: {error.strerror or error}",
            hint="--report takes the path of a file in a directory that exists",
        ) from error
