"""``crossdeps check``: whether a directory or zip is right for the target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.documents import tell
from crossdeps.cli.settings import settings_of
from crossdeps.cli.target import choose_target
from crossdeps.pipeline import check
from crossdeps.report import findings_document, render_findings
from crossdeps.verify import FindingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration
    from crossdeps.verify import Finding, Severity

_KINDS: tuple[Severity, ...] = ("error", "warning")


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Print what is found; 7 if any of it will fail on the target."""
    target = choose_target(options, console)
    findings = check(options.subject, target, settings=settings_of(options, project, target))
    document = findings_document(target, findings, path=str(Path(options.subject).absolute()))
    failing = tuple(f for f in findings if options.strict or f.severity == "error")
    shown = failing if options.tell.quiet else findings
    tell(document, render_findings(shown) + "\n" if shown else "", options.tell, console)
    described = target.describe()
    if failing:
        strict = " (--strict: warnings fail too)" if _count(findings, "error") == "" else ""
        told = " and ".join(filter(None, (_count(findings, kind) for kind in _KINDS)))
        console.say(f"{options.subject} isn't right for {described}: {told}{strict}")
        return FindingsError.exit_code
    told = _count(findings, "warning")
    console.say(f"{options.subject} is right for {described}{told and f', {told}'}")
    return 0


def _count(findings: Iterable[Finding], kind: Severity) -> str:
    """How many of a kind in words; empty where there are none."""
    number = sum(finding.severity == kind for finding in findings)
    return f"{number} {kind}{'s' if number > 1 else ''}" if number else ""
