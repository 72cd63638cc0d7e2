"""The row of calls: what is asked, what exists, what is chosen, trusted, laid out, right, told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.pipeline.settings import Settings

if TYPE_CHECKING:
    from crossdeps.pipeline.asking import Asked
    from crossdeps.pipeline.checking import check
    from crossdeps.pipeline.explaining import explain
    from crossdeps.pipeline.locking import Earlier, plan_lock
    from crossdeps.pipeline.surroundings import cache_directory
    from crossdeps.pipeline.workflow import build, lock, resolve

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

_HOMES = {
    "Asked": "crossdeps.pipeline.asking",
    "Earlier": "crossdeps.pipeline.locking",
    "build": "crossdeps.pipeline.workflow",
    "cache_directory": "crossdeps.pipeline.surroundings",
    "check": "crossdeps.pipeline.checking",
    "explain": "crossdeps.pipeline.explaining",
    "lock": "crossdeps.pipeline.workflow",
    "plan_lock": "crossdeps.pipeline.locking",
    "resolve": "crossdeps.pipeline.workflow",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only where something is asked for

    return getattr(importlib.import_module(_HOMES[name]), name)
