"""``crossdeps lock``: requirements to pylock.toml, or to requirements with hashes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.output import tell
from crossdeps.cli.settings import build_requirements, choose_targets
from crossdeps.errors import UsageError
from crossdeps.fs import write_output
from crossdeps.pipeline.lock import plan_lock
from crossdeps.pipeline.request import PreviousLock, build_settings
from crossdeps.report.lock import lock_document, render_change, render_divergence
from crossdeps.requirements.pylock import DEFAULT_LOCK, LOCK_HEADER, is_pylock, not_a_lock
from crossdeps.text import plural

if TYPE_CHECKING:
    from crossdeps.cli.output import Console
    from crossdeps.config.options import Options
    from crossdeps.report.lock import LockReport

STDOUT = "-"
OUTDATED = 1


def run_lock(options: Options, console: Console) -> int:
    """Write the lock, or print it where the output is ``-``.

    :returns: 0; with ``--check`` 1 if the lock is out of date
    :raises OutputError: if it cannot be written, or the file exists and is not a lock
    """
    output = options.lock_output or DEFAULT_LOCK
    if output == STDOUT and (options.json or options.check):
        raise UsageError(
            "standard output cannot hold both the lock and a report of it",
            hint="name a file with --output",
        )
    path = None if output == STDOUT else Path(output)
    is_requirements = output.endswith(".txt")
    previous = _find_previous(path, options, console) if path else None
    targets = choose_targets(options, console)
    with console.progress() as progress:
        report = plan_lock(
            build_requirements(options),
            targets,
            settings=build_settings(options),
            progress=progress,
            previous=previous,
            relative_to=(path.absolute().parent if path else Path.cwd()),
            form="requirements" if is_requirements else "pylock",
        )
    for warning in (*report.content.previous_warnings, *report.content.warnings):
        console.warn(warning)
    if path is None:
        console.data(report.content.text)
        _print_summary(report, "standard output", console)
        return 0
    return _write(path, report, options, console)


def _write(path: Path, report: LockReport, options: Options, console: Console) -> int:
    text = report.content.text
    writes = not (options.dry_run or options.check)
    if writes:
        write_output(path, text, what="the lock")
    _print_summary(report, str(path), console)
    tell(lock_document(report, path=str(path.absolute()) if writes else None), "", options, console)
    if options.check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
        console.say(f"{path} is out of date")
        return OUTDATED
    return 0


def _print_summary(report: LockReport, output: str, console: Console) -> None:
    content = report.content
    for divergence in content.divergences:
        console.note(render_divergence(divergence, report.targets))
    for change in content.changes:
        console.say(render_change(change))
    console.say(f"{output}: {plural(len(content.packages), 'package')} for")
    for target in report.targets:
        console.say(f"  {target.describe()}")


def _find_previous(path: Path, options: Options, console: Console) -> PreviousLock | None:
    """The existing lock; None if there is none.

    :raises OutputError: if the file exists and is not a lock
    """
    if path.suffix == ".txt":
        _check_is_lock(path)
        return None
    if not is_pylock(path):
        console.warn(f"{path} is not a valid name for a lock: use pylock.NAME.toml")
    if not os.path.isfile(path):  # noqa: PTH113 - never raises
        return None
    return PreviousLock(path=path, upgrades=options.upgrades)


def _check_is_lock(path: Path) -> None:
    """Refuse to overwrite requirements that were written by hand.

    :raises OutputError: if they were
    """
    if not os.path.isfile(path):  # noqa: PTH113 - never raises
        return
    with path.open("rb") as file:
        if file.readline().strip() == LOCK_HEADER.encode():
            return
    raise not_a_lock(path)
