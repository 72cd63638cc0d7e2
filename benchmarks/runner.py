"""Where tools work: a folder for each set of requirements, and caches that are empty or full."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.measure import Cost, run
from benchmarks.sets import SETS
from benchmarks.tools import CROSSDEPS_LOCK, Job, Work

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.index_process import Index


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
        self.requirements = self._folder / "requirements.txt"
        self.requirements.write_text("\n".join(self._wanted.requirements) + "\n", encoding="utf-8")
        self.lock = self._folder / "pylock.toml"

    def job(self, cache: str) -> Job:
        """What to make, in an empty folder, with the cache of that name."""
        work = self._folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        return Job(
            requirements=self.requirements,
            lock=self.lock,
            python=self._wanted.python,
            arch=self._arch,
            folder=work,
            cache=self._folder / cache,
            index=self._index,
        )

    def make_lock(self) -> None:
        """Write the lock that some works start from, unless it is there."""
        if not self.lock.exists():
            job = self.job("cache-crossdeps")
            self._run(CROSSDEPS_LOCK, job)
            shutil.move(job.folder / "pylock.toml", self.lock)

    def run_cold(self, work: Work) -> Cost:
        """What *work* takes with an empty cache.

        :raises FailedError: if it fails
        """
        shutil.rmtree(self._folder / "cache-cold", ignore_errors=True)
        return self._run(work, self.job("cache-cold"))

    def run_warm(self, work: Work) -> Cost:
        """What *work* takes with the cache of its tool, filled by earlier runs.

        :raises FailedError: if it fails
        """
        return self._run(work, self.job(f"cache-{work.tool}"))

    def _run(self, work: Work, job: Job) -> Cost:
        return run(work.commands(job), work.environment(job))
