"""lock(): one lock for one or several targets.

Versions that are pinned already are kept, and targets agree on one version where they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.errors import CrossdepsError, InputError, OutputError
from crossdeps.index.transfer import STRONG
from crossdeps.pipeline.request import RequirementsLike, Settings, read_requirements
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.pipeline.session import Session, open_session
from crossdeps.progress import Progress
from crossdeps.report.lock import (
    LockContent,
    LockReport,
    find_changes,
    find_divergences,
    list_packages,
)
from crossdeps.requirements.pylock import is_pylock, read_pylock
from crossdeps.resolution.lock.selection import select
from crossdeps.resolution.lock.writer import dump, to_pylock, to_requirements
from crossdeps.resolution.model import SelectedPackage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.resolution.model import Resolution
    from crossdeps.target.model import Target

    Pins = Mapping[NormalizedName, Version]

DEFAULT_LOCK: Final = "pylock.toml"
MAX_ROUNDS: Final = 4
"""How many times targets that chose different versions are resolved again to agree."""


class PreviousLock(msgspec.Struct, frozen=True, kw_only=True):
    """The lock that is replaced, whose versions are kept.

    :param upgrades: names of projects whose versions are not kept; an empty name means all
    """

    path: Path
    upgrades: tuple[str, ...] = ()


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the previous lock.

    :param lock: None if there is none, or nothing of it is kept
    """

    lock: Pylock | None = None
    upgraded: frozenset[NormalizedName] = frozenset()
    warnings: tuple[str, ...] = ()


