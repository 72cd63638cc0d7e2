"""A comparison as a JSON document; its keys are a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.report.comparison import Comparison, FileChange, ProjectChange
    from crossdeps.report.snapshot import Held, HeldFile, Snapshot


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """What differs, as JSON-ready values; sizes in bytes."""
    return {
        "version": 1,
        "crossdeps": __version__,
        "differs": comparison.differs,
        "before": _side(comparison.before),
        "after": _side(comparison.after),
        "projects": [_project(change) for change in comparison.projects],
        "same_projects": comparison.same_projects,
        "files": [_file(change) for change in comparison.files],
    }


def _side(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "kind": snapshot.kind,
        "unzipped": snapshot.size,
        "compressed": snapshot.compressed,
        "projects": sum(1 for name in snapshot.projects if name),
        "files": len(snapshot.files),
        "architectures": list(snapshot.machines),
        "glibc": snapshot.glibc or None,
        "requires_python": snapshot.python or None,
    }


def _project(change: ProjectChange) -> dict[str, Any]:
    return {
        "name": change.name or None,
        "change": change.kind,
        "before": _held(change.before),
        "after": _held(change.after),
    }


def _held(held: Held | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {
        "version": held.version or None,
        "unzipped": held.size,
        "compressed": held.compressed,
    }


def _file(change: FileChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "owner": change.owner or None,
        "change": change.kind,
        "before": _held_file(change.before),
        "after": _held_file(change.after),
    }


def _held_file(held: HeldFile | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {
        "size": held.size,
        "sha256": held.digest or None,
        "mode": f"{held.mode:04o}" if held.mode else None,
    }
