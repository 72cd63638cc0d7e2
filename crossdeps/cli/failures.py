"""What went wrong without being foreseen, as an error that says what to do."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

from crossdeps.errors import CrossdepsError

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


def failure_of(error: Exception) -> CrossdepsError:
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
    from crossdeps.inputs import redact  # noqa: PLC0415 - only where something went wrong

    return "\n".join(
        redact(line) for text in traceback.format_exception(error) for line in text.splitlines()
    )


def _described(error: Exception) -> str:
    from crossdeps.inputs import redact  # noqa: PLC0415 - only where something went wrong

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
