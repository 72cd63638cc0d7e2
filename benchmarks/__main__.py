"""Measure crossdeps against pip and uv, in one run: ``python -m benchmarks [SET ...]``.

Every tool makes the same thing from the same requirements for the same machine, with a cache of
its own. Rounds go through all tools in turn, so that a busy moment hits all alike. Medians are
printed, and how they compare; nothing is asserted, because the figures are those of one machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Cost, FailedError, clean_environment, run
from benchmarks.sets import DEFAULT_SETS, SETS
from benchmarks.tools import Job, Tool, find_tools, versions

PHASES = ("cold", "warm")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"{', '.join(SETS)}; default: S M")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--arch", default="x86_64", choices=("x86_64", "aarch64"))
    parser.add_argument("--phase", action="append", choices=PHASES, help="default: both")
    parser.add_argument("--tool", action="append", help="crossdeps, uv or pip; default: all")
    parser.add_argument("--index-url", help="for all tools; default: each tool's own")
    said = parser.parse_args()
    unknown = [name for name in said.sets if name not in SETS]
    if unknown:
        parser.error(f"there is no set {unknown[0]}")
    tools = [tool for tool in find_tools() if not said.tool or tool.name in said.tool]
    _introduce()
    with tempfile.TemporaryDirectory(prefix="crossdeps-benchmarks-") as folder:
        for name in said.sets or DEFAULT_SETS:
            for phase in said.phase or PHASES:
                bench = Bench(Path(folder), name, arch=said.arch, index_url=said.index_url)
                costs = bench.measure(tools, phase, said.rounds)
                _tell(f"{name} {said.arch} {phase}", costs)
    return 0


class Bench:
    """One set of requirements, and where its packages are made."""

    def __init__(self, folder: Path, name: str, *, arch: str, index_url: str | None) -> None:
        self._folder = folder / name
        self._folder.mkdir(exist_ok=True)
        self._wanted = SETS[name]
        self._requirements = self._folder / "requirements.txt"
        self._requirements.write_text("\n".join(self._wanted.requirements) + "\n")
        self._arch = arch
        self._index_url = index_url

    def measure(self, tools: list[Tool], phase: str, rounds: int) -> dict[Tool, list[Cost]]:
        """Run every tool *rounds* times, in turn; a tool that fails is told of and left out."""
        costs: dict[Tool, list[Cost]] = {tool: [] for tool in tools}
        for _ in range(rounds):
            for tool in list(costs):
                cost = self._try(tool, phase)
                if cost is None:
                    del costs[tool]
                else:
                    costs[tool].append(cost)
        return costs

    def _try(self, tool: Tool, phase: str) -> Cost | None:
        try:
            return self._make(tool, phase)
        except FailedError as error:
            print(f"{tool.name} ({tool.kind}) failed and is left out: {error}")
            return None

    def _make(self, tool: Tool, phase: str) -> Cost:
        cache = self._folder / f"cache-{tool.name}-{tool.kind}"
        if phase == "cold":
            shutil.rmtree(cache, ignore_errors=True)
        elif not cache.exists():
            self._run(tool, cache)
        return self._run(tool, cache)

    def _run(self, tool: Tool, cache: Path) -> Cost:
        folder = self._folder / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        job = Job(
            wanted=self._wanted,
            requirements=self._requirements,
            arch=self._arch,
            folder=folder,
            cache=cache,
            index_url=self._index_url,
        )
        return run(tool.commands(job), clean_environment(tool.environment(job)))


def _introduce() -> None:
    environment = clean_environment({})
    told = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        .stdout.partition(" from ")[0]
        .strip()
        for command in versions().values()
    ]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    python = ".".join(map(str, sys.version_info[:3]))
    print("; ".join(told))
    print(f"Python {python}, {os.cpu_count()} processors{load}")


def _tell(title: str, measured: dict[Tool, list[Cost]]) -> None:
    medians = {tool: Cost.median_of(costs) for tool, costs in measured.items() if costs}
    print(f"\n{title}")
    print(f"{'':24}{'wall s':>9}{'CPU s':>9}{'MiB':>7}   crossdeps takes")
    ours = {tool.kind: cost for tool, cost in medians.items() if tool.name == "crossdeps"}
    for tool, cost in medians.items():
        line = f"{f'{tool.name} -> {tool.kind}':24}{cost.wall:9.2f}{cost.cpu:9.2f}"
        line += f"{cost.memory / (1 << 20):7.0f}"
        own = ours.get(tool.kind)
        if own is not None and tool.name != "crossdeps":
            line += f"   {own.wall / cost.wall:.2f} of its wall time"
            line += f", {own.cpu / cost.cpu:.2f} of its CPU time"
        print(line)


if __name__ == "__main__":
    sys.exit(main())
