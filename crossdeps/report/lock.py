"""The report of a lock: its packages, changes, and projects whose versions differ by target."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.resolution.model import Choice, Resolution
    from crossdeps.target.model import Target

Versions = tuple[str, ...]


class PinChange(msgspec.Struct, frozen=True, kw_only=True):
    """A project whose versions differ from those of the previous lock.

    :param before: sorted, empty for a new project; likewise *after* for a removed one
    """

    name: NormalizedName
    before: Versions
    after: Versions


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is locked in several versions.

    :param versions: oldest first, with the targets of each
    :param reason: why the oldest was not replaced by the newest; empty if unknown
    """

    name: NormalizedName
    versions: tuple[tuple[str, tuple[Target, ...]], ...]
    reason: str = ""


class LockReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of locking.

    :param resolutions: one for each target, in the user's order
    :param changes: from the previous lock; empty if there was none
    :param warnings: one sentence each
    """

    lock: Pylock
    resolutions: tuple[Resolution, ...]
    divergences: tuple[Divergence, ...] = ()
    changes: tuple[PinChange, ...] = ()
    warnings: tuple[str, ...] = ()


def find_divergences(resolutions: Sequence[Resolution]) -> tuple[Divergence, ...]:
    """The projects with several versions, by name."""
    found = []
    for name in sorted({name for each in resolutions for name in each.choices}):
        targets: dict[Version, list[Target]] = defaultdict(list)
        choices: dict[Version, Choice] = {}
        for resolution in resolutions:
            if choice := resolution.choices.get(name):
                targets[choice.version].append(resolution.target)
                choices.setdefault(choice.version, choice)
        if len(choices) < 2:
            continue
        *_, newest = versions = sorted(choices)
        skipped = choices[versions[0]].skipped_versions
        reason = next((item.describe() for item in skipped if item.version == newest), "")
        groups = tuple((str(version), tuple(targets[version])) for version in versions)
        found.append(Divergence(name=name, versions=groups, reason=reason))
    return tuple(found)


def find_changes(before: Pylock | None, after: Pylock) -> tuple[PinChange, ...]:
    """The projects whose versions differ between two locks, by name."""
    if before is None:
        return ()
    old, new = _pins(before), _pins(after)
    return tuple(
        PinChange(name=name, before=old.get(name, ()), after=new.get(name, ()))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def render_divergence(divergence: Divergence) -> str:
    """The versions with their targets, a line each, and why they differ."""
    newest = divergence.versions[-1][0]
    reason = f": {newest} was skipped because {divergence.reason}" if divergence.reason else ""
    lines = [f"{divergence.name} differs between targets{reason}"]
    for version, targets in divergence.versions:
        lines.append(f"  {version} for {', '.join(map(_label, targets))}")
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


def lock_document(report: LockReport, *, path: str | None) -> dict[str, Any]:
    """The result of locking as JSON-ready values.

    :param path: of the lock; None if none was written
    """
    return {
        "version": 1,
        "crossdeps": __version__,
        "path": path,
        "targets": [each.target.describe() for each in report.resolutions],
        "packages": [
            {
                "name": package.name,
                "version": str(package.version) if package.version else None,
                "marker": str(package.marker) if package.marker else None,
                "files": [wheel.filename for wheel in package.wheels or ()],
            }
            for package in report.lock.packages
        ],
        "changes": [
            {"name": change.name, "before": list(change.before), "after": list(change.after)}
            for change in report.changes
        ],
        "divergences": [
            {
                "name": each.name,
                "versions": {
                    version: [target.describe() for target in targets]
                    for version, targets in each.versions
                },
                "reason": each.reason or None,
            }
            for each in report.divergences
        ],
        "warnings": list(report.warnings),
    }


def _pins(lock: Pylock) -> Mapping[NormalizedName, Versions]:
    pins: dict[NormalizedName, set[str]] = {}
    for package in lock.packages:
        pins.setdefault(package.name, set()).add(str(package.version or "unversioned"))
    return {name: tuple(sorted(versions)) for name, versions in pins.items()}
