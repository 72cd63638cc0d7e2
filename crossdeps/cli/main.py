"""The command ``crossdeps``: arguments to a verb, and every outcome to an exit code.

Options are parsed, completed by the project file, and handed to the function of the verb. Errors
are printed here, in every form that was requested; signals unwind the main thread, so that nothing
half-made is left.
"""

from __future__ import annotations

import _thread
import errno
import gc
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from crossdeps.cli.argument_parser import parse_arguments
from crossdeps.cli.output import (
    REPORT_RULE,
    Console,
    check_report,
    error_document,
    save_json,
    write_json,
)
from crossdeps.config.options import Options
from crossdeps.errors import CrossdepsError, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INTERRUPTED: Final = 130
TERMINATED: Final = 143
BROKEN_PIPE: Final = 1
GRACE: Final = 0.6
"""Seconds to clean up; what a killed run leaves aside is removed by the next one."""

_COLLECT_AFTER = 20_000
_SHOW_CURSOR = "\x1b[2K\r\x1b[?25h"
_FREE_SPACE = "free some space, or choose another location with --output, --cache-dir or TMPDIR"
_ALLOW = "allow this user to use it, or choose another location"
_HINTS = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.EROFS: "choose another location: this file system is read-only",
    errno.EMFILE: "raise the limit on open files: ulimit -n 256",
    errno.ENFILE: "close other programs: the system has reached its limit on open files",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    :param arguments: without the program's name; those of the process by default
    :returns: the exit code
    :raises SystemExit: after ``--help``, ``--version`` and ``--print-completion``
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    with signals_raised(), collecting_rarely():
        try:
            return _run(given)
        except KeyboardInterrupt:
            Console(_output_options(given), os.environ).say(
                "interrupted: no incomplete files were left behind"
            )
            return INTERRUPTED
        except TerminatedError:
            return TERMINATED
        except BrokenPipeError:
            _discard_output()
            return BROKEN_PIPE
        finally:
            if arguments is None:  # the process ends: nothing is worth a last collection
                gc.freeze()


def _run(given: Sequence[str]) -> int:
    try:
        options = parse_arguments(given)
    except UsageError as error:
        options = _output_options(given)
        return _fail(error, options, Console(options, os.environ))
    except SystemExit:
        if sys.stdout:
            sys.stdout.flush()  # here, where a closed pipe is handled
        raise
    console = Console(options, os.environ)
    try:
        return _call(options, console)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except CrossdepsError as error:
        return _fail(error, options, console)
    except Exception as error:  # noqa: BLE001 - the one place where the unforeseen is reported
        console.detail(describe_traceback(error))
        return _fail(build_failure(error), options, console)


def _call(options: Options, console: Console) -> int:
    from importlib import import_module  # noqa: PLC0415 - only the module of the verb

    _check_directory()
    if options.report:
        check_report(options.report)
    if os.path.isfile("pyproject.toml"):  # noqa: PTH113 - without pathlib
        from crossdeps.config.configuration import apply_project_file  # noqa: PLC0415 - loads much

        options = apply_project_file(options)
    module = import_module(f"crossdeps.cli.{'lock' if options.verb == 'lock' else 'verbs'}")
    return int(getattr(module, f"run_{options.verb}")(options, console))


def _check_directory() -> None:
    try:
        os.getcwd()  # noqa: PTH109 - without pathlib
    except OSError as error:
        raise InputError(
            f"the current directory cannot be used: {error.strerror}",
            hint="it may have been removed: change to another one",
        ) from error


def _fail(error: CrossdepsError, options: Options, console: Console) -> int:
    """Print *error* in every form that was requested, without the secrets of URLs."""
    if "@" in f"{error}{error.hint}":
        from crossdeps.text import redact_urls  # noqa: PLC0415 - rarely needed

        error.message = redact_urls(error.message)
        error.context = tuple(redact_urls(line) for line in error.context)
        error.hint = redact_urls(error.hint) if error.hint else None
    console.error(error)
    if options.report and error.rule != REPORT_RULE:
        try:
            save_json(error_document(error), options.report)
        except CrossdepsError as another:
            console.error(another)
    if options.json:
        write_json(error_document(error), console)
    return error.exit_code


def _output_options(given: Sequence[str]) -> Options:
    """What arguments that are not valid say of the form of the output."""
    return Options(json="--json" in given, quiet=bool({"-q", "--quiet"} & set(given)))


def _discard_output() -> None:
    """Discard what is left in the buffers: the reader of our output has exited (``| head``)."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, by its descriptor
        os.dup2(nowhere.fileno(), 1)


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Let Python look for cyclic garbage after 20,000 new objects rather than 700.

    Index pages and lists of files are many small objects that stay: looking through them again and
    again takes a tenth of a run, and finds nothing.
    """
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def build_failure(error: Exception) -> CrossdepsError:
    """An error for people: what the operating system refused, or a bug in crossdeps."""
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
        return CrossdepsError("the system is out of memory", rule="operating-system")
    from crossdeps.text import redact  # noqa: PLC0415 - rarely needed

    text = redact(" ".join(str(error).split()))
    return CrossdepsError(
        f"this is a bug in crossdeps: {type(error).__name__}{text and f': {text}'}",
        context=_innermost_line(error),
        hint="run the same command with -v, and report its output",
        rule="internal",
    )


def describe_traceback(error: BaseException) -> str:
    """The traceback, without the secrets of URLs."""
    import traceback  # noqa: PLC0415 - rarely needed

    from crossdeps.text import redact  # noqa: PLC0415 - rarely needed

    return "\n".join(
        redact(line) for text in traceback.format_exception(error) for line in text.splitlines()
    )


def _innermost_line(error: Exception) -> tuple[str, ...]:
    """The innermost line of crossdeps in the traceback."""
    import traceback  # noqa: PLC0415 - rarely needed
    from pathlib import Path  # noqa: PLC0415 - rarely needed

    package = Path(__file__).parents[1]
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(package)]
    if not ours:
        return ()
    file = Path(ours[-1].filename).relative_to(package.parent)
    return (f"{file.as_posix()}:{ours[-1].lineno}, in {ours[-1].name}",)


class TerminatedError(BaseException):
    """SIGTERM, raised in the main thread so that everything half-made is removed."""


@contextmanager
def signals_raised() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM unwind the main thread, once, and within :data:`GRACE` seconds.

    Elsewhere than in the main thread, signals stay as they are.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGTERM, _terminate)
    except ValueError:  # only the main thread may
        yield
        return
    if before[signal.SIGINT] is signal.default_int_handler:  # `nohup` and the like ignore it
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    _exit_soon(INTERRUPTED)
    raise KeyboardInterrupt


def _terminate(_signal: int, _frame: object) -> NoReturn:
    _exit_soon(TERMINATED)
    raise TerminatedError


def _exit_soon(code: int) -> None:
    """Let the main thread clean up undisturbed, but not wait long for others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _thread.start_new_thread(_exit, (code,))  # `threading` may be in the middle of its import


def _exit(code: int) -> NoReturn:
    time.sleep(GRACE)
    with suppress(Exception):
        if sys.stderr.isatty():
            sys.stderr.write(_SHOW_CURSOR)
            sys.stderr.flush()
    os._exit(code)
