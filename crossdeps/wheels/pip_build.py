"""Building a wheel with pip as a subprocess: isolated, with a time limit, killed with its children.

A project is built by a Python that it admits. That it must be the one that runs crossdeps, as pip
has it, is not checked by pip.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.errors import SdistBuildError
from crossdeps.text import redact_urls
from crossdeps.wheels.interpreters import Interpreter, Interpreters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from subprocess import Popen

    from crossdeps.progress import Progress
    from crossdeps.wheels.model import Wheel
    from crossdeps.wheels.store import Store

MAX_LINES: Final = 20
"""Lines of pip's output that an error shows."""
_GRACE_SECONDS = 2.0
_DROPPED_VARIABLES = ("PIP_", "PYTHON", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
_NATIVE_HINT = (
    "this machine cannot build for the target: require a version that has a wheel for it,"
    " or build the wheel on a machine of that kind and require its file"
)


def pip_environment(environ: Mapping[str, str], pip_settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for pip: the user's, without the variables of pip and Python.

    :param environ: the user's environment
    :param pip_settings: ``PIP_*`` variables to set, such as ``PIP_INDEX_URL``; in the environment,
        where other users cannot see them, since they may have credentials
    """
    kept = {key: value for key, value in environ.items() if not key.startswith(_DROPPED_VARIABLES)}
    return {
        **kept,
        **pip_settings,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


class PipBuilder:
    """Builds wheels, and puts them into the store.

    :param environment: of :func:`pip_environment`
    :param keep_log: keeps the log of a failed build, by its label, and gives its path
    :param timeout: seconds for one build
    :ivar notes: one sentence for each build by another Python than the one that runs crossdeps
    """

    def __init__(
        self,
        store: Store,
        *,
        environment: Mapping[str, str],
        keep_log: Callable[[Path, str], Path],
        progress: Progress,
        timeout: float,
    ) -> None:
        self._store = store
        self._environment = environment
        self._interpreters = Interpreters(environment)
        self._keep_log = keep_log
        self._progress = progress
        self._timeout = timeout
        self.notes: list[str] = []

    def build(self, reference: str, label: str, requires_python: str) -> tuple[Wheel, str | None]:
        """Build a wheel with a Python that the project admits, as its wheel says in the end.

        :param reference: a path or URL, as pip takes it
        :param label: what is built, for messages
        :param requires_python: what is known of the Pythons that it admits; empty if nothing is
        :returns: the wheel, and the revision if pip checked one out
        :raises SdistBuildError: if there is no such Python, or the build fails or results in a
            native wheel
        """
        interpreter = self._interpreters.require(requires_python, label)
        wheel, commit_id = self._build_with(interpreter, reference, label)
        stated = wheel.project.requires_python or ""
        if not interpreter.satisfies(stated):
            label = f"{wheel.name} {wheel.version}"
            interpreter = self._interpreters.require(stated, label)
            wheel, commit_id = self._build_with(interpreter, reference, label)
        return wheel, commit_id

    def _build_with(
        self, interpreter: Interpreter, reference: str, label: str
    ) -> tuple[Wheel, str | None]:
        from tempfile import TemporaryDirectory  # noqa: PLC0415 - builds are rare

        with_python = ""
        if interpreter is not self._interpreters.running:
            with_python = f" with Python {interpreter.version}"
            self.notes.append(
                f"{label} was built{with_python}, since it does not admit the one that runs"
                " crossdeps"
            )
        self._progress.building(label + with_python)
        with TemporaryDirectory(prefix="crossdeps-build-") as folder:
            path, commit_id = run_build(
                reference,
                pip=interpreter.pip,
                label=label,
                folder=Path(folder),
                keep_log=self._keep_log,
                environment=self._environment,
                timeout=self._timeout,
                on_output=self._progress.build_output,
            )
            return self._store.add(path, filename=path.name, hashes={}), commit_id


def run_build(
    requirement: str,
    *,
    pip: tuple[str, ...],
    label: str,
    folder: Path,
    keep_log: Callable[[Path, str], Path],
    environment: Mapping[str, str],
    timeout: float,
    on_output: Callable[[str], None],
) -> tuple[Path, str | None]:
    """Build *requirement* with ``pip wheel --no-deps``.

    :param pip: the command that runs pip for the Python that builds
    :param label: what is built, for messages and the name of the log
    :param folder: an empty directory, for the wheel and temporary files
    :param keep_log: keeps the log of a failed build, by its label
    :param timeout: seconds
    :param on_output: called with each line that pip prints
    :returns: the wheel's path in *folder*, and the revision if pip checked one out
    :raises SdistBuildError: if the build fails, takes too long, or results in a native wheel
    """
    output, work, log = folder / "wheels", folder / "work", folder / "log"
    output.mkdir()
    work.mkdir()
    run = _run_pip(
        (
            *(*pip, "wheel", "--no-deps", "--ignore-requires-python", "--progress-bar", "off"),
            *("--wheel-dir", str(output), requirement),
        ),
        folder=work,
        log=log,
        environment={**environment, "TMPDIR": str(work), "TEMP": str(work), "TMP": str(work)},
        timeout=timeout,
        on_output=on_output,
    )
    wheels = sorted(output.glob("*.whl"))
    if run.status != 0 or run.timed_out or len(wheels) != 1:
        hint = "see the last lines; it may need tools of this machine, or another version"
        if any("did not run successfully" in line and "git " in line for line in run.last_lines):
            hint = "check the URL and the revision, and that git can read the repository"
        failure = f"took longer than {timeout:g} seconds" if run.timed_out else "failed"
        raise SdistBuildError(
            f"building {label} {failure}",
            context=(f"log: {keep_log(log, label)}", *run.last_lines),
            hint=hint,
            rule="sdist-timeout" if run.timed_out else "sdist-failed",
        )
    _check_pure(wheels[0].name, label)
    return wheels[0], run.commit_id


class _PipRun(msgspec.Struct, frozen=True, kw_only=True):
    """How a run of pip ended.

    :param status: exit status; negative for a signal
    :param commit_id: the revision that it checked out, if it printed one
    """

    status: int
    timed_out: bool
    last_lines: tuple[str, ...]
    commit_id: str | None


def _run_pip(
    command: tuple[str, ...],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    timeout: float,
    on_output: Callable[[str], None],
) -> _PipRun:
    """Run ``pip wheel`` in its own process group, which is ended with this call.

    :param folder: an empty working directory, so that nothing is imported from the user's
    :param log: gets everything that pip prints
    :raises OSError: if Python cannot be started or the log cannot be written
    """
    from subprocess import DEVNULL, PIPE, STDOUT, Popen  # noqa: PLC0415 - builds are rare

    lines: deque[str] = deque(maxlen=MAX_LINES)
    commit_id = None
    with (
        log.open("w", encoding="utf-8", errors="replace") as file,
        Popen(  # noqa: S603 - arguments as a list, the requirement is the user's
            command,
            cwd=folder,
            env=dict(environment),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
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
                commit_id = _parse_commit(line) or commit_id
                # pip hides passwords; user names and what a build prints may be secrets as well
                text = redact_urls(line.rstrip())
                file.write(f"{text}\n")
                lines.append(text)
                on_output(text)
            status = process.wait()
        finally:
            timer.cancel()
            _kill(process)
    return _PipRun(
        status=status, timed_out=timed_out.is_set(), last_lines=tuple(lines), commit_id=commit_id
    )


def _parse_commit(line: str) -> str | None:
    """Return the revision in pip's line ``Resolved URL to commit REVISION``."""
    before, found, revision = line.strip().rpartition(" to commit ")
    if found and before.startswith("Resolved ") and revision.isalnum():
        return revision
    return None


def _time_out(process: Popen[str], timed_out: threading.Event) -> None:
    timed_out.set()
    _kill(process)


def _kill(process: Popen[str]) -> None:
    """End the whole process group, politely first; it may outlive its leader."""
    import signal  # noqa: PLC0415 - builds are rare
    from subprocess import TimeoutExpired  # noqa: PLC0415

    def send(number: int) -> None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)

    send(signal.SIGTERM)
    with contextlib.suppress(TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    send(getattr(signal, "SIGKILL", signal.SIGTERM))


def _check_pure(filename: str, label: str) -> None:
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename as error:
        raise SdistBuildError(
            f"building {label} resulted in an invalid wheel file name: {filename}",
            hint="the build backend is at fault: report it to the project",
            rule="sdist-result",
        ) from error
    if any((tag.abi, tag.platform) != ("none", "any") for tag in tags):
        raise SdistBuildError(
            f"{label} has native code: building it resulted in {filename}",
            hint=_NATIVE_HINT,
            rule="sdist-native",
        )
