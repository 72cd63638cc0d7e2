"""A comparison as text for terminals and as Markdown for comments on GitHub.

Names in an artifact can contain anything. In Markdown they are code, and nothing in them can end
the code, break a table, mention a user or load an image.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from crossdeps.report.diff.snapshot import OWN_FILES_LABEL
from crossdeps.text import format_table, human_size, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.report.diff.comparison import Comparison, FileChange, ProjectChange
    from crossdeps.report.diff.snapshot import Snapshot

    Row = tuple[str, ...]

_UNKNOWN = "-"
_SIGNS = {"added": "+", "removed": "-", "version": "~", "content": "~", "mode": "~"}
_COUNTED = {
    "added": "added",
    "removed": "removed",
    "version": "in another version",
    "content": "changed",
    "mode": "with other permissions",
}

# A comment on GitHub may have 65,536 characters: the share of each of the two tables.
LONGEST_TABLE = 28_000
_MOST_MARKDOWN_FILES = 100
_LONGEST_NAME = 200
_MARKDOWN_KINDS = _COUNTED | {"version": "version", "mode": "permissions"}


def render_comparison(comparison: Comparison, *, most_files: int | None = 20) -> str:
    """Render the figures, the projects, and the files that grew or shrank most, as text.

    :param most_files: how many files to list; None lists all
    """
    before, after = map(_describe_side, (comparison.before, comparison.after))
    figures = format_table([("", "before", "after", ""), *build_figures(comparison)])
    blocks = [f"{before} -> {after}", figures]
    if not comparison.differs:
        blocks.append("The contents are identical.")
    if projects := comparison.projects:
        rows = [
            (
                f"{_SIGNS[change.kind]} {_name(change)}",
                _describe(change),
                signed_size(change.growth),
            )
            for change in projects
        ]
        title = f"Projects: {_count(projects)}, {comparison.same_projects} the same"
        blocks.append(f"{title}\n{format_table(rows)}")
    if files := comparison.files:
        largest = _find_largest(files, most_files)
        file_rows = [
            (f"{_SIGNS[change.kind]} {printable(change.path)}", _describe_file(change))
            for change in largest
        ]
        lines = [f"Files: {_count(files)}", format_table(file_rows)]
        if len(largest) < len(files):
            lines.append(f"  and {len(files) - len(largest):,} more: -v lists all")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _describe_side(snapshot: Snapshot) -> str:
    where = f" ({snapshot.prefix})" if snapshot.prefix else ""
    return printable(f"{snapshot.name}{where}")


def render_comparison_markdown(comparison: Comparison) -> str:
    """Render a comparison in GitHub Flavored Markdown, short enough for one comment."""
    before, after = markdown_code(comparison.before.name), markdown_code(comparison.after.name)
    figures = [
        (label, _markdown_figure(old), _markdown_figure(new), change)
        for label, old, new, change in build_figures(comparison)
    ]
    table = _markdown_table(("", "before", "after", "change"), "lrrr", figures)
    blocks = [f"### {before} → {after}", table]
    blocks += [
        f"Paths are relative to {markdown_code(side.prefix)} in {markdown_code(side.name)}."
        for side in (comparison.before, comparison.after)
        if side.prefix
    ]
    if not comparison.differs:
        blocks.append("The contents are identical.")
    if comparison.projects:
        blocks.append(_render_markdown_projects(comparison.projects, comparison.same_projects))
    if comparison.files:
        blocks.append(_render_markdown_files(comparison.files))
    return "\n\n".join(blocks) + "\n"


def build_figures(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """Build a row for each size, count or requirement that either side has.

    :returns: label, text before, text after, and change such as ``+1.2 MB``, empty if there is none
    """
    before, after = comparison.before, comparison.after
    projects = [sum(1 for name in side.projects if name) for side in (before, after)]
    zipped = "wheels" if before.kind == "lock" else "zipped"
    machines = (", ".join(before.machines), ", ".join(after.machines))
    rows = [
        ("unzipped", *_compare_sizes(before.size, after.size)),
        (zipped, *_compare_sizes(before.compressed, after.compressed)),
        ("projects", *_compare_counts(*projects)),
        ("files", *_compare_counts(len(before.files), len(after.files))),
        ("architecture", *machines, ""),
        ("glibc needed", before.glibc, after.glibc, ""),
        ("Python", before.python, after.python, ""),
    ]
    return [
        (label, old or _UNKNOWN, new or _UNKNOWN, change)
        for label, old, new, change in rows
        if old or new
    ]


def _compare_sizes(before: int | None, after: int | None) -> tuple[str, str, str]:
    old, new = ("" if size is None else human_size(size) for size in (before, after))
    return old, new, "" if before is None or after is None else signed_size(after - before)


def _compare_counts(before: int, after: int) -> tuple[str, str, str]:
    return f"{before:,}", f"{after:,}", f"{after - before:+,}" if after != before else ""


def signed_size(size: int | None) -> str:
    """Format a growth in bytes with its sign; empty for unknown or zero.

    >>> signed_size(1_500), signed_size(-20), signed_size(0), signed_size(None)
    ('+1.5 kB', '-20 B', '', '')
    """
    if not size:
        return ""
    return f"{'+' if size > 0 else '-'}{human_size(abs(size))}"


def _count(changes: Iterable[ProjectChange | FileChange]) -> str:
    """Count the changes of each kind, such as ``1 added, 2 changed``."""
    counts: Counter[str] = Counter(change.kind for change in changes)
    return ", ".join(f"{counts[kind]:,} {word}" for kind, word in _COUNTED.items() if counts[kind])


def _name(change: ProjectChange) -> str:
    return printable(change.name) or OWN_FILES_LABEL


def _describe(change: ProjectChange) -> str:
    """Describe the change of a project's version or files."""
    before = printable(change.before.version) if change.before else ""
    after = printable(change.after.version) if change.after else ""
    if change.kind == "version":
        return f"{before} -> {after}"
    if change.kind == "content":
        return f"{after} (other files)" if after else "changed"
    return after or before


