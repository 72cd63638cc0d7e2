"""``crossdeps diff``: what differs between two artifacts, or two locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.cli.documents import tell
from crossdeps.errors import UsageError
from crossdeps.pipeline.comparison import compare
from crossdeps.report import (
    comparison_document,
    render_comparison,
    render_comparison_markdown,
)

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration

SAME = 0
DIFFERENT = 1
FILES_SHOWN = 20


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Print what differs; 1 if anything does and the exit code was asked to tell."""
    del project  # two things are compared as they are
    form = options.form
    if form.markdown and options.tell.json:
        raise UsageError("--markdown and --json were both given", hint="give one of them")
    comparison = compare(options.subject, form.other)
    if form.markdown:
        text = render_comparison_markdown(comparison)
    elif options.tell.quiet:
        text = ""
    else:
        most = None if options.tell.verbose else FILES_SHOWN
        text = render_comparison(comparison, most_files=most)
    tell(comparison_document(comparison), text, options.tell, console)
    return DIFFERENT if form.exit_code and comparison.differs else SAME
