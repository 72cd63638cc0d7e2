"""Artifacts made by the command line, as a user makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/pycryptodome"


def run_crossdeps(*arguments: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run ``crossdeps`` with *arguments* in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "crossdeps", *map(str, arguments)],
        cwd=ROOT,
        timeout=timeout,
        capture_output=True,
        text=True,
        check=False,
    )


def build_artifact(output: Path, *arguments: str | Path) -> Path:
    """Build *output* with ``crossdeps build`` and *arguments*, and return it."""
    done = run_crossdeps("build", *arguments, "-o", output)
    assert done.returncode == 0, done.stderr
    return output


def build_example(output: Path, *target: str) -> Path:
    """Build the AES example for *target*."""
    requirements, source = EXAMPLE / "requirements.txt", EXAMPLE / "app.py"
    return build_artifact(output, "-r", requirements, "--source", source, *target)
