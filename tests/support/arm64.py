"""A real arm64 CPython 3.11, run by qemu's user-mode emulation.

The interpreter and the libraries that it needs come from the Debian packages of the machine's own
package sources; apt keeps them under folders of ours, and nothing is installed.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.built_once import MACHINE_ENVIRONMENT, built_once, unavailable
from tests.support.foreign_wheels import foreign_site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The C++ runtime is what many wheels take from the system, by the manylinux policy.
PACKAGES = ("python3.11", "libstdc++6")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm64Python:
    """An arm64 CPython 3.11 that this machine can run.

    A program that it starts by itself is not emulated: it can't run its own ``sys.executable``.
    """

    emulator: str
    root: Path

    version = "3.11"
    machine = "aarch64"

    @property
    def executable(self) -> Path:
        """The arm64 interpreter, which only the emulator can run."""
        return self.root / "usr/bin/python3.11"

    @property
    def command(self) -> tuple[str, ...]:
        """What to put before the arguments of the interpreter."""
        return (self.emulator, "-L", str(self.root), str(self.executable))

    def run(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run the interpreter with *arguments*; *environment* is added to the machine's own."""
        return subprocess.run(
            [*self.command, *arguments],
            env={**MACHINE_ENVIRONMENT, **(environment or {})},
            cwd=cwd,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )

    def site(self, *requirements: str) -> Path:
        """Return a folder for ``PYTHONPATH`` with *requirements* installed for this interpreter."""
        return foreign_site(*requirements, python=self.version, machine=self.machine)


def find_arm64_python() -> Arm64Python:
    """Return the emulated interpreter, fetched on first use; skip where it can't be had."""
    emulator = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
    if emulator is None:
        unavailable("qemu-aarch64 is not installed (Debian package qemu-user-static)")
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        unavailable("an arm64 Python is fetched with apt-get and dpkg-deb, which are not here")
    return Arm64Python(
        emulator=emulator, root=built_once("-".join(("arm64", *PACKAGES)), _fetch) / "root"
    )


def _fetch(folder: Path) -> None:
    """Download the packages and all that they depend on, and unpack them into *folder*/root."""
    options = _apt_options(folder)
    _run("apt-get", *options, "update")
    _run("apt-get", *options, "install", "--download-only", "--yes", *PACKAGES)
    root = folder / "root"
    root.mkdir()
    for archive in sorted((folder / "cache/archives").glob("*.deb")):
        _run("dpkg-deb", "--extract", str(archive), str(root))
    shutil.rmtree(folder / "cache")
    shutil.rmtree(folder / "state")


def _apt_options(folder: Path) -> list[str]:
    """Make apt work for arm64 in *folder*, with nothing installed, as whoever runs the tests."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures::": "arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",  # the folder need not be readable by the user _apt
        "Dir::State": str(folder / "state"),
        "Dir::State::status": "/dev/null",
        "Dir::Cache": str(folder / "cache"),
    }
    return ["-qq", *(f"-o{key}={value}" for key, value in settings.items())]


def _run(*command: str) -> None:
    done = subprocess.run(
        command, env=MACHINE_ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        unavailable(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
