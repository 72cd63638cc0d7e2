"""Invoke an artifact as Lambda does: the real runtime client, unprivileged, on a read-only root."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.support.built_once import IS_ROOT
from tests.support.runtime_api import RuntimeApi, serve_runtime_api

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.lambda_python import LambdaPython

# The user and group that own nothing; where the tests aren't root's, their user is plain enough.
NOBODY = 65534
BOOTSTRAP = Path(__file__).with_name("lambda_bootstrap.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionError:
    """How a function failed, in Lambda's own terms."""

    phase: Literal["init", "invocation", "process"]
    type: str
    message: str
    stack_trace: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The decoded response of a function, or its error; and what it wrote to its log."""

    response: object = None
    error: FunctionError | None = None
    log: str = ""


def invoke(
    python: LambdaPython,
    artifact: Path,
    handler: str,
    event: object,
    *,
    layers: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> Outcome:
    """Run *handler* ("app.handler") of *artifact* on *event* and return the outcome.

    *artifact* and *layers* are directories or zips, copied with the permissions that they carry
    to where the function's user can read but not write; each layer stands for ``/opt``.
    """
    with _sandbox() as folder, serve_runtime_api(event, seconds=seconds) as api:
        task = _install(artifact, folder / "task")
        mounted = [_install(layer, folder / f"layer{i}") for i, layer in enumerate(layers)]
        bootstrap = Path(shutil.copy(BOOTSTRAP, folder))
        bootstrap.chmod(0o644)
        variables = {
            **_variables(python, task, mounted, handler),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            **(environment or {}),
        }
        log = folder / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*python.command, "-s", "-B", str(bootstrap), handler],
                env=variables,
                cwd=task,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                user=NOBODY if IS_ROOT else None,
                group=NOBODY if IS_ROOT else None,
                extra_groups=[] if IS_ROOT else None,
            )
            try:
                _wait(process, api, seconds)
            finally:
                process.kill()
                process.wait()
        return _outcome(api, process.returncode, log.read_text(errors="replace"))


def _variables(
    python: LambdaPython, task: Path, layers: Sequence[Path], handler: str
) -> dict[str, str]:
    """The environment of a function, as the developer guide lists it."""
    libraries = [*python.libraries, task, task / "lib", *(layer / "lib" for layer in layers)]
    return {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{python.version}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "example",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "eu-central-1",
        "CROSSDEPS_LAYERS": os.pathsep.join(map(str, layers)),
        "LAMBDA_RUNTIME_DIR": str(python.client),
        "LAMBDA_TASK_ROOT": str(task),
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": handler,
    }


@contextmanager
def _sandbox() -> Iterator[Path]:
    """A folder that every user can enter and nobody but us can change."""
    folder = Path(tempfile.mkdtemp(prefix="crossdeps-function-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)


def _install(artifact: Path, target: Path) -> Path:
    """Lay *artifact* out at *target* with its own permissions, less anybody's right to write."""
    if artifact.is_dir():
        shutil.copytree(artifact, target, symlinks=True)
    else:
        _unpack(artifact, target)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    return target


def _unpack(archive: Path, target: Path) -> None:
    """Unpack a zip as Lambda does, which heeds the permissions of its members."""
    target.mkdir(mode=0o755)
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            path = Path(members.extract(member, target))
            if mode := stat.S_IMODE(member.external_attr >> 16):
                path.chmod(mode | (0o300 if path.is_dir() else 0))
    for folder in (path for path in target.rglob("*") if path.is_dir()):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o055)


def _wait(process: subprocess.Popen[bytes], api: RuntimeApi, seconds: float) -> None:
    """Wait until the client has reported, has ended, or its time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if api.reported.wait(0.02) or process.poll() is not None:
            return


def _outcome(api: RuntimeApi, returncode: int, log: str) -> Outcome:
    report = api.report
    if report is None:
        what = "Runtime.Timeout" if returncode == -9 else "Runtime.ExitError"
        error = FunctionError(phase="process", type=what, message=f"ended with {returncode}: {log}")
        return Outcome(error=error, log=log)
    body = json.loads(report.body)
    if report.kind == "response":
        return Outcome(response=body, log=log)
    error = FunctionError(
        phase="init" if report.kind == "init error" else "invocation",
        type=body["errorType"],
        message=body["errorMessage"],
        stack_trace=tuple(body["stackTrace"]),
    )
    return Outcome(error=error, log=log)
