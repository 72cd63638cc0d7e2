"""The resolutions of one or several targets, and the lock of them.

Versions that are pinned already are kept, and targets agree on one version where they can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.errors import CrossdepsError, InputError
from crossdeps.index.transfer import STRONG
from crossdeps.pipeline.resolve import resolve_session
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.report.lock import LockContent, find_changes, find_divergences, list_packages
from crossdeps.requirements.pylock import is_pylock, not_a_lock, read_pylock
from crossdeps.resolution.lock.selection import select
from crossdeps.resolution.lock.writer import dump, to_pylock, to_requirements
from crossdeps.resolution.model import SelectedPackage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.pipeline.request import PreviousLock
    from crossdeps.pipeline.session import Session
    from crossdeps.resolution.model import Resolution
    from crossdeps.target.model import Target

    Pins = Mapping[NormalizedName, Version]

MAX_ROUNDS: Final = 4
"""How many times targets that chose different versions are resolved again to agree."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the previous lock.

    :param lock: None if there is none, or nothing of it is kept
    """

    lock: Pylock | None = None
    upgraded: frozenset[NormalizedName] = frozenset()
    warnings: tuple[str, ...] = ()


def make_lock(
    targets: Sequence[Target],
    session: Session,
    *,
    preferences: Pins,
    previous: PreviousLock | None,
    relative_to: Path | None,
    form: Literal["pylock", "requirements"],
) -> tuple[Pylock, LockContent]:
    """Choose versions for every target, and write them as a lock; see :func:`plan_lock`.

    :raises OutputError: if the previous lock is another file
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    kept = _read_previous(previous)
    pins = [{**_read_pins(kept, target), **preferences} for target in targets]
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
        changes=find_changes(kept.lock, lock),
        previous_warnings=kept.warnings,
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


def _resolve_all(
    targets: Sequence[Target], pins: Sequence[Pins], session: Session
) -> list[Resolution]:
    """Resolve for each target; where versions differ, every target prefers the oldest of them.

    Versions that are pinned already take precedence over agreement.
    """
    runtimes = [find_runtime_packages(session.settings, target) for target in targets]

    def resolve_each(preferred: Pins) -> list[Resolution]:
        return [
            resolve_session(session, runtime, {**preferred, **own})
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


def _read_pins(kept: _Kept, target: Target) -> dict[NormalizedName, Version]:
    """Versions that *target* had before; a target that is new has those of the others."""
    if kept.lock is None:
        return {}
    pins: dict[NormalizedName, Version] = {}
    for package in kept.lock.packages:
        if package.version is not None:
            known = pins.get(package.name, package.version)
            pins[package.name] = min(known, package.version)
    try:
        own = select(kept.lock, target)
    except CrossdepsError:  # the lock was not made for this target
        own = ()
    pins |= {each.name: each.version for each in own if each.version is not None}
    return {name: version for name, version in pins.items() if name not in kept.upgraded}


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