def resolve(
    requirements: RequirementsLike,
    target: Target,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Resolution:
    """Choose a version of every required project, with the reasons.

    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    request = read_requirements(requirements)
    with open_session(request, settings or Settings(), progress or Progress()) as session:
        return session.resolve(find_runtime_packages(session.settings, target))


def lock(
    requirements: RequirementsLike,
    target: Target | Sequence[Target],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    preferences: Mapping[NormalizedName, Version] | None = None,
) -> Pylock:
    """Choose a version of every required project, and the wheels for each target.

    :param requirements: the path of a requirements file or project; or requirement strings
    :param preferences: versions to keep if they still fit, such as those of an older lock
    :returns: a valid lock (PEP 751), which :func:`crossdeps.build` accepts
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    targets = target if isinstance(target, Sequence) else (target,)
    report = plan_lock(
        requirements, targets, settings=settings, progress=progress, preferences=preferences
    )
    return report.read_lock()


def plan_lock(
    requirements: RequirementsLike,
    targets: Sequence[Target],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    preferences: Pins | None = None,
    previous: PreviousLock | None = None,
    relative_to: Path | None = None,
    form: Literal["pylock", "requirements"] = "pylock",
) -> LockReport:
    """Choose versions for every target, and report what changed and where targets differ.

    :param preferences: versions to keep if they still fit
    :param previous: the lock whose versions are kept if they still fit
    :param relative_to: directory that paths in the lock are relative to; None keeps them absolute
    :param form: of the lock's text
    :raises OutputError: if the previous lock is another file
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    request = read_requirements(requirements)
    with open_session(request, settings or Settings(), progress or Progress()) as session:
        lock, content = _make_lock(
            targets, session, preferences or {}, _read_previous(previous), relative_to, form
        )
    return LockReport(targets=tuple(targets), content=content, read_lock=lambda: lock)


def _make_lock(
    targets: Sequence[Target],
    session: Session,
    preferences: Pins,
    previous: _Kept,
    relative_to: Path | None,
    form: str,
) -> tuple[Pylock, LockContent]:
    pins = [{**_read_pins(previous, target), **preferences} for target in targets]
    resolutions = _resolve_all(targets, pins, session)
    lock = to_pylock(
        resolutions,
        computed_hashes=_computed_hashes(resolutions, session),
        relative_to=relative_to,
    )
    warnings = (*session.warnings, *(w for each in resolutions for w in each.warnings))
    content = LockContent(
        text=to_requirements(lock) if form == "requirements" else dump(lock),
        packages=list_packages(lock),
        divergences=find_divergences(resolutions),
        changes=find_changes(previous.lock, lock),
        previous_warnings=previous.warnings,
        warnings=tuple(dict.fromkeys(warnings)),
    )
    return lock, content


def _read_previous(previous: PreviousLock | None) -> _Kept:
    """Read what is kept of the previous lock.

    :raises OutputError: if the file is not a lock
    """
    if previous is None:
        return _Kept()
    path, upgrades = previous.path, previous.upgrades
    try:
        lock = read_pylock(path)
    except InputError as error:
        if not is_pylock(path):
            raise not_a_lock(path) from error
        warning = f"{error.message}: all versions are chosen again"
        return _Kept(warnings=() if "" in upgrades else (warning,))
    if "" in upgrades:
        return _Kept()
    upgraded = frozenset(canonicalize_name(name) for name in upgrades)
    unknown = sorted(upgraded - {package.name for package in lock.packages})
    warnings = tuple(f"{name} is not in {path}: nothing to upgrade" for name in unknown)
    return _Kept(lock=lock, upgraded=upgraded, warnings=warnings)


def not_a_lock(path: Path) -> OutputError:
    """Make the error for an output that exists and that crossdeps did not write."""
    return OutputError(
        f"{path} exists and is not a lock",
        hint=f"write to {DEFAULT_LOCK}, pylock.NAME.toml or another NAME.txt, or remove it first",
    )


def _resolve_all(
    targets: Sequence[Target], pins: Sequence[Pins], session: Session
) -> list[Resolution]:
    """Resolve for each target; where versions differ, every target prefers the oldest of them.

    Versions that are pinned already take precedence over agreement.
    """
    runtimes = [find_runtime_packages(session.settings, target) for target in targets]

    def resolve_each(preferred: Pins) -> list[Resolution]:
        return [
            session.resolve(runtime, {**preferred, **own})
            for runtime, own in zip(runtimes, pins, strict=True)
        ]

    best = resolve_each({})
    common: dict[NormalizedName, Version] = {}
    for _ in range(MAX_ROUNDS):
        preferred = {**common, **_oldest(best)}
        if preferred == common:
            break
        common = preferred
        again = resolve_each(common)
        if len(_oldest(again)) >= len(_oldest(best)):
            break
        best = again
    return best


def _oldest(resolutions: Sequence[Resolution]) -> dict[NormalizedName, Version]:
    """The oldest version of each project for which targets chose different ones."""
    versions: dict[NormalizedName, set[Version]] = {}
    for resolution in resolutions:
        for name, choice in resolution.choices.items():
            if choice.source is None:
                versions.setdefault(name, set()).add(choice.version)
    return {name: min(found) for name, found in versions.items() if len(found) > 1}


def _read_pins(previous: _Kept, target: Target) -> dict[NormalizedName, Version]:
    """Versions that *target* had before; a target that is new has those of the others."""
    if previous.lock is None:
        return {}
    pins: dict[NormalizedName, Version] = {}
    for package in previous.lock.packages:
        if package.version is not None:
            known = pins.get(package.name, package.version)
            pins[package.name] = min(known, package.version)
    try:
        own = select(previous.lock, target)
    except CrossdepsError:  # the lock was not made for this target
        own = ()
    pins |= {each.name: each.version for each in own if each.version is not None}
    return {name: version for name, version in pins.items() if name not in previous.upgraded}


def _computed_hashes(
    resolutions: Sequence[Resolution], session: Session
) -> dict[str, dict[str, str]]:
    """Hashes of files for which the index gives none, by URL: these files are downloaded."""
    unhashed = {
        choice.candidate.file.url: SelectedPackage(
            name=choice.name, version=choice.version, file=choice.candidate.file
        )
        for resolution in resolutions
        for choice in resolution.choices.values()
        if choice.candidate
        and not STRONG & choice.candidate.file.hashes.keys()
        and choice.built is None
    }
    wheels = session.fetch(tuple(unhashed.values()))
    return {url: {"sha256": wheel.sha256} for url, wheel in zip(unhashed, wheels, strict=True)}
