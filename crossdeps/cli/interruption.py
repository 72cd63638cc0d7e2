"""Ctrl-C and SIGTERM: what is half-made is removed, and the process ends soon whatever happens."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

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
