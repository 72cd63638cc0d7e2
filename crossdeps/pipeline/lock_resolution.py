"""The resolutions of one or several targets, and the lock of them.

Versions that are pinned already are kept, and targets agree on one version where they can.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, cast

import msgspec
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.index.transfer import STRONG
from crossdeps.pipeline.resolve import resolve_session
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.report.lock import (
    LockContent,
    find_changes,
    find_divergences,
    find_downgrades,
    list_packages,
)
from crossdeps.requirements.files import decode, read_bytes
from crossdeps.requirements.pylock import is_pylock, not_a_lock
from crossdeps.requirements.syntax import parse_requirement
from crossdeps.resolution.lock.writer import dump, to_pylock, to_requirements
from crossdeps.resolution.model import SelectedPackage, exact_version
from crossdeps.resolution.root_requirements import check_requires_python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.markers import Marker
    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.pipeline.request import PreviousLock
    from crossdeps.pipeline.runtime import RuntimePackages
    from crossdeps.pipeline.session import Session
    from crossdeps.resolution.model import Resolution
    from crossdeps.target.model import Target

    Pins = Mapping[NormalizedName, Version]

MAX_ROUNDS: Final = 4
"""How many times targets that chose different versions are resolved again to agree."""


class _Pin(msgspec.Struct, frozen=True):
    """A version of the previous lock, and the marker of the targets that have it."""

    name: NormalizedName
    version: Version | None
    marker: Marker | None = None


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the previous lock.

    :param pins: None if there is no previous lock, or nothing of it is kept
    """

    pins: tuple[_Pin, ...] | None = None
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
    newest_per_target: bool,
) -> tuple[Pylock, LockContent]:
    """Choose versions for every target, and write them as a lock; see :func:`plan_lock`.

    :raises InputError: if the previous lock is unreadable, and must not be
    :raises OutputError: if the previous lock is another file
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    check_requires_python(session.inputs, targets)
    kept = _read_previous(previous, form)
    pins = [{**_read_pins(kept, target), **preferences} for target in targets]
    resolutions = _resolve_all(targets, pins, session, newest_per_target=newest_per_target)
    lock = to_pylock(
        resolutions,
        computed_hashes=_computed_hashes(resolutions, session),
        relative_to=relative_to,
    )
    warnings = (*session.warnings, *(w for each in resolutions for w in each.warnings))
    before = None if kept.pins is None else [(pin.name, pin.version) for pin in kept.pins]
    content = LockContent(
        text=to_requirements(lock) if form == "requirements" else dump(lock),
        packages=list_packages(lock),
        divergences=find_divergences(resolutions),
        downgrades=find_downgrades(resolutions),
        changes=find_changes(before, [(each.name, each.version) for each in lock.packages]),
        previous_warnings=kept.warnings,
        warnings=tuple(dict.fromkeys(warnings)),
    )
    return lock, content


def _read_previous(previous: PreviousLock | None, form: Literal["pylock", "requirements"]) -> _Kept:
    """Read what is kept of the previous lock.

    :raises InputError: if it is unreadable, and must not be
    :raises OutputError: if the file is not a lock
    """
    if previous is None:
        return _Kept()
    path = previous.path
    try:
        pins = _read_requirements(path) if form == "requirements" else _read_packages(previous)
    except InputError as error:
        if previous.must_be_valid:
            raise InputError(
                error.message,
                context=error.context,
                hint="make the lock again: crossdeps lock, without --check",
                rule=error.rule,
            ) from error
        if form == "pylock" and not is_pylock(path):
            raise not_a_lock(path) from error
        warning = f"{error.message}: all versions are chosen again"
        return _Kept(warnings=() if previous.upgrade else (warning,))
    if previous.upgrade:
        return _Kept(pins=pins, upgraded=frozenset(pin.name for pin in pins))
    upgraded = frozenset(canonicalize_name(name) for name in previous.upgrades)
    unknown = sorted(upgraded - {pin.name for pin in pins})
    warnings = tuple(f"{name} is not in {path}: nothing to upgrade" for name in unknown)
    return _Kept(pins=pins, upgraded=upgraded, warnings=warnings)


def _read_packages(previous: PreviousLock) -> tuple[_Pin, ...]:
    lock = previous.read()
    return tuple(_Pin(each.name, each.version, each.marker) for each in lock.packages)


def _read_requirements(path: Path) -> tuple[_Pin, ...]:
    """Read what :func:`to_requirements` wrote.

    :raises InputError: if a line is no requirement
    """
    pins = []
    for number, line in enumerate(decode(read_bytes(path, str(path))).splitlines(), start=1):
        text = line.removesuffix("\\").strip()
        if not text or text.startswith(("#", "--hash=")):
            continue
        try:
            parsed = parse_requirement(text)
        except InvalidRequirement as error:
            raise InputError(
                f"{path} is not a valid lock: {error}",
                context=(f"{path}:{number}",),
                hint="create it again with crossdeps lock",
            ) from error
        version = exact_version(parsed.specifier)
        pins.append(_Pin(canonicalize_name(parsed.name), version, parsed.marker))
    return tuple(pins)


def _resolve_all(
    targets: Sequence[Target], pins: Sequence[Pins], session: Session, *, newest_per_target: bool
) -> list[Resolution]:
    """Resolve for each target; targets agree on one version of each project where they can.

    :param newest_per_target: only targets that no marker distinguishes agree
    """
    runtimes = [find_runtime_packages(session.settings, target) for target in targets]
    groups: dict[object, list[int]] = defaultdict(list)
    for position, target in enumerate(targets):
        key = (target.python_version, target.arch) if newest_per_target else None
        groups[key].append(position)
    found: dict[int, Resolution] = {}
    for positions in groups.values():
        chosen = _agree([(runtimes[each], pins[each]) for each in positions], session)
        found |= zip(positions, chosen, strict=True)
    return [found[position] for position in range(len(targets))]


def _agree(targets: Sequence[tuple[RuntimePackages, Pins]], session: Session) -> list[Resolution]:
    """Resolve for each target; where versions differ, every target prefers the oldest of them.

    Versions that are pinned already take precedence over agreement.
    """

    def resolve_each(preferred: Pins) -> list[Resolution]:
        return [resolve_session(session, runtime, {**preferred, **own}) for runtime, own in targets]

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
    """Versions that *target* had before; a target that is new has those of the others.

    The target is told by the markers of the versions, whatever its C library and patch release.
    """
    own: dict[NormalizedName, Version] = {}
    others: dict[NormalizedName, Version] = {}
    for pin in kept.pins or ():
        if pin.version is None or pin.name in kept.upgraded:
            continue
        pins = own if _applies(pin.marker, target) else others
        pins[pin.name] = min(pins.get(pin.name, pin.version), pin.version)
    return others | own


def _applies(marker: Marker | None, target: Target) -> bool:
    """Whether a marker of a lock is true on *target*, without extras and dependency groups."""
    if marker is None:
        return True
    environment: dict[str, str | frozenset[str]] = {
        **cast("Mapping[str, str]", target.environment),
        "extras": frozenset(),
        "dependency_groups": frozenset(),
    }
    return marker.evaluate(environment, context="lock_file")


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
