"""The CPythons of this machine that crossdeps supports."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 10)
_NEWEST_MINOR = 19
_QUESTION = (
    "import json, platform, sys;"
    "print(json.dumps([getattr(sys, '_base_executable', sys.executable),"
    " list(sys.version_info[:3]), platform.python_implementation()]))"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """One installed CPython: its executable (not of a virtual environment) and its version."""

    executable: Path
    version: tuple[int, int, int]

    @property
    def minor(self) -> str:
        """``3.12``."""
        return f"{self.version[0]}.{self.version[1]}"


def find_interpreters(
    path: str, pyenv_root: Path, *, oldest: tuple[int, int] = OLDEST
) -> tuple[Interpreter, ...]:
    """The newest patch release of each CPython >= *oldest* on *path* or under *pyenv_root*."""
    names = ["python3", "python", *(f"python3.{minor}" for minor in range(10, _NEWEST_MINOR + 1))]
    folders = [Path(folder) for folder in path.split(os.pathsep) if folder]
    places = [folder / name for folder in folders for name in names]
    places += sorted(pyenv_root.glob("versions/*/bin/python3"))
    found: dict[tuple[int, int], Interpreter] = {}
    seen: set[Path] = set()
    for place in places:
        real = place.resolve()
        if not os.access(place, os.X_OK) or (real in seen and "shims" not in place.parts):
            continue
        seen.add(real)
        interpreter = _ask(place)
        if interpreter is None or interpreter.version[:2] < oldest:
            continue
        known = found.get(interpreter.version[:2])
        if known is None or known.version < interpreter.version:
            found[interpreter.version[:2]] = interpreter
    return tuple(found[key] for key in sorted(found))


def _ask(place: Path) -> Interpreter | None:
    """Which Python this is; ``None`` if it doesn't answer, as a shim without a version."""
    try:
        answer = subprocess.run(
            [place, "-I", "-c", _QUESTION], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        executable, version, implementation = json.loads(answer)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if implementation != "CPython":
        return None
    return Interpreter(executable=Path(executable).resolve(), version=tuple(version))
