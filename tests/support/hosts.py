"""Machines that crossdeps itself runs on in tests: each installed CPython, and an arm64 one."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from tests.support.built_once import MACHINE_ENVIRONMENT
from tests.support.foreign_wheels import foreign_site
from tests.support.toml import load_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.arm64 import Arm64Python
    from tests.support.interpreters import Interpreter

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A Python that can run crossdeps.

    :param name: such as ``CPython 3.12 on x86_64``
    :param command: what to put before the interpreter's arguments
    :param site: where the dependencies of crossdeps lie for it
    """

    name: str
    command: tuple[str, ...]
    site: Path

    def crossdeps(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        umask: int = -1,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``crossdeps`` with *arguments*; *environment* is added to the machine's own."""
        paths = {"PYTHONPATH": f"{ROOT}:{self.site}", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [*self.command, "-m", "crossdeps", *arguments],
            env={**MACHINE_ENVIRONMENT, **paths, **(environment or {})},
            cwd=cwd,
            umask=umask,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )


def native_host(interpreter: Interpreter) -> Host:
    """This machine, with one of its Pythons."""
    machine = platform.machine()
    return Host(
        name=f"CPython {interpreter.minor} on {machine}",
        command=(str(interpreter.executable),),
        site=_dependencies(interpreter.minor, machine),
    )


def arm64_host(python: Arm64Python) -> Host:
    """The emulated arm64 machine."""
    return Host(
        name=f"CPython {python.version} on {python.machine}",
        command=python.command,
        site=_dependencies(python.version, python.machine),
    )


def _dependencies(python: str, machine: str) -> Path:
    """The dependencies of crossdeps, installed for CPython *python* on *machine*."""
    wanted = []
    for text in load_toml(ROOT / "pyproject.toml")["project"]["dependencies"]:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            wanted.append(f"{requirement.name}{requirement.specifier}")
    return foreign_site(*wanted, python=python, machine=machine)
