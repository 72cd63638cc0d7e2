"""How often Python looks for cycles of garbage."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
import threading
import traceback
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from crossdeps.cli.argument_parser import parse_arguments
from crossdeps.cli.options import TellOptions
from crossdeps.cli.output import Console
from crossdeps.errors import CrossdepsError, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crossdeps.cli.options import Options

_NEW_OBJECTS = 20_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cycles after 20,000 new objects rather than 700.

    Index pages and lists of files are many small objects that stay: looking through them again and
    again takes a tenth of a run, and finds nothing.
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


_PACKAGE = Path(__file__).parents[1]
_ROOM = "make room, or name another place with --output, --cache-dir or TMPDIR"
_HINTS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EACCES: "allow this user to use it, or name another place",
    errno.EPERM: "allow this user to use it, or name another place",
    errno.EROFS: "name another place: nothing can be written there",
    errno.EMFILE: "let processes open more files: ulimit -n 256",
    errno.ENFILE: "close other programs: this machine has no more open files to give",
}


def build_failure(error: Exception) -> CrossdepsError:
    """An error for people: what the operating system refused, or a fault of crossdeps itself."""
    if isinstance(error, OSError) and error.strerror:
        return CrossdepsError(
            error.strerror,
            context=tuple(
                str(name) for name in (error.filename, error.filename2) if name is not None
            ),
            hint=_HINTS.get(error.errno or 0),
            rule="operating-system",
        )
    if isinstance(error, MemoryError):
        return CrossdepsError("this machine has no more memory to give", rule="operating-system")
    return CrossdepsError(
        f"this is a fault of crossdeps: {_described(error)}",
        context=_place(error),
        hint="run the same command with -v, and report what it prints",
        rule="internal",
    )


def describe_traceback(error: BaseException) -> str:
    """The traceback, without the secrets of URLs."""
    from crossdeps.text import redact  # noqa: PLC0415 - only where something went wrong

    return "\n".join(
        redact(line) for text in traceback.format_exception(error) for line in text.splitlines()
    )


def _described(error: Exception) -> str:
    from crossdeps.text import redact  # noqa: PLC0415 - only where something went wrong

    text = redact(" ".join(str(error).split()))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error: Exception) -> tuple[str, ...]:
    """The innermost line of crossdeps that the error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    if not ours:
        return ()
    file = Path(ours[-1].filename).relative_to(_PACKAGE.parent)
    return (f"{file.as_posix()}:{ours[-1].lineno}, in {ours[-1].name}",)


INTERRUPTED: Final = 130
TERMINATED: Final = 143
GRACE: Final = 0.6
"""Seconds to clean up; what a killed run leaves aside is removed by the next one."""

_SHOW_CURSOR = "\x1b[2K\r\x1b[?25h"


class TerminatedError(BaseException):
    """SIGTERM, raised in the main thread so that everything half-made is removed."""


@contextmanager
def signals_raised() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM unwind the main thread, once, and within :data:`GRACE` seconds.

    Elsewhere than in the main thread, signals stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if before[signal.SIGINT] is signal.default_int_handler:  # `nohup` and the like ignore it
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    _end_soon(INTERRUPTED)
    raise KeyboardInterrupt


def _terminate(_signal: int, _frame: object) -> NoReturn:
    _end_soon(TERMINATED)
    raise TerminatedError


def _end_soon(code: int) -> None:
    """Let the main thread clean up undisturbed, but not wait for others for long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    watchdog = threading.Timer(GRACE, _end, (code,))
    watchdog.daemon = True
    watchdog.start()


def _end(code: int) -> NoReturn:
    with suppress(Exception):
        if sys.stderr.isatty():
            sys.stderr.write(_SHOW_CURSOR)
            sys.stderr.flush()
    os._exit(code)


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
        console.detail(describe_traceback(error))
        return _fail(build_failure(error), options.tell, console)


def _call(options: Options, console: Console) -> int:
    _check_directory()
    if options.tell.report:
        import_module("crossdeps.cli.output").check_report(options.tell.report)
    configuration = import_module("crossdeps.cli.configuration")
    room = "lock" if options.verb == "lock" else "verbs"
    run = getattr(import_module(f"crossdeps.cli.{room}"), f"run_{options.verb}")
    project = configuration.project_configuration()
    with seldom_collected():
        return int(run(configuration.complete(options, project), project, console))


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
        from crossdeps.text import redact_urls  # noqa: PLC0415 - loads what a slip needn't

        error.message = redact_urls(error.message)
        error.context = tuple(redact_urls(line) for line in error.context)
        error.hint = redact_urls(error.hint) if error.hint else None
    console.error(error)
    if tell.json or tell.report:
        from crossdeps.cli.output import error_document, save_json, write_json  # noqa: PLC0415

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
