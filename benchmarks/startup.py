"""Compare the CPU time of short commands: ``python -m benchmarks.startup --against PYTHON``.

Two interpreters, each with its own crossdeps, run every command in turn. User and system time of
the process are summed; medians are printed, and how they compare.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import Cost, clean_environment, run
from tests.support.wheel_factory import make_wheel

_TARGET = ("--python", "3.12", "--arch", "x86_64")
_COMMANDS = {
    "build pylock.toml": ("build", "pylock.toml", "-o", "small.zip", *_TARGET),
    "--help": ("--help",),
    "tags": ("tags", *_TARGET),
    "check small.zip": ("check", "small.zip", *_TARGET),
}
_BUILD_OPTIONS = ("--isolated", "--offline", "--cache-dir", "cache")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="default: this interpreter")
    parser.add_argument("--against", required=True, metavar="PYTHON", help="the other interpreter")
    parser.add_argument("-n", "--runs", type=int, default=15, help="default: 15")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossdeps-startup-") as temporary:
        folder = Path(temporary)
        wheel = make_wheel("small", "1.0").write_to(folder)
        sides = [
            Side(python, folder / name, wheel)
            for name, python in (("this", said.python), ("other", said.against))
        ]
        print(f"{'CPU ms':20}{'this':>9}{'other':>9}{'ratio':>8}")
        for title, command in _COMMANDS.items():
            this, other = _medians(sides, command, said.runs)
            print(f"{title:20}{this * 1000:9.1f}{other * 1000:9.1f}{this / other:8.2f}")
    return 0


class Side:
    """One interpreter, in a folder with a lock of *wheel*, its zip, and a store that has it."""

    def __init__(self, python: str, folder: Path, wheel: Path) -> None:
        folder.mkdir()
        self._python = os.path.abspath(python)  # noqa: PTH100 - a link leads to another environment
        self._folder = folder
        self._environment = clean_environment({})
        self._environment.pop("PYTHONPATH", None)  # it could put another crossdeps first
        links = ("--no-index", "--find-links", str(wheel.parent))
        self.run(("lock", "small", *_TARGET, *links, *_BUILD_OPTIONS))
        for command in _COMMANDS.values():
            self.run(command)

    def run(self, command: tuple[str, ...]) -> Cost:
        """What *command* takes.

        :raises FailedError: if it fails
        """
        more = _BUILD_OPTIONS if command[0] == "build" else ()
        whole = (self._python, "-m", "crossdeps", *command, *more)
        return run([whole], self._environment, cwd=self._folder)


def _medians(sides: list[Side], command: tuple[str, ...], runs: int) -> list[float]:
    """The median CPU time of each side; which goes first changes with every round."""
    taken: list[list[float]] = [[] for _ in sides]
    for number in range(runs):
        order = list(enumerate(sides))
        for place, side in reversed(order) if number % 2 else order:
            taken[place].append(side.run(command).cpu)
    return [median(each) for each in taken]


if __name__ == "__main__":
    sys.exit(main())
