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

    :raises OutputError: if it can't be written, or a file that isn't a lock has its name
    """
    output = options.lock_output or DEFAULT_LOCK
    if output == STDOUT and (options.json or options.check):
        raise UsageError(
            "standard output can't hold both the lock and what is told of it",
            hint="name a file with --output",
        )
    path = None if output == STDOUT else Path(output)
    previous = _earlier(path, options, console) if path else None
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
        _say(report, "standard output", console)
        return 0
    return _finish(path, text, report, options, console)


def _finish(path: Path, text: str, report: LockReport, options: Options, console: Console) -> int:
    writes = not (options.dry_run or options.check)
    if writes:
        write_output(path, text, what="the lock")
    _say(report, str(path), console)
    tell(
        lock_document(report, path=str(path.absolute()) if writes else None),
        "",
        options,
        console,
    )
    if options.check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
        console.say(f"{path} is out of date")
        return OUTDATED
    return 0


def _say(report: LockReport, output: str, console: Console) -> None:
    for warning in report.warnings:
        console.warn(warning)
    for divergence in report.divergences:
        console.note(render_divergence(divergence))
    for change in report.changes:
        console.say(render_change(change))
    console.say(f"{output}: {plural(len(report.lock.packages), 'package')} for")
    for resolution in report.resolutions:
        console.say(f"  {resolution.target.describe()}")


def _earlier(path: Path, options: Options, console: Console) -> PreviousLock | None:
    """The lock that is there; None where there is none, or nothing of it is to be kept.

    :raises OutputError: if what is there isn't a lock
    """
    if path.suffix == ".txt":
        _check_requirements(path)
        return None
    if not is_pylock(path):
        console.warn(f"{path} will be no lock by its name: call it pylock.NAME.toml")
    if not os.path.isfile(path):  # noqa: PTH113 - never raises
        return None
    lock = _read(path, options, console)
    if lock is None or "" in options.upgrades:
        return None
    upgraded = frozenset(canonicalize_name(name) for name in options.upgrades if name)
    for name in sorted(upgraded - {package.name for package in lock.packages}):
        console.warn(f"{name} isn't in {path}: there is nothing to upgrade")
    return PreviousLock(lock=lock, upgraded=upgraded)


def _read(path: Path, options: Options, console: Console) -> Pylock | None:
    try:
        return read_pylock(path)
    except InputError as error:
        if not is_pylock(path):
            raise _taken(path) from error
        if "" not in options.upgrades:
            console.warn(f"{error.message}: every version is chosen anew")
        return None


def _check_requirements(path: Path) -> None:
    """Refuse to write over requirements that were written by hand.

    :raises OutputError: if they were
    """
    if not os.path.isfile(path):  # noqa: PTH113 - never raises
        return
    with path.open("rb") as file:
        if file.readline().strip() == LOCK_HEADER.encode():
            return
    raise _taken(path)


def _taken(path: Path) -> OutputError:
    return OutputError(
        f"{path} is there, and isn't a lock",
        hint=f"write to {DEFAULT_LOCK}, pylock.NAME.toml or another NAME.txt, or remove it first",
    )
