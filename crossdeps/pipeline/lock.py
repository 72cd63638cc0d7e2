"""One lock for several targets: what is pinned stays, and all take one version where they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crossdeps.errors import CrossdepsError
from crossdeps.index.transfer import STRONG
from crossdeps.pipeline.request import RequirementsLike, Settings, build_resolve_request
from crossdeps.pipeline.session import Session, open_session
from crossdeps.progress import Progress
from crossdeps.report.lock import LockReport, find_changes, find_divergences
from crossdeps.resolution.lock.selection import select
from crossdeps.resolution.lock.writer import to_pylock
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

MAX_ROUNDS: Final = 4
"""How often targets that took different versions are asked to agree."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviousLock:
    """The lock before, and what of it doesn't count any more.

    :param upgraded: projects to choose anew
    """

    lock: Pylock
    upgraded: frozenset[NormalizedName] = frozenset()


def resolve(
    asked: RequirementsLike,
    target: Target,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Resolution:
    """Choose a version of every project needed, with the reasons.

    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    request = build_resolve_request(asked)
    with open_session(request, settings or Settings(), progress or Progress()) as session:
        return session.resolve(target)


def lock(
    asked: RequirementsLike,
    target: Target | Sequence[Target],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    preferences: Mapping[NormalizedName, Version] | None = None,
) -> Pylock:
    """Choose a version of every project needed, and the wheels for each target.

    :param asked: a request; the path of a requirements file or project; or requirements one by one
    :param preferences: versions to keep where they still fit, such as those of an older lock
    :returns: a valid lock (PEP 751), the plan that :func:`build` works from
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    targets = target if isinstance(target, Sequence) else (target,)
    return plan_lock(
        asked, targets, settings=settings, progress=progress, preferences=preferences
    ).lock


def plan_lock(
    asked: RequirementsLike,
    targets: Sequence[Target],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    preferences: Pins | None = None,
    previous: PreviousLock | None = None,
    relative_to: Path | None = None,
) -> LockReport:
    """Choose versions for every target, and tell what is new and where targets differ.

    :param preferences: versions to keep where they still fit
    :param previous: a lock whose pins are kept where they still fit
    :param relative_to: directory that paths in the lock start from; they are absolute without it
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    request = build_resolve_request(asked)
    with open_session(request, settings or Settings(), progress or Progress()) as session:
        pins = [{**_pins_of(previous, target), **(preferences or {})} for target in targets]
        resolutions = _agreed(targets, pins, session)
        lock = to_pylock(
            resolutions,
            computed_hashes=_computed_hashes(resolutions, session),
            relative_to=relative_to,
        )
        warnings = (*session.warnings, *(w for each in resolutions for w in each.warnings))
    return LockReport(
        lock=lock,
        resolutions=tuple(resolutions),
        divergences=find_divergences(resolutions),
        changes=find_changes(previous.lock if previous else None, lock),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _agreed(targets: Sequence[Target], pins: Sequence[Pins], session: Session) -> list[Resolution]:
    """A resolution of each target; where they differ, all are asked to take the oldest version.

    What is pinned already comes before agreement.
    """
    best = [session.resolve(target, own) for target, own in zip(targets, pins, strict=True)]
    common: dict[NormalizedName, Version] = {}
    for _ in range(MAX_ROUNDS):
        asked_for = {**common, **_oldest(best)}
        if asked_for == common:
            break
        common = asked_for
        again = [
            session.resolve(target, {**common, **own})
            for target, own in zip(targets, pins, strict=True)
        ]
        if len(_oldest(again)) >= len(_oldest(best)):
            break
        best = again
    return best


def _oldest(resolutions: Sequence[Resolution]) -> dict[NormalizedName, Version]:
    """The oldest version of each project that targets take in several."""
    versions: dict[NormalizedName, set[Version]] = {}
    for resolution in resolutions:
        for name, choice in resolution.choices.items():
            if choice.source is None:
                versions.setdefault(name, set()).add(choice.version)
    return {name: min(found) for name, found in versions.items() if len(found) > 1}


def _pins_of(previous: PreviousLock | None, target: Target) -> dict[NormalizedName, Version]:
    """What *target* had before; a target that is new in the lock takes what others had."""
    if previous is None:
        return {}
    pins: dict[NormalizedName, Version] = {}
    for package in previous.lock.packages:
        if package.version is not None:
            known = pins.get(package.name, package.version)
            pins[package.name] = min(known, package.version)
    try:
        mine = select(previous.lock, target)
    except CrossdepsError:  # it wasn't made for this target
        mine = ()
    pins |= {each.name: each.version for each in mine if each.version is not None}
    return {name: version for name, version in pins.items() if name not in previous.upgraded}


def _computed_hashes(
    resolutions: Sequence[Resolution], session: Session
) -> dict[str, dict[str, str]]:
    """Hashes of files that their index states no strong one for, by URL; fetched for that."""
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
