"""JSON documents on standard output and in report files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdeps.cli.files import write_aside
from crossdeps.errors import OutputError
from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import TellOptions
    from crossdeps.errors import CrossdepsError

_HINT = "--report takes the path of a file in a directory that exists"


def error_document(error: CrossdepsError) -> dict[str, Any]:
    """An error with the same fields as its text; and the findings, where they are the error."""
    document: dict[str, Any] = {
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
    if error.id == "findings":
        from crossdeps.report import finding_document  # noqa: PLC0415 - has much to load
        from crossdeps.verify import FindingsError  # noqa: PLC0415 - the same

        if isinstance(error, FindingsError):
            document["findings"] = [finding_document(finding) for finding in error.findings]
    return document


def tell(document: dict[str, Any], text: str, options: TellOptions, console: Console) -> None:
    """Give a result in every form that was asked for: a report file; JSON, or else *text*.

    :raises OutputError: if the report can't be written
    """
    if options.report:
        save_json(document, options.report)
    if options.json:
        write_json(document, console)
    elif text:
        console.data(text)


def write_json(document: dict[str, Any], console: Console) -> None:
    """Print *document* on standard output."""
    console.data(json.dumps(document, indent=2) + "\n")


def save_json(document: dict[str, Any], path: str) -> None:
    """Write *document* to a file.

    :raises OutputError: if it can't be written
    """
    text = json.dumps(document, indent=2) + "\n"
    write_aside(Path(path), text, what="the report", hint=_HINT, rule="report")


def check_report(path: str) -> None:
    """Refuse a report file that can't be written, before anything is done.

    :raises OutputError: if it is one
    """
    file = Path(path)
    folder = file.absolute().parent
    if file.is_dir():
        reason = "it is a directory"
    elif not folder.is_dir():
        reason = f"there is no directory {folder}"
    elif not os.access(file if file.exists() else folder, os.W_OK):
        reason = "permission denied"
    else:
        return
    raise OutputError(f"the report can't be written to {path}: {reason}", hint=_HINT, rule="report")