def _describe_file(change: FileChange) -> str:
    """Describe the change of a file's permissions or size."""
    if change.kind == "mode" and change.before and change.after:
        return f"{change.before.mode:04o} -> {change.after.mode:04o}"
    return signed_size(change.growth)


def _find_largest(changes: Iterable[FileChange], limit: int | None) -> list[FileChange]:
    """Find the files that grew or shrank most, by path where they are equal."""
    ordered = sorted(changes, key=lambda change: (-abs(change.growth or 0), change.path))
    return ordered[:limit]


def markdown_code(text: str) -> str:
    """Write *text* as Markdown code, whatever it contains, cut in the middle if it is very long.

    >>> markdown_code("numpy/_core.py"), markdown_code("a`|b")
    ('`numpy/_core.py`', '<code>a&#96;&#124;b</code>')
    """
    shown = printable(text)
    if len(shown) > _LONGEST_NAME:
        shown = f"{shown[: _LONGEST_NAME // 2]}…{shown[-_LONGEST_NAME // 2 :]}"
    plain = r"A-Za-z0-9./_+,=@^~(){}*>\[\]#:!%&';-"
    if re.fullmatch(f"[{plain}]([ {plain}]*[{plain}])?", shown):
        return f"`{shown}`"
    # CommonMark takes what a numeric reference stands for as text, never as markup.
    escaped = "".join(
        character if character.isalnum() else f"&#{ord(character)};" for character in shown
    )
    return f"<code>{escaped}</code>"


def _markdown_figure(text: str) -> str:
    """A number with a unit as it is, anything else as code."""
    return text if re.fullmatch(r"-|[0-9][0-9.,]*( (B|kB|MB|GB))?", text) else markdown_code(text)


def _render_markdown_projects(changes: Sequence[ProjectChange], same: int) -> str:
    rows = [
        (
            markdown_code(change.name) if change.name else OWN_FILES_LABEL,
            _MARKDOWN_KINDS[change.kind],
            *(
                markdown_code(side.version) if side and side.version else ""
                for side in (change.before, change.after)
            ),
            signed_size(change.growth),
        )
        for change in changes
    ]
    head = ("project", "", "before", "after", "size")
    title = f"**Projects**: {_count(changes)}, {same:,} the same"
    return "\n\n".join([title, *_markdown_blocks(head, "llllr", rows, len(rows))])


def _render_markdown_files(changes: Sequence[FileChange]) -> str:
    rows = [
        (markdown_code(change.path), _MARKDOWN_KINDS[change.kind], _describe_file(change))
        for change in _find_largest(changes, _MOST_MARKDOWN_FILES)
    ]
    title = f"<details><summary>Files: {_count(changes)}</summary>"
    blocks = _markdown_blocks(("file", "", "size"), "llr", rows, len(changes))
    return "\n\n".join([title, *blocks, "</details>"])


def _markdown_blocks(head: Row, alignment: str, rows: Sequence[Row], total: int) -> list[str]:
    """Build a table of as many of *rows* as fit and, if there are more in *total*, their number."""
    room = LONGEST_TABLE
    fitting = []
    for row in rows:
        room -= sum(len(cell) + 3 for cell in row) + 2
        if room < 0:
            break
        fitting.append(row)
    rest = total - len(fitting)
    return [_markdown_table(head, alignment, fitting), *([f"and {rest:,} more"] if rest else [])]


def _markdown_table(head: Row, alignment: str, rows: Sequence[Row]) -> str:
    rule = tuple({"l": "---", "r": "--:"}[side] for side in alignment)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
