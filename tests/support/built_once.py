"""Expensive test equipment, made once on a machine and shared by every run and worker."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import platformdirs
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Read when the tests are collected: a test sees an isolated environment and an empty home.
MACHINE_ENVIRONMENT = dict(os.environ)
HOME = Path.home()
IS_ROOT = os.geteuid() == 0


def _cache_root() -> Path:
    """Where the equipment is kept: for root, a place that an unprivileged user can read too."""
    if named := os.environ.get("CROSSDEPS_TEST_CACHE"):
        return Path(named).absolute()
    if IS_ROOT:
        return platformdirs.site_cache_path("crossdeps-tests")
    return platformdirs.user_cache_path("crossdeps-tests")


CACHE_ROOT = _cache_root()


def unavailable(reason: str) -> NoReturn:
    """Skip the test for *reason*, or fail it where CROSSDEPS_REQUIRE_EMULATION=1 forbids that."""
    if MACHINE_ENVIRONMENT.get("CROSSDEPS_REQUIRE_EMULATION") == "1":
        pytest.fail(f"CROSSDEPS_REQUIRE_EMULATION=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def built_once(name: str, build: Callable[[Path], None]) -> Path:
    """Return the cached folder *name*, which *build* fills first if nobody has done so yet.

    It is written aside and renamed when complete, under a lock: another worker waits, and an
    interrupted run leaves nothing that looks finished.
    """
    finished = CACHE_ROOT / name
    if finished.is_dir():
        return finished
    CACHE_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _locked(CACHE_ROOT / f"{name}.lock"):
        if finished.is_dir():
            return finished
        aside = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=CACHE_ROOT))
        try:
            aside.chmod(0o755)
            build(aside)
            aside.rename(finished)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    return finished


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file *path* against other processes."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
