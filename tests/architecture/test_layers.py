from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


@pytest.mark.subprocess
def test_imports_go_down_only() -> None:
    """The contract in pyproject.toml holds, type-only imports included."""
    pytest.importorskip("importlinter", reason="import-linter is in the dependency group 'layers'")
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
