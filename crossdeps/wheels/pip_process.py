"""pip as a subprocess: ``pip wheel --no-deps``, isolated, watched, killed with its children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crossdeps.inputs import redact_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TAIL: Final = 20
"""Lines of output that an error shows."""
_GRACE = 2.0
_DROPPED = ("PIP_", "PYTHON", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


@dataclass(frozen=True, kw_only=True, slots=True)
class PipRun:
    """How a run of pip ended.

    :param status: exit status; negative for a signal
    :param tail: the last lines that it printed
    :param commit_id: the revision that it checked out, if it said so
    """

    status: int
    timed_out: bool
    tail: tuple[str, ...]
    commit_id: str | None


def pip_environment(environ: Mapping[str, str], pip_settings: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip: the user's without pip's and Python's own variables.

    :param environ: the user's environment
    :param pip_settings: ``PIP_*`` variables to set, such as ``PIP_INDEX_URL``; in the environment,
        where other users don't see them, since they may hold credentials
    """
    kept = {key: value for key, value in environ.items() if not key.startswith(_DROPPED)}
    return {
        **kept,
        **pip_settings,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def run_pip_wheel(
    requirement: str,
    *,
    output: Path,
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    timeout: float,
    tell: Callable[[str], None],
) -> PipRun:
    """Let pip build *requirement*, without its dependencies, into the folder *output*.

    The build runs in its own environment, made by pip (PEP 517, PEP 518), in its own process
    group; whatever ends this call ends the group.

    :param folder: an empty working directory, so that nothing is imported from the user's
    :param log: gets everything that pip prints
    :param timeout: seconds
    :param tell: called with each line
    :raises OSError: if Python can't be started or the log can't be written
    """
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--progress-bar", "off"]
    command += ["--wheel-dir", str(output), requirement]
    tail: deque[str] = deque(maxlen=TAIL)
    commit_id = None
    with (
        log.open("w", encoding="utf-8", errors="replace") as file,
        subprocess.Popen(  # noqa: S603 - arguments as a list, the requirement is the user's
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process,
    ):
        timed_out = threading.Event()
        timer = threading.Timer(timeout, _time_out, (process, timed_out))
        timer.daemon = True
        timer.start()
        try:
            for line in process.stdout or ():
                commit_id = _commit_in(line) or commit_id
                # pip hides passwords; user names and what a build prints may be secrets as well
                text = redact_urls(line.rstrip())
                file.write(f"{text}\n")
                tail.append(text)
                tell(text)
            status = process.wait()
        finally:
            timer.cancel()
            _kill(process)
    return PipRun(
        status=status, timed_out=timed_out.is_set(), tail=tuple(tail), commit_id=commit_id
    )


def _commit_in(line: str) -> str | None:
    """The revision in pip's line ``Resolved URL to commit REVISION``."""
    before, found, revision = line.strip().rpartition(" to commit ")
    if found and before.startswith("Resolved ") and revision.isalnum():
        return revision
    return None


def _time_out(process: subprocess.Popen[str], timed_out: threading.Event) -> None:
    timed_out.set()
    _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    """End the whole process group, politely first; it may outlive its leader."""
    with contextlib.suppress(OSError):
        _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with contextlib.suppress(OSError):
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(process: subprocess.Popen[str], number: int) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
