"""The figures that two artifacts or locks are compared by, as text for a table.

Names of an artifact's files are anybody's text. They are shown as code, and nothing in them can
end the code, break a table, mention a user or load an image.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.text import human_size, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.report.diff.comparison import Comparison, FileChange, ProjectChange
    from crossdeps.report.diff.snapshot import Snapshot

NOTHING = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One row: what is measured, and its text on each side.

    :param change: such as ``+1.2 MB``; empty where nothing changed or no difference can be told
    """

    label: str
    before: str
    after: str
    change: str = ""


def build_figures(comparison: Comparison) -> tuple[Figure, ...]:
    """Sizes, counts, architecture and glibc of both; what neither knows is left out."""
    before, after = comparison.before, comparison.after
    is_lock = before.kind == "lock"
    rows = [
        _sized("unzipped", before.size, after.size),
        _sized("wheels" if is_lock else "zipped", before.compressed, after.compressed),
        _counted("projects", _projects(before), _projects(after)),
        _counted("files", len(before.files), len(after.files)),
        _said("architecture", ", ".join(before.machines), ", ".join(after.machines)),
        _said("glibc needed", before.glibc, after.glibc),
        _said("Python", before.python, after.python),
    ]
    return tuple(row for row in rows if row)


def signed_size(size: int | None) -> str:
    """A growth in bytes with its sign; empty where it is unknown or nothing.

    >>> signed_size(1_500), signed_size(-20), signed_size(0), signed_size(None)
    ('+1.5 kB', '-20 B', '', '')
    """
    if not size:
        return ""
    return f"{'+' if size > 0 else '-'}{human_size(abs(size))}"


def _projects(snapshot: Snapshot) -> int:
    return sum(1 for name in snapshot.projects if name)


def _sized(label: str, before: int | None, after: int | None) -> Figure | None:
    if before is None and after is None:
        return None
    change = "" if before is None or after is None else signed_size(after - before)
    return Figure(
        label=label,
        before=NOTHING if before is None else human_size(before),
        after=NOTHING if after is None else human_size(after),
        change=change,
    )


def _counted(label: str, before: int, after: int) -> Figure:
    change = f"{after - before:+,}" if after != before else ""
    return Figure(label=label, before=f"{before:,}", after=f"{after:,}", change=change)


def _said(label: str, before: str, after: str) -> Figure | None:
    if not before and not after:
        return None
    return Figure(label=label, before=before or NOTHING, after=after or NOTHING)


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
    before, after = printable(comparison.before.name), printable(comparison.after.name)
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
    name = printable(change.name) or OWN_FILES_LABEL
    before = printable(change.before.version) if change.before else ""
    after = printable(change.after.version) if change.after else ""
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
        for figure in build_figures(comparison)
    ]
    return _table([("", "before", "after", ""), *rows])


def _project_row(change: ProjectChange) -> tuple[str, ...]:
    name, versions = describe_project(change)
    return (f"{SIGNS[change.kind]} {name}", versions, signed_size(change.growth))


def _files(changes: Sequence[FileChange], most: int | None) -> str:
    shown = biggest_changes(changes, most)
    rows = [
        (f"{SIGNS[change.kind]} {printable(change.path)}", describe_file(change))
        for change in shown
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


# A comment on GitHub may have 65,536 characters: what each of the two tables may take of them.
LONGEST_TABLE = 28_000
MOST_FILES = 100
_LONGEST_NAME = 200
_NAME = r"A-Za-z0-9./_+,=@^~(){}*>\[\]#:!%&';-"
_PLAIN = re.compile(f"[{_NAME}]([ {_NAME}]*[{_NAME}])?")
_WORDS = {
    "added": "added", "removed": "removed", "version": "version", "content": "changed",
    "mode": "permissions",
}  # fmt: skip


def render_comparison_markdown(comparison: Comparison) -> str:
    """What differs, in GitHub's flavour of Markdown, short enough for one comment."""
    before, after = code(comparison.before.name), code(comparison.after.name)
    blocks = [f"### {before} → {after}", _markdown_figures(comparison)]
    if not comparison.differs:
        blocks.append("They hold the same.")
    if comparison.projects:
        blocks.append(_markdown_projects(comparison.projects, comparison.same_projects))
    if comparison.files:
        blocks.append(_markdown_files(comparison.files))
    return "\n\n".join(blocks) + "\n"


def code(text: str) -> str:
    """*text* as Markdown code, whatever is in it; cut where it is longer than a line can bear.

    >>> code("numpy/_core.py"), code("a`|b")
    ('`numpy/_core.py`', '<code>a&#96;&#124;b</code>')
    """
    shown = printable(text)
    if len(shown) > _LONGEST_NAME:
        shown = f"{shown[: _LONGEST_NAME // 2]}…{shown[-_LONGEST_NAME // 2 :]}"
    if _PLAIN.fullmatch(shown):
        return f"`{shown}`"
    # CommonMark takes what a numeric reference stands for as text, never as markup.
    escaped = "".join(
        character if character.isalnum() else f"&#{ord(character)};" for character in shown
    )
    return f"<code>{escaped}</code>"


def _markdown_figures(comparison: Comparison) -> str:
    rows = [
        (figure.label, _cell(figure.before), _cell(figure.after), figure.change)
        for figure in build_figures(comparison)
    ]
    return _markdown_table(("", "before", "after", "change"), "lrrr", rows)


def _cell(text: str) -> str:
    """A figure: plain where it is a number with a unit, else code."""
    return text if re.fullmatch(r"-|[0-9][0-9.,]*( (B|kB|MB|GB))?", text) else code(text)


def _markdown_projects(changes: Sequence[ProjectChange], same: int) -> str:
    head = f"**Projects**: {count_changes(changes)}, {same:,} the same"
    rows = []
    for change in changes:
        name, _ = describe_project(change)
        rows.append((
            code(name) if change.name else name,
            _WORDS[change.kind],
            code(change.before.version) if change.before and change.before.version else "",
            code(change.after.version) if change.after and change.after.version else "",
            signed_size(change.growth),
        ))  # fmt: skip
    shown = _fitting(rows)
    table = _markdown_table(("project", "", "before", "after", "size"), "llllr", shown)
    return "\n\n".join([head, table, *_more(len(changes) - len(shown))])


def _markdown_files(changes: Sequence[FileChange]) -> str:
    biggest = biggest_changes(changes, MOST_FILES)
    shown = _fitting([
        (code(change.path), _WORDS[change.kind], describe_file(change)) for change in biggest
    ])  # fmt: skip
    summary = f"<details><summary>Files: {count_changes(changes)}</summary>"
    table = _markdown_table(("file", "", "size"), "llr", shown)
    return "\n\n".join([summary, table, *_more(len(changes) - len(shown)), "</details>"])


def _fitting(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The first of *rows*, as many as one table may have."""
    room = LONGEST_TABLE
    shown = []
    for row in rows:
        room -= sum(len(cell) + 3 for cell in row) + 2
        if room < 0:
            break
        shown.append(row)
    return shown


def _more(number: int) -> list[str]:
    return [f"and {number:,} more"] if number > 0 else []


def _markdown_table(head: tuple[str, ...], alignment: str, rows: Sequence[tuple[str, ...]]) -> str:
    rule = tuple({"l": "---", "r": "--:"}[side] for side in alignment)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
