"""Measure all cells of the chosen rows, in rounds, and tell what came out."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import results, tables
from benchmarks.index_process import Index, started
from benchmarks.measure import Cost, FailedError, clean_environment
from benchmarks.plot import draw
from benchmarks.results import Measured, Results, read_content
from benchmarks.rows import ROWS, Cell
from benchmarks.runner import Runner
from benchmarks.sets import SETS
from benchmarks.tools import version_command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

DOCS = Path(__file__).parents[1] / "docs" / "explanation"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def bench(said: argparse.Namespace) -> int:
    """Measure, or take saved results, and print the tables.

    :raises FailedError: if the index is empty or crossdeps fails
    """
    found = results.load(said.load) if said.load else _measure_all(said)
    print(tables.render(found))
    if said.write_docs:
        write_docs(found, DOCS)
    return 0


def write_docs(found: Results, folder: Path) -> None:
    """Put the tables between the marks in performance.md, and the plot beside it."""
    page = folder / "performance.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{tables.render(found)}\n{END}{after}", encoding="utf-8")
    (folder / "performance.svg").write_text(draw(found), encoding="utf-8")


def _measure_all(said: argparse.Namespace) -> Results:
    if not (said.data / "pages").is_dir():
        raise FailedError(f"{said.data} holds no pages: run 'python -m benchmarks fill' first")
    found = Results(
        date=datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y-%m-%d"),
        machine=_machine(said.tool),
        index=_index(said),
        rounds=said.rounds,
        measured=results.load(said.save).measured if said.add else [],
    )
    with (
        tempfile.TemporaryDirectory(prefix="crossdeps-benchmarks-", dir=said.work) as folder,
        started(said, rtt=said.rtt) as index,
    ):
        for arch in said.arch:
            for name in said.set:
                runner = Runner(Path(folder), name, arch, index)
                found = found.add(measure_set(runner, said, name, arch))
                if said.save:
                    results.save(found, said.save)
                runner.clean_up()
        _tell_missing(index)
    return found


def measure_set(runner: Runner, said: argparse.Namespace, name: str, arch: str) -> Measured:
    """Run each cell in turn, as often as asked; one that fails is told of and left out."""
    begun = time.perf_counter()
    cells = tuple(_cells(said, arch))
    content = read_content(runner.prepare())
    costs: dict[str, list[Cost]] = {cell.name: [] for cell in cells}
    for number in range(said.rounds * SETS[name].repeated):
        for cell in cells if number % 2 == 0 else reversed(cells):
            if cell.name not in costs or (cell.once and number):
                continue
            try:
                costs[cell.name].append(_run(runner, cell))
            except FailedError as error:
                print(f"{name} {arch} {cell.name}: {str(error)[-2000:]}", file=sys.stderr)
                del costs[cell.name]
    print(f"{name} {arch}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return Measured(set=name, arch=arch, content=content, costs=costs)


def _run(runner: Runner, cell: Cell) -> Cost:
    if cell.cold:
        return runner.run_cold(cell.work, keep=cell.once)
    return runner.run_warm(cell.work)


def _cells(said: argparse.Namespace, arch: str) -> Iterator[Cell]:
    """The cells of the chosen rows and tools, each once."""
    seen = set()
    for row in ROWS:
        if row.name not in said.row:
            continue
        if row.extra and arch != said.arch[0]:
            continue
        for cell in row.cells:
            tool = cell.work.tool
            if cell.name not in seen and (tool == "python" or tool in said.tool):
                seen.add(cell.name)
                yield cell


def _tell_missing(index: Index) -> None:
    missing = index.counters().missing
    if missing:
        print(
            f"{missing} requests were for what the index does not have: run 'fill' with the same"
            " --data, --set, --arch and --metadata, or the figures are not those of a full index",
            file=sys.stderr,
        )


def _machine(names: Sequence[str]) -> str:
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    versions = ", ".join(_version(name) for name in names)
    return f"{system}, {load}, CPython {platform.python_version()}; {versions}"


def _version(name: str) -> str:
    done = subprocess.run(
        version_command(name),
        env=clean_environment({}),
        capture_output=True,
        text=True,
        check=True,
    )
    text = done.stdout.partition(" from ")[0].partition(" (")[0].strip()
    return text if text.startswith(name) else f"{name} {text}"


def _index(said: argparse.Namespace) -> str:
    return (
        f"Index on loopback: {'TLS' if said.tls else 'plain HTTP'}, {said.rtt:g} ms round trips,"
        f" {'PEP 658 metadata' if said.metadata else 'no metadata files'},"
        f" {'relative' if said.relative_urls else 'absolute'} URLs."
    )
