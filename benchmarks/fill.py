"""Fill the store of the index: let every tool make every set once, from an index with upstream."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.index_process import started
from benchmarks.measure import FailedError
from benchmarks.runner import Runner

if TYPE_CHECKING:
    import argparse

_WORKS = (
    *(tools.CROSSDEPS_LOCK, tools.CROSSDEPS_ZIP, tools.UV_COMPILE, tools.UV_DIRECTORY),
    *(tools.PIP_DIRECTORY, tools.PEX),
)


def fill(said: argparse.Namespace) -> int:
    """Run the tools; exit with 1 if one fails."""
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="crossdeps-benchmarks-") as folder,
        started(said, fill=True) as index,
    ):
        for name in said.set:
            for arch in said.arch:
                runner = Runner(Path(folder), name, arch, index)
                for work in _WORKS:
                    if work.tool in said.tool:
                        failed += not _try(runner, work, f"{name} {arch} {work.name}")
        print(index.counters())
    return min(failed, 1)


def _try(runner: Runner, work: tools.Work, title: str) -> bool:
    try:
        cost = runner.run_cold(work)
    except FailedError as error:
        print(f"{title}: failed: {error}", flush=True)
        return False
    print(f"{title}: {cost.wall:.1f} s", flush=True)
    return True
