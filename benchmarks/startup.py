"""Measure the CPU time of short commands: ``python -m benchmarks.startup``.

User and system time of each process are summed, and medians printed: in all, and beyond what an
interpreter takes that only imports what every build needs (argparse, hashlib, msgspec, pathlib).

``--against PYTHON`` compares two interpreters, each with its own crossdeps, which run every command
in turn.
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
_LINKS = ("--no-index", "--find-links", "wheels")
_CACHED = ("--isolated", "--offline", "--cache-dir", "cache")
_COMMANDS = {
    "--version": ("--version",),
    "--help": ("--help",),
    "build pylock.toml": ("build", "pylock.toml", "-o", "small.zip", *_TARGET, *_CACHED),
    "build small": ("build", "small", "-o", "small.zip", *_TARGET, *_LINKS, *_CACHED),
    "lock small": ("lock", "small", *_TARGET, *_LINKS, *_CACHED),
    "tags": ("tags", *_TARGET),
    "check small.zip": ("check", "small.zip", *_TARGET),
}
_FLOOR = ("-c", "import argparse, hashlib, msgspec, pathlib")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="default: this interpreter")
    parser.add_argument("--against", metavar="PYTHON", help="the other interpreter")
    parser.add_argument("-n", "--runs", type=int, default=15, help="default: 15")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossdeps-startup-") as temporary:
        folder = Path(temporary)
        if options.against:
            sides = [
                Side(python, folder / name)
                for name, python in (("this", options.python), ("other", options.against))
            ]
            _compare(sides, options.runs)
        else:
            _measure(Side(options.python, folder / "this"), options.runs)
    return 0


class Side:
    """One interpreter, in a folder with a wheel, its lock, its zip, and a store that has it."""

    def __init__(self, python: str, folder: Path) -> None:
        (folder / "wheels").mkdir(parents=True)
        make_wheel("small", "1.0").write_to(folder / "wheels")
        self._python = os.path.abspath(python)  # noqa: PTH100 - a link leads to another environment
        self._folder = folder
        self._environment = clean_environment({})
        self._environment.pop("PYTHONPATH", None)  # it could put another crossdeps first
        self.run(_COMMANDS["lock small"])
        for _ in range(2):  # a lock is made anew where there was none before
            for command in _COMMANDS.values():
                self.run(command)

    def run(self, command: tuple[str, ...]) -> Cost:
        """What *command* takes.

        :raises FailedError: if it fails
        """
        return self.run_python(("-m", "crossdeps", *command))

    def run_python(self, arguments: tuple[str, ...]) -> Cost:
        """What the interpreter takes with *arguments*.

        :raises FailedError: if it fails
        """
        return run([(self._python, *arguments)], self._environment, cwd=self._folder)


def _measure(side: Side, runs: int) -> None:
    costs: dict[str, list[float]] = {}
    for _ in range(runs):
        costs.setdefault("imports alone", []).append(side.run_python(_FLOOR).cpu)
        for title, command in _COMMANDS.items():
            costs.setdefault(title, []).append(side.run(command).cpu)
    floor = median(costs["imports alone"])
    print(f"{'CPU ms':20}{'median':>9}{'beyond':>9}")
    for title, each in costs.items():
        taken = median(each)
        print(f"{title:20}{taken * 1000:9.1f}{(taken - floor) * 1000:9.1f}")


def _compare(sides: list[Side], runs: int) -> None:
    print(f"{'CPU ms':20}{'this':>9}{'other':>9}{'ratio':>8}")
    for title, command in _COMMANDS.items():
        this, other = _medians(sides, command, runs)
        print(f"{title:20}{this * 1000:9.1f}{other * 1000:9.1f}{this / other:8.2f}")


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
