"""The Python that plays the one in a Lambda image, with the real runtime client beside it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.built_once import HOME, IS_ROOT, MACHINE_ENVIRONMENT, built_once, unavailable
from tests.support.foreign_wheels import foreign_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.arm64 import Arm64Python

CLIENT = "awslambdaric"

# What an interpreter says of itself; a shim that stands for nothing says nothing.
_QUESTION = """
import json, sys
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2],
    "executable": sys.executable,
    "prefix": sys.base_prefix,
}))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class LambdaPython:
    """An interpreter that any user of this machine can run, and the runtime client for it."""

    version: str
    command: tuple[str, ...]
    libraries: tuple[Path, ...]
    client: Path


def find_lambda_python(version: str) -> LambdaPython:
    """Return CPython *version* ("3.9") for this machine's own processor; skip if there is none."""
    for candidate in _candidates(version):
        facts = _ask(candidate)
        if facts is not None and facts["version"] == version:
            break
    else:
        unavailable(f"there is no CPython {version} on PATH or under pyenv")
    executable, libraries = _runnable_by_anyone(facts)
    return LambdaPython(
        version=version,
        command=(str(executable),),
        libraries=libraries,
        client=foreign_site(CLIENT, python=version, machine=platform.machine()),
    )


def emulated_lambda_python(arm64: Arm64Python) -> LambdaPython:
    """Return the emulated arm64 Python, with the client's arm64 build."""
    return LambdaPython(
        version=arm64.version,
        command=arm64.command,
        libraries=(),
        client=arm64.site(CLIENT),
    )


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    for folder in MACHINE_ENVIRONMENT.get("PATH", "").split(":"):
        if (path := Path(folder, name)).is_file():
            yield path
    pyenv = Path(MACHINE_ENVIRONMENT.get("PYENV_ROOT") or HOME / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"), reverse=True)
    managed = HOME / ".local/share/uv/python"
    yield from sorted(managed.glob(f"cpython-{version}.*/bin/{name}"), reverse=True)


def _ask(executable: Path) -> dict[str, str] | None:
    done = subprocess.run(
        [executable, "-I", "-c", _QUESTION],
        env=MACHINE_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    facts: dict[str, str] | None = json.loads(done.stdout) if done.returncode == 0 else None
    return facts


def _runnable_by_anyone(facts: dict[str, str]) -> tuple[Path, tuple[Path, ...]]:
    """Return an executable that an unprivileged user can reach, and its library folders.

    An interpreter in a closed home folder is copied to where the test equipment is; CPython finds
    its library relative to its executable.
    """
    executable, prefix = Path(facts["executable"]), Path(facts["prefix"])
    if not IS_ROOT or _is_open(executable.resolve()):
        return executable, (prefix / "lib",)
    copy = built_once(
        f"python{facts['version']}-{platform.machine()}",
        lambda folder: _copy_interpreter(prefix, facts["version"], folder / "lang"),
    )
    return copy / f"lang/bin/python{facts['version']}", (copy / "lang/lib",)


def _is_open(path: Path) -> bool:
    """Whether everybody may pass through the folders above *path*."""
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)


def _copy_interpreter(prefix: Path, version: str, target: Path) -> None:
    (target / "bin").mkdir(parents=True)
    shutil.copy2(prefix / f"bin/python{version}", target / "bin", follow_symlinks=True)
    shutil.copytree(
        prefix / f"lib/python{version}",
        target / f"lib/python{version}",
        ignore=shutil.ignore_patterns("site-packages", "test", "tests", "config-*"),
    )
    for library in (prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(library, target / "lib")
