"""Run crossdeps as its users do: as a command, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


def crossdeps(
    *arguments: str | Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = (sys.executable,),
    umask: int = -1,
    stdin: str = "",
) -> Outcome:
    """Run ``python -m crossdeps`` with *arguments* in *cwd*.

    :param environment: added to this process's own, which the tests' walls have cleaned
    :param command: the interpreter, with what must stand before its arguments
    :param umask: of the process; -1 leaves it
    """
    # A .pth of an editable install would do for this interpreter, but not for the others.
    paths = [str(REPOSITORY), *(environment or {}).get("PYTHONPATH", "").split(os.pathsep)]
    done = subprocess.run(
        [*command, "-m", "crossdeps", *map(str, arguments)],
        cwd=cwd,
        env={
            **os.environ,
            **(environment or {}),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        },
        input=stdin,
        capture_output=True,
        text=True,
        umask=umask,
        timeout=900,
        check=False,
    )
    return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)
