"""pip as a subprocess: ``pip wheel --no-deps``, isolated, watched, killed with its children."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.errors import HashMismatchError, SdistBuildError
from crossdeps.fs import atomic_write, hash_stream, make_private_directory
from crossdeps.index.transfer import ALGORITHMS
from crossdeps.text import redact_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossdeps.wheels.model import Wheel
    from crossdeps.wheels.store import Store

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


_NATIVE_HINT = (
    "this machine can't build for the target: ask for a version that has a wheel for it,"
    " or build the wheel on such a machine and name it"
)


class BuildCache:
    """Which wheel an archive was built into, and the logs of builds that failed.

    :param root: folder of the cache; None keeps nothing but logs, in the temporary folder
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root / "builds" if root is not None else None

    @property
    def logs(self) -> Path:
        """Where logs of failed builds are put."""
        if self._root is not None:
            with contextlib.suppress(OSError):
                logs = self._root / "logs"
                make_private_directory(logs)
                if os.access(logs, os.W_OK):
                    return logs
        return Path(tempfile.gettempdir())

    def find(self, key: str, store: Store) -> Wheel | None:
        """The wheel noted for *key*, if the store still has it."""
        if self._root is None:
            return None
        try:
            noted = json.loads(self._path(self._root, key).read_bytes())
            sha256, filename = str(noted["sha256"]), str(noted["filename"])
            return store.find(sha256, filename)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, key: str, wheel: Wheel) -> None:
        """Note what *key* was built into. Errors are passed over: it can be built again."""
        if self._root is None:
            return
        with contextlib.suppress(OSError):
            path = self._path(self._root, key)
            make_private_directory(path.parent)
            text = json.dumps({"sha256": wheel.sha256, "filename": wheel.filename})
            with atomic_write(path) as file:
                file.write(text.encode())

    @staticmethod
    def _path(root: Path, key: str) -> Path:
        return root / "made" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def source_hashes(path: Path, expected: Mapping[str, str], filename: str) -> dict[str, str]:
    """SHA-256 and the *expected* algorithms' digests of *path*; an empty expectation isn't checked.

    :raises HashMismatchError: if a digest isn't the one expected
    """
    known = [key for key in expected if key in ALGORITHMS]
    algorithms = tuple(dict.fromkeys(("sha256", *known)))
    with path.open("rb") as file:
        found = hash_stream(file, algorithms)
    for algorithm in known:
        if expected[algorithm] and expected[algorithm].lower() != found[algorithm]:
            raise HashMismatchError(
                f"{algorithm} mismatch: expected {expected[algorithm]}, got {found[algorithm]}",
                context=(filename,),
                hint="the file was damaged on the way, or replaced",
                rule="hash-mismatch",
            )
    return found


def build_wheel(
    asked: str,
    *,
    label: str,
    folder: Path,
    logs: Path,
    environment: Mapping[str, str],
    timeout: float,
    tell: Callable[[str], None],
) -> tuple[Path, str | None]:
    """Let pip build *asked*; the wheel's path in *folder*, and the revision where it told one.

    :param label: what is built, for messages and the log's name
    :raises SdistBuildError: if it fails, takes too long, or gives a native wheel
    """
    output, work, log = folder / "wheels", folder / "work", folder / "log"
    output.mkdir()
    work.mkdir()
    run = run_pip_wheel(
        asked,
        output=output,
        folder=work,
        log=log,
        environment={**environment, "TMPDIR": str(work), "TEMP": str(work), "TMP": str(work)},
        timeout=timeout,
        tell=tell,
    )
    wheels = sorted(output.glob("*.whl"))
    if run.status != 0 or run.timed_out or len(wheels) != 1:
        raise _failure(run, label, _keep_log(log, logs, label), timeout=timeout)
    _check_pure(wheels[0].name, label)
    return wheels[0], run.commit_id


def _check_pure(filename: str, label: str) -> None:
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename as error:
        raise SdistBuildError(
            f"{label} built into a file that isn't named as a wheel: {filename}",
            hint="the build backend is at fault: tell the project",
            rule="sdist-result",
        ) from error
    if any((tag.abi, tag.platform) != ("none", "any") for tag in tags):
        raise SdistBuildError(
            f"{label} has native code: it built into {filename}",
            hint=_NATIVE_HINT,
            rule="sdist-native",
        )


def _failure(run: PipRun, label: str, log: Path, *, timeout: float) -> SdistBuildError:
    if run.timed_out:
        message, rule = f"building {label} took longer than {timeout:g} seconds", "sdist-timeout"
    else:
        message, rule = f"building {label} failed", "sdist-failed"
    return SdistBuildError(
        message,
        context=(f"log: {log}", *run.tail),
        hint="the last lines say why; it may need tools of this machine, or another version",
        rule=rule,
    )


def _keep_log(log: Path, logs: Path, label: str) -> Path:
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", label)[:80]
    descriptor, kept = tempfile.mkstemp(prefix=f"{safe}-", suffix=".log", dir=logs)
    os.close(descriptor)
    shutil.copyfile(log, kept)
    return Path(kept)
