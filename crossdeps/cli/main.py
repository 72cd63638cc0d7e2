"""From a process's arguments to its exit code."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from crossdeps.cli.console import Console
from crossdeps.cli.parser import parse_arguments
from crossdeps.errors import CrossdepsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.cli.options import Options

INTERRUPTED = 130
TERMINATED = 143


class _Terminated(BaseException):
    """SIGTERM, raised in the main thread so that everything half-made is removed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    :param arguments: without the program's name; those of the process by default
    :returns: the exit code
    """
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    console = Console.of_process(options.tell, os.environ)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(options, console)
    except KeyboardInterrupt:
        console.say("interrupted: nothing half-made was left")
        return INTERRUPTED
    except _Terminated:
        return TERMINATED
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(options: Options, console: Console) -> int:
    try:
        configuration = import_module("crossdeps.cli.configuration")
        verb = import_module(f"crossdeps.cli.verbs.{options.verb}")
        project = configuration.project_configuration()
        code = verb.run(configuration.complete(options, project), project, console)
    except CrossdepsError as error:
        if options.tell.json:
            from crossdeps.cli.documents import error_document, write_json  # noqa: PLC0415

            write_json(error_document(error), console)
        console.error(error)
        return error.exit_code
    return int(code)


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise _Terminated
