"""Differences between two artifacts, or between two locks."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from crossdeps.report.diff.snapshot import (  # noqa: TC001 - `inspect.signature` evaluates annotations
    FileSnapshot,
    ProjectSnapshot,
    Snapshot,
)
from crossdeps.text import plural
from crossdeps.value import Value
from crossdeps.version import __version__

ChangeKind = Literal["added", "removed", "version", "content", "mode"]


class ProjectChange(msgspec.Struct, frozen=True, kw_only=True):
    """A project that was added or removed, or whose version or files differ.

    :param name: normalized; empty for the user's own files
    :param before: None if it was added
    :param after: None if it was removed
    """

    name: str
    kind: ChangeKind
    before: ProjectSnapshot | None
    after: ProjectSnapshot | None

    @property
    def growth(self) -> int | None:
        """Difference in unzipped bytes, or in bytes of the wheel of a lock; None if unknown."""
        return _subtract(_project_size(self.before), _project_size(self.after))


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was added or removed, or whose bytes or permissions differ."""

    path: str
    kind: ChangeKind
    before: FileSnapshot | None
    after: FileSnapshot | None

    @property
    def owner(self) -> str:
        """Normalized name of the project; empty for the user's own files."""
        file = self.after or self.before
        return file.owner if file else ""

    @property
    def growth(self) -> int | None:
        """Difference in bytes; None if unknown."""
        before = self.before.size if self.before else 0
        return _subtract(before, self.after.size if self.after else 0)


class Comparison(Value, frozen=True, kw_only=True):
    """Two artifacts or two locks, and their differences.

    :param projects: that differ, sorted by name
    :param same_projects: how many are identical
    :param files: that differ, sorted by path
    """

    before: Snapshot
    after: Snapshot
    projects: tuple[ProjectChange, ...]
    same_projects: int
    files: tuple[FileChange, ...]

    @property
    def differs(self) -> bool:
        """Whether the contents differ; those of a directory and its zip don't."""
        return bool(self.projects or self.files or self.before.python != self.after.python)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``crossdeps diff``; sizes in bytes."""
        return {
            "version": 1,
            "crossdeps": __version__,
            "differs": self.differs,
            "before": _snapshot_document(self.before),
            "after": _snapshot_document(self.after),
            "projects": [
                {
                    "name": change.name or None,
                    "change": change.kind,
                    "before": _project_document(change.before),
                    "after": _project_document(change.after),
                }
                for change in self.projects
            ],
            "same_projects": self.same_projects,
            "files": [
                {
                    "path": change.path,
                    "owner": change.owner or None,
                    "change": change.kind,
                    "before": _file_document(change.before),
                    "after": _file_document(change.after),
                }
                for change in self.files
            ],
        }

    def __repr__(self) -> str:
        return (
            f"<Comparison of {self.before.name} and {self.after.name}: differences in"
            f" {plural(len(self.projects), 'project')} and {plural(len(self.files), 'file')}>"
        )


def compare_snapshots(before: Snapshot, after: Snapshot) -> Comparison:
    """Find all differences between *before* and *after*."""
    names = sorted({*before.projects, *after.projects})
    projects = []
    for name in names:
        old_project, new_project = before.projects.get(name), after.projects.get(name)
        if kind := _classify(old_project, new_project, version="version", digest="content"):
            projects.append(
                ProjectChange(name=name, kind=kind, before=old_project, after=new_project)
            )
    kinds: dict[str, ChangeKind] = {"digest": "content", "mode": "mode"}
    if before.kind != "lock":  # where the same hash may come with and without a size
        kinds = {"size": "content", **kinds}
    files = []
    for path in sorted({*before.files, *after.files}):
        old_file, new_file = before.files.get(path), after.files.get(path)
        if kind := _classify(old_file, new_file, **kinds):
            files.append(FileChange(path=path, kind=kind, before=old_file, after=new_file))
    return Comparison(
        before=before,
        after=after,
        projects=tuple(projects),
        same_projects=len(names) - len(projects),
        files=tuple(files),
    )


def _classify(before: object, after: object, **kinds: ChangeKind) -> ChangeKind | None:
    """Tell the kind of a change; *kinds* are attributes with the kind of a change in them."""
    if before is None:
        return "added"
    if after is None:
        return "removed"
    differing = (k for a, k in kinds.items() if getattr(before, a) != getattr(after, a))
    return next(differing, None)


def _project_size(project: ProjectSnapshot | None) -> int | None:
    if project is None:
        return 0
    return project.compressed if project.size is None else project.size


def _subtract(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "kind": snapshot.kind,
        "prefix": snapshot.prefix or None,
        "unzipped": snapshot.size,
        "compressed": snapshot.compressed,
        "projects": sum(1 for name in snapshot.projects if name),
        "files": len(snapshot.files),
        "architectures": list(snapshot.machines),
        "glibc": snapshot.glibc or None,
        "requires_python": snapshot.python or None,
    }


def _project_document(project: ProjectSnapshot | None) -> dict[str, Any] | None:
    if project is None:
        return None
    return {
        "version": project.version or None,
        "unzipped": project.size,
        "compressed": project.compressed,
    }


def _file_document(file: FileSnapshot | None) -> dict[str, Any] | None:
    if file is None:
        return None
    return {
        "size": file.size,
        "sha256": file.sha256 or None,
        "mode": f"{file.mode:04o}" if file.mode else None,
    }
