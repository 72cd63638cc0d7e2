"""``crossdeps why``: who asked for a project, what was chosen, and why nothing newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.cli.documents import tell
from crossdeps.cli.settings import request_of, settings_of
from crossdeps.cli.target import choose_target
from crossdeps.pipeline import explain
from crossdeps.report import render_why, why_document

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Resolve, or read the lock, and print the reasons."""
    target = choose_target(options, console)
    with console.progress() as progress:
        why = explain(
            options.subject,
            request_of(options.ask),
            target,
            settings=settings_of(options, project),
            progress=progress,
        )
    tell(why_document(why), render_why(why), options.tell, console)
    return 0
