"""Other packaging tools, of fixed versions, in a virtual environment that is made once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.built_once import CACHE_ROOT, MACHINE_ENVIRONMENT, built_once

if TYPE_CHECKING:
    from pathlib import Path

# pdm's own pins of what it needs: what it admits by range has outgrown it.
_INSTALLED = ("pdm[locked]==2.29.3", "pip==26.3")


def tool_environment() -> Path:
    """The virtual environment's folder of programs: ``pdm`` and a ``pip`` that can lock."""

    def build(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet")
        for requirement in _INSTALLED:
            subprocess.run([*pip, requirement], check=True, env=MACHINE_ENVIRONMENT, timeout=600)

    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return built_once(f"tools-{'-'.join(_INSTALLED)}-{version}".replace("==", "-"), build) / "bin"


def run_tool(
    name: str, *arguments: str | Path, cwd: Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m name`` of that environment in *cwd*, with nobody's configuration.

    It asks the same index as the other oracles: the default one, and nothing beside it.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    certificates = {key: value for key, value in os.environ.items() if key == "PIP_CERT"}
    done = subprocess.run(
        [tool_environment() / "python", "-m", name, *map(str, arguments)],
        cwd=cwd,
        env={
            **kept,
            **certificates,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PDM_CACHE_DIR": str(CACHE_ROOT / "pdm"),
            "PDM_CHECK_UPDATE": "0",
            "PDM_IGNORE_SAVED_PYTHON": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done
