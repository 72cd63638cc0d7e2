"""The verbs of the command line except ``lock``; each loads only what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.output import render_json, save_json, tell
from crossdeps.cli.settings import build_requirements, choose_target
from crossdeps.errors import OutputError, UsageError
from crossdeps.fs import write_output
from crossdeps.text import human_size, plural
from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.cli.output import Console
    from crossdeps.config.options import Options
    from crossdeps.report.inspect.inspection import Inspection


def run_build(options: Options, console: Console) -> int:
    """Build, and print the report."""
    from crossdeps.pipeline.build import build
    from crossdeps.pipeline.request import build_settings
    from crossdeps.report.build import render_report

    target = choose_target(options, console)
    with console.progress() as progress:
        report = build(
            build_requirements(options),
            target,
            options.output or "package",
            settings=build_settings(options, target),
            progress=progress,
        )
    for warning in report.warnings:
        console.warn(warning)
    for note in report.notes:
        console.note(note)
    # Without a standard output, the package is all there is to get.
    silent = options.quiet or console.is_closed
    text = "" if silent else render_report(report, verbose=options.verbose > 0)
    tell(report.to_dict(), text, options, console)
    return 0


UNUSED_DAYS = 30.0


def run_cache(options: Options, console: Console) -> int:
    """Show the cache, or remove what is in it: wheels, builds, index pages and metadata.

    Commands that run at the same time keep the wheels that they use, and fetch other entries again.
    """
    from crossdeps.derived import DerivedCache
    from crossdeps.index.cache import IndexCache
    from crossdeps.pipeline.process import cache_directory
    from crossdeps.wheels.pruning import clear_store, prune_store

    root = cache_directory(Path(options.cache_dir) if options.cache_dir else None)
    if options.action == "dir":
        tell(_cache_document(root), f"{root}\n", options, console)
        return 0
    caches = (IndexCache(root, console.warn), DerivedCache(root))
    if options.action == "info":
        usage = {kind: each for cache in caches for kind, each in cache.usage().items()}
        _show_cache(root, usage, options, console)
    elif options.action == "prune":
        freed = prune_store(root, unused_days=UNUSED_DAYS)
        freed += sum(cache.prune(unused_days=UNUSED_DAYS) for cache in caches)
        tell(_cache_document(root, freed=freed), "", options, console)
        console.say(f"freed {human_size(freed)}: files unused for {UNUSED_DAYS:.0f} days")
    else:
        freed = clear_store(root) + sum(cache.clear() for cache in caches)
        tell(_cache_document(root, freed=freed), "", options, console)
        console.say(f"freed {human_size(freed)}")
    return 0


def _cache_document(root: Path, **others: object) -> dict[str, object]:
    return {"version": 1, "crossdeps": __version__, "path": str(root), **others}


def _show_cache(
    root: Path, others: dict[str, tuple[int, int]], options: Options, console: Console
) -> None:
    from crossdeps.wheels.pruning import store_info

    store = store_info(root)
    usage = {
        "wheels": (store.wheels, store.size + store.facts),
        "builds": (store.builds, store.builds_size),
        **others,
    }
    total = sum(size for _, size in usage.values())
    document = _cache_document(
        root,
        wheels=store.wheels,
        size=total,
        contents={kind: {"count": count, "size": size} for kind, (count, size) in usage.items()},
    )
    rows = [f"{kind:9}{count:>9,}  {human_size(size)}" for kind, (count, size) in usage.items()]
    text = "\n".join([str(root), *rows, f"{'total':9}{'':9}  {human_size(total)}", ""])
    tell(document, text, options, console)


def run_check(options: Options, console: Console) -> int:
    """Print the findings; 7 if any of them will fail on the target."""
    from crossdeps.errors import FindingsError
    from crossdeps.pipeline.check import check
    from crossdeps.pipeline.request import build_settings
    from crossdeps.report.build import render_annotations, render_findings
    from crossdeps.report.model import findings_document

    if options.json and options.findings_format == "github":
        raise UsageError("--json and --format github were both given", hint="use one of them")
    target = choose_target(options, console)
    findings = check(options.artifact, target, settings=build_settings(options, target))
    document = findings_document(target, findings, path=str(Path(options.artifact).absolute()))
    errors = [finding for finding in findings if finding.severity == "error"]
    failing = findings if options.strict else errors
    shown = failing if options.quiet else findings
    if options.findings_format == "github":
        text = render_annotations(shown, options.artifact)
    else:
        text = render_findings(shown, verbose=options.verbose > 0)
    tell(document, text and f"{text}\n", options, console)
    warnings = len(findings) - len(errors)
    counts = [plural(len(errors), "error")] if errors else []
    counts += [plural(warnings, "warning")] if warnings else []
    verdict = f"{options.artifact} is {'not ' if failing else ''}right for {target.describe()}"
    strict = " (--strict treats warnings as errors)" if failing and not errors else ""
    joint = ": " if failing else ", with "
    console.say(f"{verdict}{joint if counts else ''}{' and '.join(counts)}{strict}")
    return FindingsError.exit_code if failing else 0


SAME = 0
DIFFERENT = 1
FILES_SHOWN = 20


def run_diff(options: Options, console: Console) -> int:
    """Print the differences; with ``--exit-code`` 1 if there are any."""
    from crossdeps.pipeline.report import compare
    from crossdeps.report.diff.renderings import render_comparison, render_comparison_markdown

    if options.markdown and options.json:
        raise UsageError("--markdown and --json were both given", hint="use one of them")
    hashes = bool(options.json or options.report)
    comparison = compare(options.old, options.new, hashes=hashes)
    if options.markdown:
        text = render_comparison_markdown(comparison)
    elif options.quiet:
        text = ""
    else:
        most = None if options.verbose else FILES_SHOWN
        text = render_comparison(comparison, most_files=most)
    tell(comparison.to_dict(), text, options, console)
    return DIFFERENT if options.exit_code and comparison.differs else SAME


def run_tags(options: Options, console: Console) -> int:
    """Print the tags and markers of the target."""
    from crossdeps.report.model import Tags

    found = Tags(target=choose_target(options, console))
    document = found.to_dict()
    markers = [f'{name} == "{value}"' for name, value in sorted(document["environment"].items())]
    head = [f"# {found.target.describe()}", "# tags, best first"]
    lines = [*head, *document["tags"], "# markers", *markers]
    tell(document, "\n".join(lines) + "\n", options, console)
    return 0


def run_why(options: Options, console: Console) -> int:
    """Resolve, or read the lock, and print the reasons."""
    from crossdeps.pipeline.report import explain
    from crossdeps.pipeline.request import build_settings
    from crossdeps.report.why import render_why

    target = choose_target(options, console)
    with console.progress() as progress:
        why = explain(
            options.project,
            build_requirements(options),
            target,
            settings=build_settings(options),
            progress=progress,
        )
    tell(why.to_dict(), render_why(why), options, console)
    return 0


STANDARD_OUTPUT = "-"


def run_report(options: Options, console: Console) -> int:
    """Print or write the report in the requested format."""
    from crossdeps.pipeline.report import inspect

    form = _choose_format(options)
    output = options.report_output or STANDARD_OUTPUT
    _check_output(output, options.artifact)
    if form == "sbom":
        # Before any work: it needs an optional library.
        from crossdeps.report.inspect.sbom import check_library

        check_library()
    named = options.archs or options.python or options.runtimes or options.platforms or options.abi
    target = choose_target(options, console) if named else None
    hashes = form == "sbom"
    inspection = inspect(options.artifact, target, lock=options.lock_file, hashes=hashes)
    for warning in inspection.warnings:
        console.warn(warning)
    text = _render(inspection, form, options, console)
    if options.report:
        save_json(inspection.to_dict(), options.report)
    if output != STANDARD_OUTPUT:
        write_output(Path(output), text, what="the report", rule="report")
        console.say(f"{output}: {form} report of {inspection.name}")
    elif not (options.quiet and form == "text"):
        console.data(text)
    return 0


def _choose_format(options: Options) -> str:
    """The format of the report; ``--json`` is one of them."""
    form = options.format or "text"
    if not options.json:
        return form
    if form not in {"text", "json"}:
        raise UsageError(f"--json and --format {form} were both given", hint="use one of them")
    return "json"


def _check_output(output: str, subject: str) -> None:
    """Refuse to overwrite the artifact itself."""
    path, artifact = Path(output), Path(subject)
    if output != STANDARD_OUTPUT and path.exists() and artifact.exists():
        if path.samefile(artifact):
            raise OutputError(f"{output} is the reported artifact itself", hint="name another file")
        if path.is_dir():
            raise OutputError(f"{output} is a directory", hint="name a file for the report")


def _render(inspection: Inspection, form: str, options: Options, console: Console) -> str:
    from crossdeps.report.inspect.inspection_text import (
        render_inspection,
        render_licences,
    )

    if form == "json":
        return render_json(inspection.to_dict())
    if form == "html":
        from crossdeps.report.inspect.html_report import render_html

        return render_html(inspection)
    if form == "licences":
        return render_licences(inspection)
    if form == "sbom":
        from crossdeps.report.inspect.sbom import render_sbom

        text, warnings = render_sbom(inspection)
        for warning in warnings:
            console.warn(warning)
        return text
    return render_inspection(inspection, all_folders=bool(options.verbose))
