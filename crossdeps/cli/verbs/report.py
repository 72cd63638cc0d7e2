"""``crossdeps report``: what a directory or zip holds and weighs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.documents import save_json
from crossdeps.cli.files import write_aside
from crossdeps.cli.target import choose_target
from crossdeps.errors import OutputError, UsageError
from crossdeps.pipeline.inspection import inspect
from crossdeps.report import (
    inspection_document,
    render_html,
    render_inspection,
    render_licences,
)

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration
    from crossdeps.report import Inspection

STANDARD_OUTPUT = "-"


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Print or write the report in the form that was asked for."""
    del project  # already in the options
    form = _form(options)
    output = options.output.output or STANDARD_OUTPUT
    _check_output(output, options.subject)
    if form == "sbom":
        # Before any work: without its library nothing of it can be used.
        from crossdeps.report.sbom import check_library  # noqa: PLC0415 - an optional extra

        check_library()
    said = options.target
    named = said.archs or said.python or said.runtimes or said.platforms or said.abi
    target = choose_target(options, console) if named else None
    inspection = inspect(options.subject, target, lock=options.form.lock)
    for warning in inspection.warnings:
        console.warn(warning)
    text = _render(inspection, form, options, console)
    if options.tell.report:
        save_json(inspection_document(inspection), options.tell.report)
    if output != STANDARD_OUTPUT:
        write_aside(Path(output), text, what="the report", rule="report")
        console.say(f"{output}: {form} report of {inspection.name}")
    elif not (options.tell.quiet and form == "text"):
        console.data(text)
    return 0


def _form(options: Options) -> str:
    """The form that ``--format`` names; ``--json`` is one of them."""
    form = options.form.form
    if not options.tell.json:
        return form
    if form not in {"text", "json"}:
        raise UsageError(f"--json and --format {form} were both given", hint="give one of them")
    return "json"


def _check_output(output: str, subject: str) -> None:
    """Refuse to write over the artifact itself."""
    path, artifact = Path(output), Path(subject)
    if output != STANDARD_OUTPUT and path.exists() and artifact.exists():
        if path.samefile(artifact):
            raise OutputError(
                f"{output} is the artifact that is reported on", hint="name another file"
            )
        if path.is_dir():
            raise OutputError(f"{output} is a directory", hint="name a file for the report")


def _render(inspection: Inspection, form: str, options: Options, console: Console) -> str:
    if form == "json":
        return json.dumps(inspection_document(inspection), indent=2) + "\n"
    if form == "html":
        return render_html(inspection)
    if form == "licences":
        return render_licences(inspection)
    if form == "sbom":
        from crossdeps.report.sbom import render_sbom  # noqa: PLC0415 - an optional extra

        text, warnings = render_sbom(inspection)
        for warning in warnings:
            console.warn(warning)
        return text
    return render_inspection(inspection, all_folders=bool(options.tell.verbose))
