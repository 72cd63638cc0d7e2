"""What differs between two artifacts, or two locks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.report.diff.snapshot import FileSnapshot, ProjectSnapshot, Snapshot

ProjectChangeKind = Literal["added", "removed", "version", "content"]
FileChangeKind = Literal["added", "removed", "content", "mode"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectChange:
    """A project that only one of two holds, or both in another version or with other files.

    :param name: normalised; empty for files of no project, which are the user's own
    :param before: None where it was added
    :param after: None where it was removed
    """

    name: str
    kind: ProjectChangeKind
    before: ProjectSnapshot | None
    after: ProjectSnapshot | None

    @property
    def growth(self) -> int | None:
        """Bytes that it grew by, inflated, or of its wheel in locks; None where it isn't known."""
        sizes = [_size(held) for held in (self.before, self.after)]
        before, after = sizes
        return after - before if before is not None and after is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """A file that only one of two holds, or both with other bytes or permissions."""

    path: str
    kind: FileChangeKind
    before: FileSnapshot | None
    after: FileSnapshot | None

    @property
    def owner(self) -> str:
        """Normalised name of the project; empty for the user's own."""
        held = self.after or self.before
        return held.owner if held else ""

    @property
    def growth(self) -> int | None:
        """Bytes that it grew by; None where it isn't known."""
        before = self.before.size if self.before else 0
        after = self.after.size if self.after else 0
        return after - before if before is not None and after is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two artifacts or two locks, and what differs.

    :param projects: that differ, sorted by name
    :param same_projects: how many don't
    :param files: that differ, sorted by path
    """

    before: Snapshot
    after: Snapshot
    projects: tuple[ProjectChange, ...]
    same_projects: int
    files: tuple[FileChange, ...]

    @property
    def differs(self) -> bool:
        """Whether what they hold isn't the same; a directory and its zip are."""
        return bool(self.projects or self.files or self.before.python != self.after.python)


def compare_snapshots(before: Snapshot, after: Snapshot) -> Comparison:
    """Everything that differs between *before* and *after*."""
    names = sorted({*before.projects, *after.projects})
    projects = [
        change
        for name in names
        if (change := _project(name, before.projects.get(name), after.projects.get(name)))
    ]
    files = [
        found
        for path in sorted({*before.files, *after.files})
        if (found := _file(path, before.files.get(path), after.files.get(path)))
    ]
    return Comparison(
        before=before,
        after=after,
        projects=tuple(projects),
        same_projects=len(names) - len(projects),
        files=tuple(files),
    )


def _project(
    name: str, before: ProjectSnapshot | None, after: ProjectSnapshot | None
) -> ProjectChange | None:
    kind: ProjectChangeKind
    if before is None:
        kind = "added"
    elif after is None:
        kind = "removed"
    elif before.version != after.version:
        kind = "version"
    elif before.digest != after.digest:
        kind = "content"
    else:
        return None
    return ProjectChange(name=name, kind=kind, before=before, after=after)


def _file(path: str, before: FileSnapshot | None, after: FileSnapshot | None) -> FileChange | None:
    kind: FileChangeKind
    if before is None:
        kind = "added"
    elif after is None:
        kind = "removed"
    elif before.digest != after.digest:
        kind = "content"
    elif before.mode != after.mode:
        kind = "mode"
    else:
        return None
    return FileChange(path=path, kind=kind, before=before, after=after)


def _size(held: ProjectSnapshot | None) -> int | None:
    if held is None:
        return 0
    return held.compressed if held.size is None else held.size


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """What differs, as JSON-ready values; sizes in bytes."""
    return {
        "version": 1,
        "crossdeps": __version__,
        "differs": comparison.differs,
        "before": _side(comparison.before),
        "after": _side(comparison.after),
        "projects": [_project_document(change) for change in comparison.projects],
        "same_projects": comparison.same_projects,
        "files": [_file_document(change) for change in comparison.files],
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


def _project_document(change: ProjectChange) -> dict[str, Any]:
    return {
        "name": change.name or None,
        "change": change.kind,
        "before": _held(change.before),
        "after": _held(change.after),
    }


def _held(held: ProjectSnapshot | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {
        "version": held.version or None,
        "unzipped": held.size,
        "compressed": held.compressed,
    }


def _file_document(change: FileChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "owner": change.owner or None,
        "change": change.kind,
        "before": _held_file(change.before),
        "after": _held_file(change.after),
    }


def _held_file(held: FileSnapshot | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {
        "size": held.size,
        "sha256": held.digest or None,
        "mode": f"{held.mode:04o}" if held.mode else None,
    }
