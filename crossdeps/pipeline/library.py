"""The functions of the library, one for each verb of the command: arguments checked, then run.

They print nothing, and read no configuration but that of pip.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from crossdeps.errors import UsageError
from crossdeps.pipeline.arguments import (
    check_path,
    check_progress,
    check_target,
    check_targets,
    describe_type,
    find_lock,
    read_names,
    read_requirements,
)
from crossdeps.pipeline.keywords import StrPath, make_options
from crossdeps.pipeline.request import PreviousLock, build_settings
from crossdeps.report.locked import Lock
from crossdeps.requirements.pylock import DEFAULT_LOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.pylock import Pylock
    from typing_extensions import Unpack

    from crossdeps.finding import Finding
    from crossdeps.pipeline.keywords import (
        BuildKeywords,
        CheckKeywords,
        ResolveKeywords,
        Settings,
        Strings,
    )
    from crossdeps.progress import Progress
    from crossdeps.report.diff.comparison import Comparison
    from crossdeps.report.inspect.inspection import Inspection
    from crossdeps.report.model import Report, Tags
    from crossdeps.report.why import Why
    from crossdeps.target.model import Target

RequirementsLike: TypeAlias = "StrPath | Sequence[StrPath] | Lock | Pylock"
"""The path of a requirements file, project or lock; a list of requirements and such paths; or a
lock that was read or made."""


def build(
    requirements: RequirementsLike,
    target: Target,
    output: StrPath = "package",
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    **options: Unpack[BuildKeywords],
) -> Report:
    """Build a directory, or a zip if *output* ends in ``.zip``, that runs on *target*.

    :param requirements: the path of a requirements file, project or lock, or a list of
        requirements; a lock is built without resolving
    :param settings: options that *options* complete and replace
    :param progress: is told what happens
    :raises FindingsError: if the artifact would fail on the target; nothing is written
    :raises CrossdepsError: see :mod:`crossdeps.errors`; nothing is written
    """
    from crossdeps.pipeline.build import build as run_build  # noqa: PLC0415 - of the same name

    given = make_options("build", settings, options)
    checked = check_target(target)
    return run_build(
        read_requirements(requirements, given),
        checked,
        check_path("output", output),
        settings=build_settings(given, checked),
        progress=check_progress(progress),
    )


def lock(
    requirements: RequirementsLike,
    target: Target | Sequence[Target],
    *,
    previous: Lock | Pylock | StrPath | None = None,
    upgrade: bool = False,
    upgrade_package: Strings = (),
    newest_per_target: bool = False,
    settings: Settings | None = None,
    progress: Progress | None = None,
    **options: Unpack[ResolveKeywords],
) -> Lock:
    """Choose a version of every required project, and the wheels for each target.

    Nothing is written: :meth:`Lock.write` does that.

    :param requirements: the path of a requirements file or project, or a list of requirements
    :param target: one or several
    :param previous: a lock whose versions are kept where they still fit, or the path of one; a file
        that does not exist is none
    :param upgrade: keep no version of *previous*
    :param upgrade_package: names of projects whose versions are not kept
    :param newest_per_target: choose the newest version for each target, instead of one version that
        fits all of them where there is one
    :param settings: options that *options* complete and replace
    :param progress: is told what happens
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    from crossdeps.pipeline.lock import plan_lock  # noqa: PLC0415 - for this function only

    given = make_options("lock", settings, options)
    names = read_names("upgrade_package", upgrade_package)
    report = plan_lock(
        read_requirements(requirements, given),
        check_targets(target),
        settings=build_settings(given),
        progress=check_progress(progress),
        previous=_find_previous(previous, upgrade=upgrade, upgrades=names),
        newest_per_target=newest_per_target,
    )
    return Lock.from_report(report)


def _find_previous(
    specified: object, *, upgrade: bool, upgrades: tuple[str, ...]
) -> PreviousLock | None:
    if specified is None:
        return None
    lock = find_lock(specified)
    if lock is None:
        path = check_path("previous", specified)
        return PreviousLock(path, upgrade=upgrade, upgrades=upgrades) if path.exists() else None
    path = lock.path or Path(DEFAULT_LOCK)
    return PreviousLock(
        path, text=lock.text, directory=lock.directory, upgrade=upgrade, upgrades=upgrades
    )


def check(
    path: StrPath,
    target: Target,
    *,
    settings: Settings | None = None,
    **options: Unpack[CheckKeywords],
) -> tuple[Finding, ...]:
    """Find everything in a directory or zip, made by any tool, that is wrong for *target*.

    :param settings: options that *options* complete and replace
    :returns: errors and warnings, of which :attr:`Finding.severity` tells
    :raises UsageError: if an option is invalid
    :raises ArtifactReadError: if *path* or a layer cannot be read
    """
    from crossdeps.pipeline.check import check as run_check  # noqa: PLC0415 - of the same name

    given = make_options("check", settings, options)
    checked = check_target(target)
    return run_check(check_path("path", path), checked, settings=build_settings(given, checked))


def why(
    name: str,
    requirements: RequirementsLike,
    target: Target,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    **options: Unpack[ResolveKeywords],
) -> Why:
    """Explain why a project is in the package, in this version. A lock is not resolved again.

    :param name: of the project
    :param requirements: as those of :func:`build`
    :raises CrossdepsError: if the project is not in the package, or resolving fails
    """
    from crossdeps.pipeline.report import explain  # noqa: PLC0415 - for this function only

    if not isinstance(name, str):
        raise UsageError(f"name must be the name of a project, not {describe_type(name)}")
    given = make_options("why", settings, options)
    return explain(
        name,
        read_requirements(requirements, given),
        check_target(target),
        settings=build_settings(given),
        progress=check_progress(progress),
    )


def diff(before: StrPath, after: StrPath) -> Comparison:
    """Find the differences between two artifacts made by any tool, or between two locks.

    :param before: a directory, a zip, or a lock
    :raises ArtifactReadError: if an artifact cannot be read
    :raises InputError: if a lock cannot be read
    :raises UsageError: if one is a lock and the other an artifact
    """
    from crossdeps.pipeline.report import compare  # noqa: PLC0415 - for this function only

    return compare(check_path("before", before), check_path("after", after))


def report(
    path: StrPath, target: Target | None = None, *, lock: StrPath | None = None
) -> Inspection:
    """Find the content, the sizes and the licences of a directory or zip made by any tool.

    :param target: gives the limits, and evaluates the markers of dependencies
    :param lock: the lock that it was made from, for the hashes of its wheels
    :raises ArtifactReadError: if *path* cannot be read
    :raises InputError: if *lock* cannot be read
    """
    from crossdeps.pipeline.report import inspect  # noqa: PLC0415 - for this function only

    return inspect(
        check_path("path", path),
        None if target is None else check_target(target),
        lock=None if lock is None else check_path("lock", lock),
    )


def tags(target: Target) -> Tags:
    """Return the wheel tags that *target* accepts, and the values of its markers."""
    from crossdeps.report.model import Tags  # noqa: PLC0415 - for this function only

    return Tags(target=check_target(target))
