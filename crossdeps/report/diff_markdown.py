"""A comparison as Markdown for a pull request.

Names of an artifact's files are anybody's text. They are shown as code, and nothing in them can
end the code, break a table, mention a user or load an image.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossdeps.report.diff_text import (
    biggest_changes,
    count_changes,
    describe_file,
    describe_project,
)
from crossdeps.report.figures import figures_of, signed_size
from crossdeps.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.report.comparison import Comparison, FileChange, ProjectChange

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
    blocks = [f"### {before} → {after}", _figures(comparison)]
    if not comparison.differs:
        blocks.append("They hold the same.")
    if comparison.projects:
        blocks.append(_projects(comparison.projects, comparison.same_projects))
    if comparison.files:
        blocks.append(_files(comparison.files))
    return "\n\n".join(blocks) + "\n"


def code(text: str) -> str:
    """*text* as Markdown code, whatever is in it; cut where it is longer than a line can bear.

    >>> code("numpy/_core.py"), code("a`|b")
    ('`numpy/_core.py`', '<code>a&#96;&#124;b</code>')
    """
    shown = visible(text)
    if len(shown) > _LONGEST_NAME:
        shown = f"{shown[: _LONGEST_NAME // 2]}…{shown[-_LONGEST_NAME // 2 :]}"
    if _PLAIN.fullmatch(shown):
        return f"`{shown}`"
    # CommonMark takes what a numeric reference stands for as text, never as markup.
    escaped = "".join(
        character if character.isalnum() else f"&#{ord(character)};" for character in shown
    )
    return f"<code>{escaped}</code>"


def _figures(comparison: Comparison) -> str:
    rows = [
        (figure.label, _cell(figure.before), _cell(figure.after), figure.change)
        for figure in figures_of(comparison)
    ]
    return _table(("", "before", "after", "change"), "lrrr", rows)


def _cell(text: str) -> str:
    """A figure: plain where it is a number with a unit, else code."""
    return text if re.fullmatch(r"-|[0-9][0-9.,]*( (B|kB|MB|GB))?", text) else code(text)


def _projects(changes: Sequence[ProjectChange], same: int) -> str:
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
    table = _table(("project", "", "before", "after", "size"), "llllr", shown)
    return "\n\n".join([head, table, *_more(len(changes) - len(shown))])


def _files(changes: Sequence[FileChange]) -> str:
    biggest = biggest_changes(changes, MOST_FILES)
    shown = _fitting([
        (code(change.path), _WORDS[change.kind], describe_file(change)) for change in biggest
    ])  # fmt: skip
    summary = f"<details><summary>Files: {count_changes(changes)}</summary>"
    table = _table(("file", "", "size"), "llr", shown)
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


def _table(head: tuple[str, ...], alignment: str, rows: Sequence[tuple[str, ...]]) -> str:
    rule = tuple({"l": "---", "r": "--:"}[side] for side in alignment)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
