"""Findings: what is true of a bundle that its user should know."""

from __future__ import annotations

import difflib
import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossdeps.errors import ArtifactError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle
    from crossdeps.target.runtimes import ProvidedProject

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
    :param details: what belongs to it, one line each, such as the biggest projects
    :param paths: of all entries that it is about, where there are several; *path* is the first
    """

    rule: str
    severity: Severity
    path: str
    owner: str | None
    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing that can be wrong with a bundle, as the reference explains it.

    :param id: kebab-case; findings, ``--ignore`` and the reference know the rule by it
    :param severity: of all its findings
    :param title: a few words, without a full stop
    :param symptom: what a user sees on the target
    :param cause: how a package comes to be so
    :param remedy: what to do
    :param explained_by: ids of rules that say the same better: where one of them has a finding for
        a project, this rule has none for it
    """

    id: str
    severity: Severity
    title: str
    symptom: str
    cause: str
    remedy: str
    explained_by: tuple[str, ...] = ()

    def finding(
        self,
        message: str,
        *,
        path: str = "",
        owner: str | None = None,
        hint: str | None = None,
        details: tuple[str, ...] = (),
        paths: tuple[str, ...] = (),
    ) -> Finding:
        """A finding of this rule."""
        return Finding(
            rule=self.id,
            severity=self.severity,
            path=path,
            owner=owner,
            message=message,
            hint=hint,
            details=details,
            paths=paths,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ignore:
    """Findings that the user has judged and doesn't want to hear of.

    :param rule: id of a rule, or ``*``
    :param path: glob on the finding's path, or on all of them where it has several; ``*`` also
        matches ``/``
    """

    rule: str
    path: str = "*"

    @classmethod
    def parse(cls, text: str, known: Collection[str]) -> Ignore:
        """Read ``RULE`` or ``RULE:GLOB``.

        :param known: the ids of all rules
        :raises UsageError: if there is no such rule
        """
        rule, _, path = text.partition(":")
        if rule != "*" and rule not in known:
            near = difflib.get_close_matches(rule, known, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"there is no rule {rule!r} to ignore",
                hint=f"{meant}each finding names its rule in brackets",
            )
        return cls(rule=rule, path=path or "*")

    def matches(self, finding: Finding) -> bool:
        """Whether *finding* is silenced."""
        return self.rule in {"*", finding.rule} and all(
            fnmatch.fnmatchcase(path, self.path) for path in finding.paths or (finding.path,)
        )


class FindingsError(ArtifactError):
    """The artifact was found to be wrong for its target.

    :param findings: those that made it fail, all of them
    """

    id = "findings"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        context = (*((first.path,) if first.path else ()), *first.details)
        super().__init__(
            f"{first.message}{more}", context=context, hint=first.hint, rule=first.rule
        )
        self.findings = findings


# The API of Lambda, FunctionConfiguration.Handler.
_LONGEST_HANDLER = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Handler:
    """The function that the host calls: ``app.handler``, ``src/app.handler``, ``src.app.handler``.

    :param module: dotted, as the runtime imports it
    :param function: a name at the top level of the module
    """

    text: str
    module: str
    function: str

    @classmethod
    def parse(cls, text: str) -> Handler:
        """Read what Lambda takes as a handler.

        Source: ``awslambdaric``, which splits at the last dot and reads slashes as dots.

        :raises UsageError: if Lambda would refuse it
        """
        module, dot, function = text.rpartition(".")
        dotted = module.replace("/", ".")
        names = (*dotted.split("."), function)
        if len(text) > _LONGEST_HANDLER:
            raise UsageError(f"a handler has at most {_LONGEST_HANDLER} characters")
        if not dot or not all(re.fullmatch(r"[^\W\d][\w-]*", name) for name in names):
            raise UsageError(
                f"{text!r} isn't a handler",
                hint="the module, a dot, the function: app.handler, or src/app.handler",
            )
        return cls(text=text, module=dotted, function=function)


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeContext:
    """What will be on the target beside the bundle.

    :param layers: the layers of the function, in the order in which they are unpacked
    :param provided: what the runtime has; None is what the table of runtimes says
    :param left_out: normalised names of projects that were left to the runtime
    :param handler: what the host calls; None checks no source
    """

    layers: tuple[Bundle, ...] = ()
    provided: Mapping[NormalizedName, ProvidedProject] | None = None
    left_out: frozenset[str] = frozenset()
    handler: Handler | None = None
