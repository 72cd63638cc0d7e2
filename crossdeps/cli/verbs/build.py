"""``crossdeps build``: requirements or a lock to a directory or zip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.cli.documents import tell
from crossdeps.cli.settings import request_of, settings_of
from crossdeps.cli.target import choose_target
from crossdeps.pipeline import build
from crossdeps.report import render_report, report_document

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Build, and print the report."""
    target = choose_target(options, console)
    with console.progress() as progress:
        report = build(
            request_of(options.ask),
            target,
            options.output.output or "package",
            settings=settings_of(options, project, target),
            progress=progress,
        )
    for warning in report.warnings:
        console.warn(warning)
    for note in report.notes:
        console.note(note)
    text = "" if options.tell.quiet else render_report(report)
    tell(report_document(report), text, options.tell, console)
    return 0
