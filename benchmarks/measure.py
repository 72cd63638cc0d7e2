"""Run commands and see what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

# Settings of the tools would make a comparison of settings.
_SETTINGS = ("PIP_", "UV_", "CROSSDEPS_", "PYTHON")


class FailedError(Exception):
    """A tool that didn't make what was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What commands took.

    :param wall: seconds
    :param cpu: seconds, user and system, of the commands and all that they started
    :param memory: bytes, of the largest process
    """

    wall: float
    cpu: float
    memory: int

    @classmethod
    def median_of(cls, costs: Sequence[Cost]) -> Cost:
        """Each figure's median, on its own."""
        return cls(
            wall=median(cost.wall for cost in costs),
            cpu=median(cost.cpu for cost in costs),
            memory=int(median(cost.memory for cost in costs)),
        )


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of the tools, and with *more*."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_SETTINGS) or name == "PYTHONPATH"
    }
    return {**kept, "PIP_CONFIG_FILE": os.devnull, **more}


def run(
    commands: Iterable[Sequence[str]], environment: Mapping[str, str], *, cwd: Path | None = None
) -> Cost:
    """Run *commands* one after the other, in *cwd* if it is given.

    :raises FailedError: if one fails, with what it said
    """
    cpu, memory = 0.0, 0
    begun = time.perf_counter()
    for command in commands:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise FailedError(said.decode(errors="replace").strip() or str(process.returncode))
        cpu += usage.ru_utime + usage.ru_stime
        unit = 1 if sys.platform == "darwin" else 1024
        memory = max(memory, usage.ru_maxrss * unit)
    return Cost(wall=time.perf_counter() - begun, cpu=cpu, memory=memory)
