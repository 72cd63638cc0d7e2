"""Where tools work: a folder for each set of requirements, and caches that are empty or full."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.measure import Cost, run
from benchmarks.sets import SETS
from benchmarks.tools import Job, Work

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.index_process import Index

# The index allows pages to be used for ten minutes; a cache is warm for less.
_WARM = 400.0


class Runner:
    """Runs work on one set of requirements for one architecture.

    :param folder: where everything is written
    """

    def __init__(self, folder: Path, name: str, arch: str, index: Index) -> None:
        self._folder = folder / f"{name}-{arch}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._wanted = SETS[name]
        self._arch = arch
        self._index = index
        self._requirements = self._folder / "requirements.txt"
        self._requirements.write_text("\n".join(self._wanted.requirements) + "\n", encoding="utf-8")
        self._lock = self._folder / "pylock.toml"
        self._zips = (self._folder / "all.zip", self._folder / "slim.zip")
        self._filled: dict[str, float] = {}
        self._warm: dict[str, set[str]] = {}

    def prepare(self) -> Path:
        """Make the lock and the zips that works start from; gives the zip.

        :raises FailedError: if crossdeps fails
        """
        made = self._folder / "work"
        self._run(tools.CROSSDEPS_LOCK, self._job("crossdeps"))
        shutil.move(made / "pylock.toml", self._lock)
        works = (tools.CROSSDEPS_LOCKED, tools.CROSSDEPS_SLIM)
        for work, place in zip(works, self._zips, strict=True):
            self._run(work, self._job("crossdeps"))
            shutil.move(made / "out.zip", place)
        return self._zips[0]

    def run_cold(self, work: Work, *, keep: bool = False) -> Cost:
        """What *work* takes with an empty cache.

        :param keep: the cache, for warm runs
        :raises FailedError: if it fails
        """
        if keep:
            self._start_cache(work.tool)
            self._warm[work.tool].add(work.name)
            return self._run(work, self._job(work.tool))
        self._empty_cache("cold")
        return self._run(work, self._job("cold"))

    def run_warm(self, work: Work) -> Cost:
        """What *work* takes if it was done before with the same cache, minutes ago.

        :raises FailedError: if it fails
        """
        tool = work.tool
        if time.monotonic() - self._filled.get(tool, -_WARM) >= _WARM:
            self._start_cache(tool)
        warming = work.warmed_by or work
        if warming.name not in self._warm[tool]:
            self._run(warming, self._job(tool))
            self._warm[tool].add(warming.name)
        return self._run(work, self._job(tool))

    def clean_up(self) -> None:
        """Remove everything that was written."""
        shutil.rmtree(self._folder)

    def _start_cache(self, tool: str) -> None:
        """Empty the cache of a tool's warm runs."""
        self._empty_cache(tool)
        self._filled[tool] = time.monotonic()
        self._warm[tool] = set()

    def _empty_cache(self, name: str) -> None:
        shutil.rmtree(self._folder / f"cache-{name}", ignore_errors=True)

    def _job(self, cache: str) -> Job:
        """What to make, in an empty folder, with the cache of that name."""
        work = self._folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        return Job(
            requirements=self._requirements,
            lock=self._lock,
            zips=self._zips,
            python=self._wanted.python,
            arch=self._arch,
            folder=work,
            cache=self._folder / f"cache-{cache}",
            index=self._index,
        )

    def _run(self, work: Work, job: Job) -> Cost:
        os.sync()  # what earlier runs wrote is not this one's to wait for
        before = self._index.counters()
        cost = run(work.commands(job), work.environment(job))
        after = self._index.counters()
        return dataclasses.replace(
            cost, requests=after.requests - before.requests, served=after.bytes - before.bytes
        )
