"""From a process's arguments to its exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.console import Console
from crossdeps.cli.interruption import INTERRUPTED, TERMINATED, TerminatedError, signals_raised
from crossdeps.cli.memory import seldom_collected
from crossdeps.cli.options import TellOptions
from crossdeps.cli.parser import parse_arguments
from crossdeps.errors import CrossdepsError, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.cli.options import Options

UNREAD = 1
REPORT = "report"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    :param arguments: without the program's name; those of the process by default
    :returns: the exit code
    :raises SystemExit: after ``--help``, ``--version`` and ``--print-completion``
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    with signals_raised():
        try:
            return _run(given)
        except KeyboardInterrupt:
            Console.of_process(_tell_of(given), os.environ).say(
                "interrupted: nothing half-made was left"
            )
            return INTERRUPTED
        except TerminatedError:
            return TERMINATED
        except BrokenPipeError:
            _forget_output()
            return UNREAD


def _run(given: Sequence[str]) -> int:
    try:
        options = parse_arguments(given)
    except UsageError as error:
        tell = _tell_of(given)
        return _fail(error, tell, Console.of_process(tell, os.environ))
    except SystemExit:
        if sys.stdout:
            sys.stdout.flush()  # here, where a reader that has gone is no surprise
        raise
    console = Console.of_process(options.tell, os.environ)
    try:
        return _call(options, console)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except CrossdepsError as error:
        return _fail(error, options.tell, console)
    except Exception as error:  # noqa: BLE001 - the one place where the unforeseen is told
        from crossdeps.cli.failures import describe_traceback, failure_of  # noqa: PLC0415

        console.detail(describe_traceback(error))
        return _fail(failure_of(error), options.tell, console)


def _call(options: Options, console: Console) -> int:
    _check_directory()
    if options.tell.report:
        import_module("crossdeps.cli.documents").check_report(options.tell.report)
    configuration = import_module("crossdeps.cli.configuration")
    verb = import_module(f"crossdeps.cli.verbs.{options.verb}")
    project = configuration.project_configuration()
    with seldom_collected():
        return int(verb.run(configuration.complete(options, project), project, console))


def _check_directory() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise InputError(
            f"the current directory can't be used: {error.strerror}",
            hint="it may have been removed: go to another one",
        ) from error


def _fail(error: CrossdepsError, tell: TellOptions, console: Console) -> int:
    """Tell of *error* in every form that was asked for, without the secrets of URLs."""
    if "@" in f"{error}{error.hint}":
        from crossdeps.inputs import redact_urls  # noqa: PLC0415 - loads what a slip needn't

        error.message = redact_urls(error.message)
        error.context = tuple(redact_urls(line) for line in error.context)
        error.hint = redact_urls(error.hint) if error.hint else None
    console.error(error)
    if tell.json or tell.report:
        from crossdeps.cli.documents import error_document, save_json, write_json  # noqa: PLC0415

        document = error_document(error)
        if tell.report and error.rule != REPORT:
            try:
                save_json(document, tell.report)
            except CrossdepsError as another:
                console.error(another)
        if tell.json:
            write_json(document, console)
    return error.exit_code


def _tell_of(given: Sequence[str]) -> TellOptions:
    """What arguments that may not be understood say of how to tell so."""
    return TellOptions(json="--json" in given, quiet=bool({"-q", "--quiet"} & set(given)))


def _forget_output() -> None:
    """Let what is left in the buffers go nowhere: whoever read our output has gone (``| head``)."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, by its descriptor
        os.dup2(nowhere.fileno(), 1)
