"""Errors of the operating system as errors of crossdeps: what was refused, where, what to do."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from crossdeps.errors import CrossdepsError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from threading import Thread

_SPACE = "free some space, or choose another location with --output, --cache-dir or TMPDIR"
_ALLOW = "allow this user to use it, or choose another location"
_HINTS: Final = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: f"your quota is used up: {_SPACE}",
    errno.EFBIG: "raise the limit on the size of files: ulimit -f",
    errno.EIO: "check the disk, or choose another location",
    errno.EMFILE: "raise the limit on open files: ulimit -n 256",
    errno.ENFILE: "close other programs: the system has reached its limit on open files",
    errno.ENOMEM: "give the process more memory: ulimit -v, or the limit of its container",
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.EROFS: "choose another location: this file system is read-only",
}
_LIMITS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
_NO_THREAD = "can't start new thread"  # the message of CPython's RuntimeError


def resource_error(
    error: BaseException, problem: str = "", *, path: object = None
) -> ResourceError | None:
    """Return the error for a limit of this machine that was reached; None for any other error.

    A limit may be the cause of the error of a library, such as that of a refused connection.

    :param problem: what could not be done, put before what the system says
    :param path: what was read or written; by default the path that *error* names
    """
    for each in walk_causes(error):
        number = each.errno if isinstance(each, OSError) else None
        if isinstance(each, MemoryError) or (
            number is None and "malloc failure" in str(each).lower()  # OpenSSL
        ):
            number, reason = errno.ENOMEM, "the system is out of memory"
        elif isinstance(each, RuntimeError) and str(each) == _NO_THREAD:
            number, reason = errno.ENOMEM, "the system allows no more threads"
        elif isinstance(each, OSError) and number in _LIMITS:
            reason = each.strerror or os.strerror(number or 0)
            path = path or each.filename
        else:
            continue
        return ResourceError(
            f"{problem}: {reason}" if problem else reason,
            context=(str(path),) if path else (),
            hint=_HINTS[number or 0],
            rule="operating-system",
        )
    return None


def system_error(error: OSError) -> CrossdepsError:
    """Return the error for what the system refused."""
    known = resource_error(error)
    if known is not None:
        return known
    return CrossdepsError(
        error.strerror or str(error),
        context=tuple(str(name) for name in (error.filename, error.filename2) if name is not None),
        hint=_HINTS.get(error.errno or 0),
        rule="operating-system",
    )


def walk_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error*, what caused it, and the errors that libraries carry as arguments."""
    seen: set[int] = set()
    pending = [error]
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
        pending.extend(item for item in inner if isinstance(item, BaseException))


def start_threads(threads: Iterable[Thread]) -> int:
    """Start threads until the system allows no more; return how many were started."""
    started = 0
    for thread in threads:
        try:
            thread.start()
        except RuntimeError as error:
            if str(error) != _NO_THREAD:
                raise
            break
        started += 1
    return started
