"""Run commands and see what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Settings of the tools would make a comparison of settings.
_SETTINGS = ("PIP_", "UV_", "PEX_", "CROSSDEPS_", "PYTHON")
_LAUNCHER = Path(__file__).with_name("launch.py")


class FailedError(Exception):
    """A tool that didn't make what was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What commands took.

    :param wall: seconds
    :param cpu: seconds, user and system, of the commands and all that they started
    :param memory: bytes, of the largest process
    :param requests: that the index answered
    :param served: bytes of all responses
    """

    wall: float
    cpu: float
    memory: int
    requests: int = 0
    served: int = 0


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
    with tempfile.NamedTemporaryFile() as output:
        launched = subprocess.run(
            (sys.executable, "-I", "-S", _LAUNCHER, output.name, json.dumps(list(commands))),
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        told = json.loads(launched.stdout)
        exit_code = told.pop("exit_code")
        if exit_code:
            said = Path(output.name).read_text(errors="replace").strip()
            raise FailedError(said or f"exit code {exit_code}")
    return Cost(**told)
