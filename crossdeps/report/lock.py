"""What a lock holds, what is new in it, and where its targets go different ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossdeps.resolution.explain.skipped import describe_reason
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from crossdeps.resolution.model import Resolution
    from crossdeps.target.model import Target

Versions = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PinChange:
    """A project whose pins differ from those of the lock before; empty where there are none.

    :param before: versions, sorted; likewise *after*
    """

    name: NormalizedName
    before: Versions
    after: Versions


@dataclass(frozen=True, kw_only=True, slots=True)
class Divergence:
    """A project that not all targets can have in one version.

    :param versions: oldest first, with the targets that take each
    :param reason: why the oldest isn't newer, in words; empty if that isn't known
    """

    name: NormalizedName
    versions: tuple[tuple[str, tuple[Target, ...]], ...]
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LockReport:
    """The result of locking.

    :param resolutions: one for each target, in the order in which they were named
    :param changes: against the lock before; empty where there was none
    :param warnings: what the user should know, one sentence each
    """

    lock: Pylock
    resolutions: tuple[Resolution, ...]
    divergences: tuple[Divergence, ...] = ()
    changes: tuple[PinChange, ...] = ()
    warnings: tuple[str, ...] = ()


def find_divergences(resolutions: Sequence[Resolution]) -> tuple[Divergence, ...]:
    """The projects that are chosen in several versions, by name."""
    found = []
    for name in sorted({name for each in resolutions for name in each.choices}):
        taken = [(each.target, each.choices[name]) for each in resolutions if name in each.choices]
        versions = sorted({choice.version for _, choice in taken})
        if len(versions) < 2:
            continue
        oldest = next(choice for _, choice in taken if choice.version == versions[0])
        against = [item for item in oldest.skipped_versions if item.version == versions[-1]]
        found.append(
            Divergence(
                name=name,
                versions=tuple(
                    (str(one), tuple(target for target, choice in taken if choice.version == one))
                    for one in versions
                ),
                reason=describe_reason(against[0]) if against else "",
            )
        )
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
    """Which target takes which version, a line each, and why."""
    newest = divergence.versions[-1][0]
    why = f"; of {newest}, {divergence.reason}" if divergence.reason else ""
    lines = [f"{divergence.name} can't be the same everywhere{why}"]
    for version, targets in divergence.versions:
        lines.append(f"  {version} for {', '.join(map(_label, targets))}")
    return "\n".join(lines)


def _label(target: Target) -> str:
    python = target.runtime_name or f"Python {target.python}"
    return f"{python} {target.arch}"


def render_change(change: PinChange) -> str:
    """One line: a project with its versions before and after."""
    before, after = ", ".join(change.before), ", ".join(change.after)
    if not before:
        return f"added {change.name} {after}"
    if not after:
        return f"removed {change.name} {before}"
    return f"changed {change.name} {before} -> {after}"


def lock_document(report: LockReport, *, path: str | None) -> dict[str, Any]:
    """The result of locking as JSON-ready values.

    :param path: where the lock was written; None if it wasn't
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
