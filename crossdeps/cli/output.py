"""Printing: results on standard output, everything else on standard error."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from crossdeps.errors import FindingsError, OutputError
from crossdeps.progress import Progress
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crossdeps.config.options import Options
    from crossdeps.errors import CrossdepsError

_STYLES = {"error": "1;31", "warning": "1;33", "note": "1;36", "hint": "1;36"}


class Console:
    """Where a command prints: data on standard output, everything else on standard error.

    No meaning is carried by color alone.

    :param environ: the environment variables, for NO_COLOR, FORCE_COLOR and TERM
    """

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        # A stream is None where the process was started with it closed.
        self.is_closed: bool = sys.stdout is None
        self.out: TextIO = sys.stdout or io.StringIO()
        self.err: TextIO = sys.stderr or io.StringIO()
        self.quiet: bool = options.quiet
        self.verbose: int = options.verbose
        terminal = self.err.isatty() and environ.get("TERM") != "dumb"
        self.color: bool = options.color == "always" or (
            options.color in {None, "auto"}
            and not environ.get("NO_COLOR")
            and (terminal or bool(environ.get("FORCE_COLOR")))
        )
        self._shows_progress = terminal and not (options.quiet or options.no_progress)

    def data(self, text: str) -> None:
        """Print the result of the command.

        :raises BrokenPipeError: if its reader has exited
        :raises OutputError: if it cannot be written, or is closed
        :raises ResourceError: if the disk is full
        """
        if self.is_closed:
            raise _closed_error()
        try:
            self.out.write(_encodable(text, self.out))
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            from crossdeps.system_errors import resource_error  # noqa: PLC0415 - for errors only

            problem = "standard output cannot be written"
            limit = resource_error(error, problem)
            if limit is not None:
                limit.hint, limit.rule = None, STREAM_RULE
            raise limit or OutputError(
                f"{problem}: {error.strerror or error}", rule=STREAM_RULE
            ) from error

    def say(self, text: str) -> None:
        """Print a line on standard error, unless quiet."""
        if not self.quiet:
            self._line(text)

    def detail(self, text: str) -> None:
        """Print a line with -v only."""
        if self.verbose and not self.quiet:
            self._line(text)

    def warn(self, text: str) -> None:
        """Print a warning, unless quiet."""
        if not self.quiet:
            self._line(text, "warning")

    def note(self, text: str) -> None:
        """Print a decision that was made for the user, unless quiet."""
        if not self.quiet:
            self._line(text, "note")

    def error(self, error: CrossdepsError) -> None:
        """Print an error: what, where, and after a blank line what to do."""
        self._line(error.message, "error")
        for line in error.context:
            self._line(f"  {line}")
        if error.hint:
            self._line("")
            self._line(error.hint, "hint")

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A reporter of progress: lines with -v, a live display on a terminal, else silent."""
        if self.verbose and not self.quiet:
            from crossdeps.cli.progress_display import LoggedProgress  # noqa: PLC0415

            yield LoggedProgress(self.detail, detailed=self.verbose > 1)
            return
        if not self._shows_progress:
            yield Progress()
            return
        from crossdeps.cli.progress_display import LiveProgress  # noqa: PLC0415 - loads rich

        live = LiveProgress(self.err, color=self.color)
        try:
            yield live
        finally:
            live.close()

    def _line(self, text: str, word: str = "") -> None:
        shown = _encodable(text, self.err)
        if word:
            styled = f"\x1b[{_STYLES[word]}m{word}\x1b[0m" if self.color else word
            shown = f"{styled}: {shown}"
        # A closed standard error is no reason to stop.
        with suppress(OSError):
            self.err.write(shown + "\n")
            self.err.flush()


def _encodable(text: str, stream: TextIO) -> str:
    """*text* as *stream* can encode it (LANG=C) and as a terminal can show it, the rest escaped."""
    from crossdeps.text import printable  # noqa: PLC0415 - not needed for help

    encoding = stream.encoding or "utf-8"
    return printable(text, lines=True).encode(encoding, "backslashreplace").decode(encoding)


STREAM_RULE = "standard-output"
"""The rule of errors about standard output, which are not printed there."""


