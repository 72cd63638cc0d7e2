"""The command ``crossdeps``: arguments to a verb, and every outcome to an exit code.

Options are parsed, completed by the project file, and handed to the function of the verb. Errors
are printed here, in every form that was requested; signals unwind the main thread, so that nothing
half-made is left.
"""

from __future__ import annotations

import _thread
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
    STREAM_RULE,
    Console,
    check_report,
    check_streams,
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
HUNG_UP: Final = 129
BROKEN_PIPE: Final = 1
GRACE: Final = 0.6
"""Seconds to clean up; what a killed run leaves aside is removed by the next one."""

_COLLECT_AFTER = 20_000
_HANGUP: Final = getattr(signal, "SIGHUP", None)  # not on Windows
_SHOW_CURSOR = "\x1b[2K\r\x1b[?25h"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    :param arguments: without the program's name; those of the process by default
    :returns: the exit code
    :raises SystemExit: after ``--help``, ``--version`` and ``--print-completion``
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None:
        _occupy_closed_streams()
    with signals_raised(), collecting_rarely():
        try:
            return _run(given)
        except KeyboardInterrupt:
            Console(_output_options(given), os.environ).say(
                "interrupted: no incomplete files were left behind"
            )
            return INTERRUPTED
        except TerminatedError as ended:
            return ended.exit_code
        except BrokenPipeError:
            _discard_output()
            return BROKEN_PIPE
        finally:
            if arguments is None:  # the process ends: nothing is worth a last collection
                gc.freeze()


def _occupy_closed_streams() -> None:
    """Open what the process was started without, so that no file of ours becomes its output."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # noqa: PERF203 - three times
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free


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
        check_streams(options)
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

    if options.report:
        check_report(options)
    from crossdeps.cli.settings import choose_inputs, configure  # noqa: PLC0415 - loads much

    options = configure(options, console)
    if options.report:
        check_report(options)
    if options.verb in {"build", "lock", "why"}:
        options = choose_inputs(options, console)
    module = import_module(f"crossdeps.cli.{'lock' if options.verb == 'lock' else 'verbs'}")
    return int(getattr(module, f"run_{options.verb}")(options, console))


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
            check_report(options)
            save_json(error_document(error), options.report)
        except CrossdepsError as another:
            console.error(another)
    if options.json and error.rule != STREAM_RULE:
        try:
            write_json(error_document(error), console)
        except CrossdepsError as another:
            console.error(another)
    return error.exit_code


def _output_options(given: Sequence[str]) -> Options:
    """What arguments that are not valid say of the form of the output."""
    report = ""
    for number, word in enumerate(given):
        if word.startswith("--report="):
            report = word.partition("=")[2]
        elif word == "--report":
            report = "".join(given[number + 1 : number + 2])
    return Options(
        json="--json" in given,
        quiet=bool({"-q", "--quiet"} & set(given)),
        report=report or None,
    )


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
    from crossdeps.system_errors import resource_error, system_error  # noqa: PLC0415 - for errors
    from crossdeps.text import redact  # noqa: PLC0415 - rarely needed

    if isinstance(error, OSError) and error.strerror:
        return _find_directory_error(error) or system_error(error)
    if limit := resource_error(error):
        return limit
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


def _find_directory_error(error: OSError) -> InputError | None:
    """The error for a current directory that was needed and has no path; None if it has one."""
    try:
        os.getcwd()  # noqa: PTH109 - without pathlib
    except OSError as reason:
        if error.filename is not None and os.path.isabs(os.fsdecode(error.filename)):  # noqa: PTH117
            return None
        return InputError(
            f"the current directory cannot be used: {reason.strerror}",
            hint="it may have been removed: change to another one, or give absolute paths",
        )
    return None


class TerminatedError(BaseException):
    """SIGTERM or SIGHUP, raised in the main thread so that everything half-made is removed."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@contextmanager
def signals_raised() -> Iterator[None]:
    """Have Ctrl-C, SIGTERM and SIGHUP unwind the main thread, once, within :data:`GRACE` seconds.

    Elsewhere than in the main thread, signals stay as they are.
    """
    numbers = [signal.SIGINT, signal.SIGTERM, *([_HANGUP] if _HANGUP else ())]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        signal.signal(signal.SIGTERM, _terminate)
    except ValueError:  # only the main thread may
        yield
        return
    if before[signal.SIGINT] is signal.default_int_handler:  # a shell lets jobs ignore it
        signal.signal(signal.SIGINT, _interrupt)
    if _HANGUP and before[_HANGUP] is signal.SIG_DFL:  # `nohup` lets it be ignored
        signal.signal(_HANGUP, _terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    _exit_soon(INTERRUPTED)
    raise KeyboardInterrupt


def _terminate(number: int, _frame: object) -> NoReturn:
    code = HUNG_UP if number == _HANGUP else TERMINATED
    _exit_soon(code)
    raise TerminatedError(code)


def _exit_soon(code: int) -> None:
    """Let the main thread clean up undisturbed, but not wait long for others."""
    for number in (signal.SIGINT, signal.SIGTERM, *([_HANGUP] if _HANGUP else ())):
        signal.signal(number, signal.SIG_IGN)
    _thread.start_new_thread(_exit, (code,))  # `threading` may be in the middle of its import


def _exit(code: int) -> NoReturn:
    time.sleep(GRACE)
    with suppress(Exception):
        if sys.stderr.isatty():
            sys.stderr.write(_SHOW_CURSOR)
            sys.stderr.flush()
    os._exit(code)
