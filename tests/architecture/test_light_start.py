from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGET = ["--python", "3.12", "--arch", "x86_64"]
HEAVY = {
    "elftools",
    "isal",
    "jinja2",
    "msgspec",
    "packaging",
    "requests",
    "resolvelib",
    "rich",
    "urllib3",
}


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [(["--help"], 0), (["--version"], 0), (["build", "--help"], 0), (["no-such-verb"], 2)],
    ids=["help", "version", "help of a verb", "mistyped verb"],
)
def test_nothing_heavy_is_loaded(arguments: list[str], exit_code: int) -> None:
    """Help, version and a mistyped verb answer before any heavy import."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "crossdeps", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr
    # argparse of Python 3.14 colors its help with a module of dataclasses.
    more = {"dataclasses", "inspect"} if sys.version_info < (3, 14) else set()
    assert _imported(done.stderr) & (HEAVY | more) == set()


@pytest.mark.subprocess
@pytest.mark.parametrize("verb", ["tags", "check"])
def test_what_asks_no_index_loads_nothing_for_it(verb: str, tmp_path: Path) -> None:
    """Describing a target, or looking at an artifact, needs neither HTTP nor a search."""
    (tmp_path / "module.py").touch()
    subject = [str(tmp_path)] if verb == "check" else []
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "crossdeps", verb, *subject, *TARGET],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _imported(done.stderr) & (HEAVY - {"packaging", "isal", "msgspec"}) == set()


def _imported(importtime: str) -> set[str]:
    """The top-level packages in the output of ``-X importtime``."""
    lines = (line for line in importtime.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
