"""``crossdeps lock``: requirements to pylock.toml, or to requirements with hashes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.cli.output import tell
from crossdeps.cli.settings import build_requirements, build_settings, choose_targets
from crossdeps.errors import InputError, OutputError, UsageError
from crossdeps.fs import write_output
from crossdeps.pipeline.lock import PreviousLock, plan_lock
from crossdeps.report.lock import lock_document, render_change, render_divergence
from crossdeps.requirements.pylock import is_pylock, read_pylock
from crossdeps.resolution.lock.writer import LOCK_HEADER, dump, to_requirements
from crossdeps.text import plural

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from crossdeps.cli.output import Console
    from crossdeps.config.options import Options
    from crossdeps.report.lock import LockReport

DEFAULT_LOCK = "pylock.toml"
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
    previous = _read_previous(path, options, console) if path else None
    targets = choose_targets(options, console)
    with console.progress() as progress:
        report = plan_lock(
            build_requirements(options),
            targets,
            settings=build_settings(options),
            progress=progress,
            previous=previous,
            relative_to=(path.absolute().parent if path else Path.cwd()),
        )
    text = to_requirements(report.lock) if output.endswith(".txt") else dump(report.lock)
    if path is None:
        console.data(text)
        _print_summary(report, "standard output", console)
        return 0
    return _write(path, text, report, options, console)


def _write(path: Path, text: str, report: LockReport, options: Options, console: Console) -> int:
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
    for warning in report.warnings:
        console.warn(warning)
    for divergence in report.divergences:
        console.note(render_divergence(divergence))
    for change in report.changes:
        console.say(render_change(change))
    console.say(f"{output}: {plural(len(report.lock.packages), 'package')} for")
    for resolution in report.resolutions:
        console.say(f"  {resolution.target.describe()}")


def _read_previous(path: Path, options: Options, console: Console) -> PreviousLock | None:
    """The existing lock; None if there is none, or no version of it is kept.

    :raises OutputError: if the file exists and is not a lock
    """
    if path.suffix == ".txt":
        _check_is_lock(path)
        return None
    if not is_pylock(path):
        console.warn(f"{path} is not a valid name for a lock: use pylock.NAME.toml")
    if not os.path.isfile(path):  # noqa: PTH113 - never raises
        return None
    lock = _parse(path, options, console)
    if lock is None or "" in options.upgrades:
        return None
    upgraded = frozenset(canonicalize_name(name) for name in options.upgrades if name)
    for name in sorted(upgraded - {package.name for package in lock.packages}):
        console.warn(f"{name} is not in {path}: nothing to upgrade")
    return PreviousLock(lock=lock, upgraded=upgraded)


def _parse(path: Path, options: Options, console: Console) -> Pylock | None:
    try:
        return read_pylock(path)
    except InputError as error:
        if not is_pylock(path):
            raise _not_a_lock(path) from error
        if "" not in options.upgrades:
            console.warn(f"{error.message}: all versions are chosen again")
        return None


def _check_is_lock(path: Path) -> None:
    """Refuse to overwrite requirements that were written by hand.

    :raises OutputError: if they were
    """
    if not os.path.isfile(path):  # noqa: PTH113 - never raises
        return
    with path.open("rb") as file:
        if file.readline().strip() == LOCK_HEADER.encode():
            return
    raise _not_a_lock(path)


def _not_a_lock(path: Path) -> OutputError:
    return OutputError(
        f"{path} exists and is not a lock",
        hint=f"write to {DEFAULT_LOCK}, pylock.NAME.toml or another NAME.txt, or remove it first",
    )
