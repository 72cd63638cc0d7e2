"""Findings, the rules that they belong to, and what a check knows besides the bundle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import UsageError
from crossdeps.finding import Finding, Severity
from crossdeps.value import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle, Entry, InstalledProject
    from crossdeps.requirements.requires_dist import RequiresDist
    from crossdeps.target.runtimes import ProvidedProject


class Ignore(Value, frozen=True, kw_only=True):
    """A pattern of findings to leave out.

    :param rule: id of a rule, or ``*``
    :param path: glob that every path of the finding must match; ``*`` also matches ``/``
    """

    rule: str
    path: str = "*"

    @classmethod
    def parse(cls, text: str, known: Collection[str]) -> Ignore:
        """Parse ``RULE`` or ``RULE:GLOB``.

        :param known: the ids of all rules
        :raises UsageError: if the rule is unknown
        """
        rule, _, path = text.partition(":")
        if rule != "*" and rule not in known:
            import difflib  # noqa: PLC0415 - only a misspelled rule needs it

            matches = difflib.get_close_matches(rule, known, n=1)
            suggestion = f"did you mean {matches[0]}? " if matches else ""
            raise UsageError(
                f"unknown rule: {rule!r}",
                hint=f"{suggestion}each finding shows its rule in brackets",
            )
        return cls(rule=rule, path=path or "*")

    def matches(self, finding: Finding) -> bool:
        """Whether *finding* is to be left out."""
        from fnmatch import fnmatchcase  # noqa: PLC0415 - most runs ignore nothing

        return self.rule in {"*", finding.rule} and all(
            fnmatchcase(path, self.path) for path in finding.paths or (finding.path,)
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of problem, with its explanation for the reference.

    :param id: kebab-case id, used in findings, ``--ignore`` and the reference
    :param severity: severity of all its findings
    :param title: a few words, without a full stop
    :param symptom: what a user sees on the target
    :param cause: how the problem arises
    :param remedy: how to fix it
    :param explained_by: ids of more specific rules: this rule has no finding for a project for
        which one of them has one
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
        """Create a finding of this rule."""
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

    def entry_finding(self, entry: Entry, message: str, *, hint: str | None = None) -> Finding:
        """Create a finding about one entry of the bundle."""
        return self.finding(message, path=entry.path, owner=entry.owner, hint=hint)

    def project_finding(
        self, project: InstalledProject, message: str, *, hint: str | None = None
    ) -> Finding:
        """Create a finding about a project, shown at its .dist-info directory."""
        return self.finding(message, path=project.dist_info, owner=project.name, hint=hint)


# AWS Lambda API reference, FunctionConfiguration.Handler.
_MAX_HANDLER_LENGTH = 128


class Handler(msgspec.Struct, frozen=True, kw_only=True):
    """The function that the runtime calls: ``app.handler``, ``src/app.handler``.

    :param text: the handler as the user wrote it
    :param module: dotted name, as the runtime imports it
    :param function: a name defined at the top level of the module
    """

    text: str
    module: str
    function: str

    @classmethod
    def parse(cls, text: str) -> Handler:
        """Parse the handler setting of a Lambda function.

        Source: ``awslambdaric``, which splits at the last dot and treats slashes as dots.

        :raises UsageError: if Lambda would reject it
        """
        module, dot, function = text.rpartition(".")
        dotted = module.replace("/", ".")
        if len(text) > _MAX_HANDLER_LENGTH:
            raise UsageError(f"a handler must have at most {_MAX_HANDLER_LENGTH} characters")
        names = (*dotted.split("."), function)
        if not dot or not all(re.fullmatch(r"[^\W\d][\w-]*", name) for name in names):
            raise UsageError(
                f"{text!r} isn't a handler",
                hint="a handler is a module, a dot and a function: app.handler, or src/app.handler",
            )
        return cls(text=text, module=dotted, function=function)


class StatedRequirement(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement that the user stated, or a pin of a lock, and where."""

    required: RequiresDist
    origin: str


class RuntimeContext(msgspec.Struct, frozen=True, kw_only=True):
    """What is available on the target besides the bundle.

    :param layers: the layers of the function, in the order in which they are unpacked
    :param provided: projects that the runtime provides; None takes them from the table of runtimes
    :param left_out: normalized names of projects that were left to the runtime
    :param handler: the function that the runtime calls; None checks no source
    :param stated: requirements of the user on what layers may have
    :param overridden: normalized names of projects of which the user has replaced the requirements
    """

    layers: tuple[Bundle, ...] = ()
    provided: Mapping[NormalizedName, ProvidedProject] | None = None
    left_out: frozenset[str] = frozenset()
    handler: Handler | None = None
    stated: tuple[StatedRequirement, ...] = ()
    overridden: frozenset[str] = frozenset()
