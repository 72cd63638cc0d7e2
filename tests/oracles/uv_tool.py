"""uv as an oracle: what it chooses for a foreign target."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.built_once import CACHE_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from crossdeps.target.model import Target


def run_uv(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run uv with *arguments* in *cwd*: nobody's configuration, no Python of its own."""
    uv = pytest.importorskip("uv").find_uv_bin()
    cache = CACHE_ROOT / "uv"
    return subprocess.run(
        [uv, *map(str, arguments)],
        cwd=cwd,
        env={
            **os.environ,
            "UV_CACHE_DIR": str(cache),
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def platform_of(target: Target) -> str:
    """How uv names the machine of a target, glibc included."""
    major, minor = target.libc.version
    return f"{target.arch}-manylinux_{major}_{minor}"


def uv_pins(
    requirements: Iterable[str], target: Target, *, cut_off: str, folder: Path
) -> tuple[dict[str, str] | None, str]:
    """The versions that uv chooses, by normalised name; None where it finds no answer.

    :returns: the pins, and what uv said
    """
    asked = folder / "requirements.in"
    asked.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
    done = run_uv(
        "pip", "compile", "--no-header", "--no-annotate", "--only-binary", ":all:",
        "--python-platform", platform_of(target), "--python-version", target.python,
        # Without this, uv asks every Python of the machine whether it is of the target's version.
        "--python", sys.executable,
        "--exclude-newer", cut_off, "--quiet", asked.name, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        assert "No solution found" in done.stderr, done.stderr
        return None, done.stderr
    pins: dict[str, str] = {}
    for line in done.stdout.splitlines():
        requirement = Requirement(line)
        (specifier,) = requirement.specifier
        pins[canonicalize_name(requirement.name)] = specifier.version
    return pins, done.stderr
