"""The report of a lock: its packages, changes, and projects whose versions differ by target."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from crossdeps.report.build import describe_downgrade
from crossdeps.resolution.rejections import Reason
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.resolution.lock.differences import LockDifference
    from crossdeps.resolution.model import Choice, Resolution
    from crossdeps.target.model import Target

    _Pin = tuple[NormalizedName, Version | None]

Versions = tuple[str, ...]


class PinChange(msgspec.Struct, frozen=True, kw_only=True):
    """A project whose versions differ from those of the previous lock.

    :param before: sorted, empty for a new project; likewise *after* for a removed one
    """

    name: str
    before: Versions
    after: Versions


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is locked in several versions.

    :param versions: oldest first, each with the positions of its targets in the user's order
    :param reason: why the oldest was not replaced by the newest; empty if unknown
    """

    name: str
    versions: tuple[tuple[str, tuple[int, ...]], ...]
    reason: str = ""


class Downgrade(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is older than the newest because of a target.

    :param targets: positions of the targets that rule the newest out, in the user's order
    :param text: such as ``numpy 2.0.2, not 2.5.5: it requires glibc 2.28``
    """

    name: str
    targets: tuple[int, ...]
    text: str


class LockedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package of a lock.

    :param version: None where the lock has none, as for a directory
    :param files: names of its wheels
    """

    name: str
    version: str | None
    marker: str | None
    files: tuple[str, ...]


class LockContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a lock contains, and how it differs from the previous one, in a form that can be stored.

    :param text: of the file, as pylock.toml or as requirements
    :param downgrades: of projects that have one version on all targets
    :param changes: from the previous lock; empty if there was none
    :param previous_warnings: about the previous lock, one sentence each
    :param warnings: about this one
    """

    text: str
    packages: tuple[LockedPackage, ...]
    divergences: tuple[Divergence, ...] = ()
    downgrades: tuple[Downgrade, ...] = ()
    changes: tuple[PinChange, ...] = ()
    previous_warnings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class LockReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of locking.

    :param targets: in the user's order
    :param read_lock: reads the lock
    """

    targets: tuple[Target, ...]
    content: LockContent
    read_lock: Callable[[], Pylock]


def list_packages(lock: Pylock) -> tuple[LockedPackage, ...]:
    """The packages of *lock*, in its order."""
    return tuple(
        LockedPackage(
            name=package.name,
            version=str(package.version) if package.version else None,
            marker=str(package.marker) if package.marker else None,
            files=tuple(wheel.filename for wheel in package.wheels or ()),
        )
        for package in lock.packages
    )


def find_divergences(resolutions: Sequence[Resolution]) -> tuple[Divergence, ...]:
    """The projects with several versions, by name."""
    found = []
    for name in sorted({name for each in resolutions for name in each.choices}):
        targets: dict[Version, list[int]] = defaultdict(list)
        choices: dict[Version, Choice] = {}
        for position, resolution in enumerate(resolutions):
            if choice := resolution.choices.get(name):
                targets[choice.version].append(position)
                choices.setdefault(choice.version, choice)
        if len(choices) < 2:
            continue
        *_, newest = versions = sorted(choices)
        skipped = choices[versions[0]].skipped_versions
        reason = next(
            (
                item.describe()
                for item in skipped
                if item.version == newest and item.reason is not Reason.KEPT
            ),
            "",  # also of a version that nothing but the previous lock keeps out
        )
        groups = tuple((str(version), tuple(targets[version])) for version in versions)
        found.append(Divergence(name=name, versions=groups, reason=reason))
    return tuple(found)


def find_downgrades(resolutions: Sequence[Resolution]) -> tuple[Downgrade, ...]:
    """The projects with one version that is older than the newest because of a target, by name.

    Those with several versions are divergences.
    """
    found = []
    for name in sorted({name for each in resolutions for name in each.choices}):
        choices = [
            (position, choice)
            for position, resolution in enumerate(resolutions)
            if (choice := resolution.choices.get(name))
        ]
        if len({choice.version for _, choice in choices}) > 1:
            continue
        targets: dict[str, list[int]] = defaultdict(list)
        for position, choice in choices:
            version = str(choice.version)
            if text := describe_downgrade(name, version, choice.skipped_versions):
                targets[text].append(position)
        found += [
            Downgrade(name=name, targets=tuple(positions), text=text)
            for text, positions in targets.items()
        ]
    return tuple(found)


def find_changes(before: Iterable[_Pin] | None, after: Iterable[_Pin]) -> tuple[PinChange, ...]:
    """The projects whose versions differ between two locks, by name.

    :param before: each project with its version; None if there was no lock
    """
    if before is None:
        return ()
    old, new = _pins(before), _pins(after)
    return tuple(
        PinChange(name=name, before=old.get(name, ()), after=new.get(name, ()))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def render_divergence(divergence: Divergence, targets: Sequence[Target]) -> str:
    """The versions with their targets, a line each, and why they differ.

    :param targets: of the lock, in the user's order
    """
    newest = divergence.versions[-1][0]
    reason = f": {newest} was skipped because {divergence.reason}" if divergence.reason else ""
    lines = [f"{divergence.name} differs between targets{reason}"]
    for version, positions in divergence.versions:
        labels = ", ".join(_label(targets[position]) for position in positions)
        lines.append(f"  {version} for {labels}")
    return "\n".join(lines)


def render_downgrades(downgrades: Sequence[Downgrade], targets: Sequence[Target]) -> str:
    """A line for each; with the targets, unless it is true of all of them.

    :param targets: of the lock, in the user's order
    """
    lines = ["older than the newest because of the target:"]
    for downgrade in downgrades:
        labels = ", ".join(_label(targets[position]) for position in downgrade.targets)
        suffix = f" ({labels})" if len(downgrade.targets) < len(targets) else ""
        lines.append(f"  {downgrade.text}{suffix}")
    return "\n".join(lines)


def _label(target: Target) -> str:
    python = target.runtime_name or f"Python {target.python}"
    return f"{python} {target.arch}"


def render_change(change: PinChange) -> str:
    """A project with its versions before and after, on one line."""
    before, after = ", ".join(change.before), ", ".join(change.after)
    if not before:
        return f"added {change.name} {after}"
    if not after:
        return f"removed {change.name} {before}"
    return f"changed {change.name} {before} -> {after}"


def lock_document(
    report: LockReport,
    *,
    path: str | None,
    differences: Sequence[LockDifference] | None = None,
) -> dict[str, Any]:
    """The result of locking as JSON-ready values.

    :param path: of the lock; None if none was written
    :param differences: of the existing lock from this one; None if they were not compared
    """
    content = report.content
    targets = [target.describe() for target in report.targets]
    return {
        "version": 1,
        "crossdeps": __version__,
        "path": path,
        "targets": [target.to_dict() for target in report.targets],
        "packages": [
            {
                "name": package.name,
                "version": package.version,
                "marker": package.marker,
                "files": list(package.files),
            }
            for package in content.packages
        ],
        "changes": [
            {"name": change.name, "before": list(change.before), "after": list(change.after)}
            for change in content.changes
        ],
        "divergences": [
            {
                "name": each.name,
                "versions": {
                    version: [targets[position] for position in positions]
                    for version, positions in each.versions
                },
                "reason": each.reason or None,
            }
            for each in content.divergences
        ],
        "downgrades": [
            {
                "name": each.name,
                "targets": [targets[position] for position in each.targets],
                "text": each.text,
            }
            for each in content.downgrades
        ],
        "warnings": [*content.previous_warnings, *content.warnings],
        "up_to_date": None if differences is None else not differences,
        "differences": [
            {
                "kind": each.kind,
                "name": each.name or None,
                "before": each.before or None,
                "after": each.after or None,
            }
            for each in differences or ()
        ],
    }


def _pins(packages: Iterable[_Pin]) -> Mapping[NormalizedName, Versions]:
    pins: dict[NormalizedName, set[str]] = {}
    for name, version in packages:
        pins.setdefault(name, set()).add(str(version or "unversioned"))
    return {name: tuple(sorted(versions)) for name, versions in pins.items()}
