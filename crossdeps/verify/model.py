"""Findings: what is true of a bundle that its user should know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something true of a bundle that its user should know.

    :param rule: kebab-case id, documented in the reference
    :param severity: an ``error`` will fail on the target; a ``warning`` may
    :param path: of the entry, or empty where the whole bundle is meant
    :param owner: project name, or None
    :param message: one sentence without a full stop: what it is and what the target needs
    :param hint: what to do, a crossdeps command where there is one
    """

    rule: str
    severity: Severity
    path: str
    owner: str | None
    message: str
    hint: str | None = None
