"""A comparison as text for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from crossdeps.report.figures import figures_of, signed_size
from crossdeps.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.report.comparison import Comparison, FileChange, ProjectChange

SIGNS = {"added": "+", "removed": "-", "version": "~", "content": "~", "mode": "~"}
OWN_FILES_LABEL = "own files"
_COUNTED = {
    "added": "added",
    "removed": "removed",
    "version": "in another version",
    "content": "changed",
    "mode": "with other permissions",
}


def render_comparison(comparison: Comparison, *, most_files: int | None = 20) -> str:
    """What differs: figures, projects, and the files that grew or shrank most.

    :param most_files: how many files are listed; None lists all
    """
    before, after = visible(comparison.before.name), visible(comparison.after.name)
    blocks = [f"{before} -> {after}", _figures(comparison)]
    if not comparison.differs:
        blocks.append("They hold the same.")
    if comparison.projects:
        head = (
            f"Projects: {count_changes(comparison.projects)}, {comparison.same_projects} the same"
        )
        rows = [_project_row(change) for change in comparison.projects]
        blocks.append(f"{head}\n{_table(rows)}")
    if comparison.files:
        blocks.append(_files(comparison.files, most_files))
    return "\n\n".join(blocks) + "\n"


def count_changes(changes: Iterable[ProjectChange | FileChange]) -> str:
    """How many of each kind, such as ``1 added, 2 changed``."""
    counts: Counter[str] = Counter(change.kind for change in changes)
    return ", ".join(f"{counts[kind]:,} {word}" for kind, word in _COUNTED.items() if counts[kind])


def describe_project(change: ProjectChange) -> tuple[str, str]:
    """Its name for people, and what happened to its version or files."""
    name = visible(change.name) or OWN_FILES_LABEL
    before = visible(change.before.version) if change.before else ""
    after = visible(change.after.version) if change.after else ""
    if change.kind == "version":
        return name, f"{before} -> {after}"
    if change.kind == "content":
        return name, f"{after} (other files)" if after else "changed"
    return name, after or before


def describe_file(change: FileChange) -> str:
    """What happened to a file beside its size."""
    if change.kind == "mode" and change.before and change.after:
        return f"{change.before.mode:04o} -> {change.after.mode:04o}"
    return signed_size(change.growth)


def biggest_changes(changes: Sequence[FileChange], most: int | None) -> list[FileChange]:
    """Those that grew or shrank most, at most *most* of them, by path where they are equal."""
    ordered = sorted(changes, key=lambda change: (-abs(change.growth or 0), change.path))
    return ordered[:most]


def _figures(comparison: Comparison) -> str:
    rows = [
        (figure.label, figure.before, figure.after, figure.change)
        for figure in figures_of(comparison)
    ]
    return _table([("", "before", "after", ""), *rows])


def _project_row(change: ProjectChange) -> tuple[str, ...]:
    name, versions = describe_project(change)
    return (f"{SIGNS[change.kind]} {name}", versions, signed_size(change.growth))


def _files(changes: Sequence[FileChange], most: int | None) -> str:
    shown = biggest_changes(changes, most)
    rows = [
        (f"{SIGNS[change.kind]} {visible(change.path)}", describe_file(change)) for change in shown
    ]
    lines = [f"Files: {count_changes(changes)}", _table(rows)]
    if len(shown) < len(changes):
        lines.append(f"  and {len(changes) - len(shown):,} more: -v lists all")
    return "\n".join(lines)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return "\n".join(lines)
