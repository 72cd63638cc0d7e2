"""Wheels for another machine, laid out by pip: the equipment of the emulated interpreters.

Only for what the tests run *with*; what they test is built by crossdeps.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.built_once import MACHINE_ENVIRONMENT, built_once, unavailable

if TYPE_CHECKING:
    from pathlib import Path


def foreign_site(*requirements: str, python: str, machine: str) -> Path:
    """Return a folder with *requirements* installed for CPython *python* ("3.9") on *machine*.

    pip reads markers of the Python that runs it, so *requirements* must not hinge on them.
    """
    digest = hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()[:12]

    def build(folder: Path) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
        command += ["--disable-pip-version-check", "--only-binary", ":all:"]
        command += ["--python-version", python, "--target", str(folder / "site")]
        for floor in ("manylinux2014", "manylinux_2_17", "manylinux_2_28"):
            command += ["--platform", f"{floor}_{machine}"]
        done = subprocess.run(
            [*command, *requirements],
            env=MACHINE_ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            unavailable(f"pip can't install {', '.join(requirements)}:\n{done.stderr}")
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))

    return built_once(f"site-{python}-{machine}-{digest}", build) / "site"
