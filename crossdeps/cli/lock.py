"""``crossdeps lock``: requirements to pylock.toml, or to requirements with hashes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.output import tell
from crossdeps.cli.settings import build_requirements, choose_targets
from crossdeps.errors import InputError, OutputError, UsageError
from crossdeps.fs import current_directory, write_output
from crossdeps.pipeline.lock import plan_lock
from crossdeps.pipeline.request import PreviousLock, build_settings
from crossdeps.report.lock import (
    lock_document,
    render_change,
    render_divergence,
    render_downgrades,
)
from crossdeps.requirements.pylock import DEFAULT_LOCK, LOCK_HEADER, is_pylock, not_a_lock
from crossdeps.text import join_words, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.cli.output import Console
    from crossdeps.config.options import Options
    from crossdeps.report.lock import LockReport
    from crossdeps.resolution.lock.differences import LockDifference

STDOUT = "-"
OUTDATED = 1
_MOST_DIFFERENCES = 20


def run_lock(options: Options, console: Console) -> int:
    """Write the lock, or print it where the output is ``-``.

    :returns: 0; with ``--check`` 1 if the lock is out of date
    :raises InputError: with ``--check``, if the lock is missing or invalid
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
    previous = _find_previous(path, options) if path else None
    if previous is not None and options.upgrade and options.requirements and not is_requirements:
        _check_upgraded(previous.path, options)
    targets = choose_targets(options, console)
    with console.progress() as progress:
        report = plan_lock(
            build_requirements(options),
            targets,
            settings=build_settings(options),
            progress=progress,
            previous=previous,
            relative_to=(path.absolute().parent if path else current_directory()),
            form="requirements" if is_requirements else "pylock",
            newest_per_target=options.newest_per_target,
        )
    for warning in (*report.content.previous_warnings, *report.content.warnings):
        console.warn(warning)
    if path is None:
        console.data(report.content.text)
        _print_summary(report, "standard output", console)
        return 0
    if options.check:
        return _check(path, report, options, console)
    if not options.dry_run:
        write_output(path, report.content.text, what="the lock")
    _print_summary(report, str(path), console)
    written = None if options.dry_run else str(path.absolute())
    tell(lock_document(report, path=written), "", options, console)
    return 0


def _check(path: Path, report: LockReport, options: Options, console: Console) -> int:
    """Compare the existing lock with the one that would replace it.

    :raises InputError: if the existing one is invalid
    """
    from crossdeps.resolution.lock.differences import compare_lines, compare_locks  # noqa: PLC0415

    text = path.read_text(encoding="utf-8")
    differences: Sequence[LockDifference] = ()
    if text == report.content.text:
        pass
    elif path.suffix == ".txt":
        differences = compare_lines(text, report.content.text)
    else:
        from crossdeps.requirements.pylock import read_pylock  # noqa: PLC0415 - loads much

        differences = compare_locks(read_pylock(path), report.read_lock())
    tell(lock_document(report, path=None, differences=differences), "", options, console)
    if not differences:
        _print_summary(report, str(path), console)
        console.say(f"{path} is up to date")
        return 0
    console.say(f"{path} is out of date:")
    for difference in differences[:_MOST_DIFFERENCES]:
        console.say(f"  {difference.describe()}")
    if len(differences) > _MOST_DIFFERENCES:
        console.say(f"  and {len(differences) - _MOST_DIFFERENCES:,} more differences")
    return OUTDATED


def _print_summary(report: LockReport, output: str, console: Console) -> None:
    content = report.content
    for divergence in content.divergences:
        console.note(render_divergence(divergence, report.targets))
    if content.downgrades:
        console.note(render_downgrades(content.downgrades, report.targets))
    for change in content.changes:
        console.say(render_change(change))
    console.say(f"{output}: {plural(len(content.packages), 'package')} for")
    for target in report.targets:
        console.say(f"  {target.describe()}")


def _find_previous(path: Path, options: Options) -> PreviousLock | None:
    """The existing lock; None if there is none.

    :raises InputError: if there is none to check
    :raises OutputError: if the file exists and is not a lock, or its name is not that of a lock
    """
    exists = os.path.isfile(path)  # noqa: PTH113 - never raises
    if path.suffix == ".txt":
        _check_is_lock(path)
    elif not is_pylock(path) and (exists or not path.exists()):
        raise _invalid_name(path)
    if options.check and not exists:
        raise InputError(
            f"there is no lock {path} to check", hint="make it: crossdeps lock, without --check"
        )
    if not exists:
        return None
    return PreviousLock(
        path=path,
        upgrade=options.upgrade,
        upgrades=_names(options.upgraded_packages),
        must_be_valid=options.check,
    )


def _invalid_name(path: Path) -> OutputError:
    """Make the error for a name that nothing recognizes as a lock, such as ``multi.toml``.

    Source: pylock.toml specification, "File Name".
    """
    words = path.name.removesuffix(".toml").removeprefix("pylock").strip(".")
    name = f"pylock.{words.replace('.', '-')}.toml" if words else DEFAULT_LOCK
    return OutputError(
        f"{path} is not a valid name for a lock, and no tool would read it as one",
        hint=f"write to {path.parent / name}; the names of locks are {DEFAULT_LOCK} and"
        " pylock.NAME.toml, and NAME.txt for requirements with hashes",
        rule="lock-name",
    )


def _check_upgraded(path: Path, options: Options) -> None:
    """Refuse ``-U NAME`` where NAME is what to upgrade in a lock, and no requirement of it.

    :raises UsageError: if every requirement is the bare name of a project in the lock, and the lock
        was made from others
    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - seldom needed

    from crossdeps.requirements.pylock import read_pylock  # noqa: PLC0415 - loads much
    from crossdeps.resolution.lock.recorded import read_recorded_requirements  # noqa: PLC0415 - too

    try:
        lock = read_pylock(path)
    except InputError:  # the lock is made anew, with a warning
        return
    requirements, recorded = options.requirements, read_recorded_requirements(lock)
    locked = {package.name for package in lock.packages}
    is_same = set(recorded) <= set(requirements)
    if options.requirement_files:  # what the lock was made from, and the same names beside it
        is_same = set(requirements) <= set(recorded)
    if not recorded or is_same:
        return
    if all(canonicalize_name(name) in locked for name in requirements):
        raise UsageError(
            f"--upgrade takes no name, and {path} was not made from {join_words(requirements)}"
            f"{'' if options.requirement_files else ' alone'}",
            context=recorded[:_MOST_DIFFERENCES],
            hint=f"upgrade one project with --upgrade-package {requirements[0]};"
            f" to require {join_words(requirements)}, remove {path} first",
        )


def _names(packages: Sequence[str]) -> tuple[str, ...]:
    """The names of projects to upgrade.

    :raises UsageError: if one is not a name
    """
    if not packages:
        return ()
    from packaging.utils import canonicalize_name, is_normalized_name  # noqa: PLC0415 - seldom needed

    invalid = [name for name in packages if not is_normalized_name(canonicalize_name(name))]
    if invalid:
        raise UsageError(
            f"--upgrade-package takes the name of a project, not {invalid[0]!r}",
            hint="limit the version in the requirements, or with --constraint",
        )
    return tuple(packages)


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