def check_streams(options: Options) -> None:
    """Refuse to work for a document that nobody can get.

    :raises OutputError: if standard output is closed
    """
    if options.json and sys.stdout is None:
        raise _closed_error()


def _closed_error() -> OutputError:
    return OutputError(
        "standard output is closed",
        hint="redirect it to a file or a pipe, or write the document with --report FILE",
        rule=STREAM_RULE,
    )


_HINT = "--report takes the path of a new file, or of an earlier report"
REPORT_RULE = "report"
"""The rule of errors about the report file itself, which are not written to it."""


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
    if isinstance(error, FindingsError):
        document["findings"] = [finding.to_dict() for finding in error.findings]
    return document


def tell(document: dict[str, Any], text: str, options: Options, console: Console) -> None:
    """Print a result in every form that was requested: a report file; JSON, or else *text*.

    :raises OutputError: if the report cannot be written
    """
    if options.report:
        save_json(document, options.report)
    if options.json:
        write_json(document, console)
    elif text:
        console.data(text)


def render_json(document: dict[str, Any]) -> str:
    """*document* as indented JSON, with a line end."""
    import json  # noqa: PLC0415 - not needed for help

    return json.dumps(document, indent=2) + "\n"


def write_json(document: dict[str, Any], console: Console) -> None:
    """Print *document* on standard output."""
    console.data(render_json(document))


def save_json(document: dict[str, Any], path: str) -> None:
    """Write *document* to a file.

    :raises OutputError: if it cannot be written
    """
    from pathlib import Path  # noqa: PLC0415 - not needed for help

    from crossdeps.fs import write_output  # noqa: PLC0415 - not needed for help

    write_output(Path(path), render_json(document), what="the report", hint=_HINT, rule=REPORT_RULE)


def check_report(options: Options) -> None:
    """Refuse a report file that cannot be written, or is something else, before anything is done.

    :raises OutputError: if it is an input, the output or inside it, or a file that is no report
    """
    path = options.report or ""
    try:
        reason = _find_report_problem(path, options)
    except OSError as error:  # the current directory was removed
        reason = error.strerror or str(error)
    if reason:
        raise OutputError(
            f"the report cannot be written to {path}: {reason}", hint=_HINT, rule=REPORT_RULE
        )


def _find_report_problem(path: str, options: Options) -> str:
    directory = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - without pathlib
    if os.path.isdir(path):  # noqa: PTH112 - without pathlib
        return "it is a directory"
    if not os.path.isdir(directory):  # noqa: PTH112 - without pathlib
        return f"there is no directory {directory}"
    if not os.access(path if os.path.exists(path) else directory, os.W_OK):  # noqa: PTH110
        return "permission denied"
    return _find_other_use(path, options) or _find_other_content(path)


def _find_other_use(path: str, options: Options) -> str:
    """Say what else the command uses *path* for; empty if it uses it for nothing."""
    real = os.path.realpath(path)
    output = {"build": options.output or "package", "lock": options.lock_output or "pylock.toml"}
    written = output.get(options.verb) or options.report_output
    if written and written != "-":
        place = os.path.realpath(written)
        if real == place or real.startswith(place + os.sep):
            return "it is the output" if real == place else "it is inside the output"
    read = (
        *options.requirements, *options.requirement_files, *options.constraint_files,
        *options.override_files, *options.sources, *options.layers,
        options.artifact, options.old, options.new, options.lock_file or "",
    )  # fmt: skip
    if any(name and os.path.realpath(name) == real for name in read):
        return "the command reads it"
    return ""


def _find_other_content(path: str) -> str:
    """Say that *path* is a file with other content than a report; empty if it may be replaced."""
    if not os.path.isfile(path):  # noqa: PTH113 - a pipe, a device, or nothing yet
        return ""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - without pathlib
            head = file.read(_HEAD)
    except OSError as error:
        return error.strerror or str(error)
    is_document = head.lstrip().startswith(b"{") and b'"crossdeps"' in head
    return "" if is_document or not head.strip() else "it is a file that is not a report"


_HEAD = 4096
