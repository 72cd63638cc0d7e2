"""One build: pip makes a wheel, which must be pure; its log is kept where it fails."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.errors import HashMismatchError, SdistBuildError
from crossdeps.index.hashing import ALGORITHMS
from crossdeps.wheels.contents import file_digests
from crossdeps.wheels.pip_process import PipRun, run_pip_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossdeps.wheels.model import Wheel
    from crossdeps.wheels.store import Store

_NATIVE_HINT = (
    "this machine can't build for the target: ask for a version that has a wheel for it,"
    " or build the wheel on such a machine and name it"
)


class BuildShelf:
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
                logs.mkdir(mode=0o700, parents=True, exist_ok=True)
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
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            text = json.dumps({"sha256": wheel.sha256, "filename": wheel.filename})
            descriptor, aside = tempfile.mkstemp(dir=path.parent, suffix=".aside")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(aside).replace(path)

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
        found = dict(zip(algorithms, file_digests(file, algorithms), strict=True))
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
