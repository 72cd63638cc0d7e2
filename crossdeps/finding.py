"""A finding: what is wrong with an artifact, which errors carry and reports show."""

from __future__ import annotations

from typing import Any, Literal

from crossdeps.value import Value

Severity = Literal["error", "warning"]


class Finding(Value, frozen=True, kw_only=True):
    """A problem in an artifact that its user should know about.

    :param rule: kebab-case id, documented in the reference
    :param severity: an ``error`` will fail on the target; a ``warning`` may
    :param path: path of the entry; empty if the finding is about the whole artifact
    :param owner: normalized project name, or None
    :param message: one sentence without a full stop: the problem, and what the target requires
    :param hint: what to do, with a crossdeps command where there is one
    :param details: related facts, one per line, such as the largest projects
    :param paths: paths of all affected entries, if there are several; *path* is the first
    """

    rule: str
    severity: Severity
    path: str
    owner: str | None
    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return rule, message and path on one line."""
        location = f" · {self.path}" if self.path else ""
        return f"{self.severity}[{self.rule}]: {self.message}{location}"

    def to_dict(self) -> dict[str, Any]:
        """Return the object that stands for the finding in the JSON documents of the command."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "path": self.path,
            "paths": list(self.paths or filter(None, [self.path])),
            "owner": self.owner,
            "message": self.message,
            "hint": self.hint,
            "details": list(self.details),
        }
