"""What do we choose? Candidates and rejections, the search, explanations, and the lock.

The search itself is resolvelib's; it is loaded when it is first asked for, so that naming a type
costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.resolution.model import (
    Asker,
    Builder,
    BuiltWheel,
    Candidate,
    Choice,
    PassedOver,
    Policy,
    Rejection,
    RejectionReason,
    Resolution,
    Selected,
)

if TYPE_CHECKING:
    from crossdeps.resolution.lock import dump, to_pylock
    from crossdeps.resolution.locked_sources import as_locked
    from crossdeps.resolution.requirements_text import LOCK_HEADER, to_requirements
    from crossdeps.resolution.resolver import resolve
    from crossdeps.resolution.selection import check_hashes, select

__all__ = [
    "LOCK_HEADER",
    "Asker",
    "Builder",
    "BuiltWheel",
    "Candidate",
    "Choice",
    "PassedOver",
    "Policy",
    "Rejection",
    "RejectionReason",
    "Resolution",
    "Selected",
    "as_locked",
    "check_hashes",
    "dump",
    "resolve",
    "select",
    "to_pylock",
    "to_requirements",
]

_HOMES = {
    "LOCK_HEADER": "crossdeps.resolution.requirements_text",
    "as_locked": "crossdeps.resolution.locked_sources",
    "check_hashes": "crossdeps.resolution.selection",
    "dump": "crossdeps.resolution.lock",
    "resolve": "crossdeps.resolution.resolver",
    "select": "crossdeps.resolution.selection",
    "to_pylock": "crossdeps.resolution.lock",
    "to_requirements": "crossdeps.resolution.requirements_text",
}


def __getattr__(name: str) -> object:
    """Load what is heavy when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415  (only where something heavy is wanted)

    return getattr(importlib.import_module(_HOMES[name]), name)
