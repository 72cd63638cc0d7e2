"""Is it right? Rules over a bundle and its target, and the findings that they give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify.model import Finding, FindingsError, Ignore, Rule, Severity

if TYPE_CHECKING:
    from crossdeps.verify.catalogue import RULES
    from crossdeps.verify.surroundings import Handler, Surroundings
    from crossdeps.verify.verification import parse_ignores, verify

__all__ = [
    "RULES",
    "Finding",
    "FindingsError",
    "Handler",
    "Ignore",
    "Rule",
    "Severity",
    "Surroundings",
    "parse_ignores",
    "verify",
]

_HOMES = {
    "Handler": "crossdeps.verify.surroundings",
    "RULES": "crossdeps.verify.catalogue",
    "Surroundings": "crossdeps.verify.surroundings",
    "parse_ignores": "crossdeps.verify.verification",
    "verify": "crossdeps.verify.verification",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only where something is asked for

    return getattr(importlib.import_module(_HOMES[name]), name)
