"""The row of calls: what is asked, what exists, what is chosen, trusted, laid out, right, told."""

from crossdeps.pipeline.asking import Asked
from crossdeps.pipeline.explaining import explain
from crossdeps.pipeline.locking import Earlier, plan_lock
from crossdeps.pipeline.settings import Settings
from crossdeps.pipeline.surroundings import cache_directory
from crossdeps.pipeline.workflow import build, check, lock, resolve

__all__ = [
    "Asked",
    "Earlier",
    "Settings",
    "build",
    "cache_directory",
    "check",
    "explain",
    "lock",
    "plan_lock",
    "resolve",
]
