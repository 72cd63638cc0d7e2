"""The style of the page: light and dark, each pair of text and ground readable.

Names in an artifact are anybody's text: each is escaped, and the page's own policy forbids it
everything but its style.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from crossdeps.report.inspect.inspection import group_by_folder
from crossdeps.report.inspect.inspection_text import OWN_FILES_LABEL, describe_binaries
from crossdeps.report.inspect.size_map import COLOURS, render_map, size_tree
from crossdeps.text import human_size, printable
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.report.inspect.inspection import Folder, Inspection, ProjectShare

# Grounds of the ten groups; text on them is the page's own, with a contrast of 7 or more.
LIGHT_GROUNDS = (
    "#b9d4f1", "#f7cfa6", "#bfe3bd", "#f3bfc4", "#d9caee",
    "#f2e3a0", "#b4e1dd", "#efc6e3", "#d8dcc0", "#cfd8e3",
)  # fmt: skip
DARK_GROUNDS = (
    "#1f4467", "#6a4114", "#23532a", "#6b2831", "#493471",
    "#584a0f", "#17524f", "#622c56", "#454a2b", "#36424f",
)  # fmt: skip
LIGHT_TEXT, LIGHT_PAGE = "#16191d", "#ffffff"
DARK_TEXT, DARK_PAGE = "#eef1f4", "#15181c"

_RULES = """
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1240px; padding: 24px 20px 60px; color: var(--text);
  background: var(--page); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
h1 { font-size: 24px; margin: 0 0 4px; overflow-wrap: anywhere }
h2 { font-size: 18px; margin: 36px 0 10px }
p { margin: 4px 0 }
.quiet { color: var(--quiet) }
.figures { display: flex; flex-wrap: wrap; gap: 12px 36px; margin: 18px 0 8px }
.figures div { min-width: 110px }
.figures dt { color: var(--quiet); font-size: 13px }
.figures dd { margin: 0; font-size: 20px; font-weight: 600; overflow-wrap: anywhere }
dl { margin: 0 }
.limit { margin: 12px 0 }
.limit .bar { height: 14px; border-radius: 4px; background: var(--line); overflow: hidden;
  display: flex; margin-top: 3px }
.limit .bar span { display: block; height: 100%; border-right: 1px solid var(--page) }
.limit .over { color: var(--warn); font-weight: 600 }
.frame { overflow-x: auto }
.map { display: block; width: 100%; min-width: 760px; height: auto; border-radius: 4px }
.map rect { stroke: var(--page); stroke-width: 1.5 }
.map .d1 rect, .map .d2 rect, .map .d3 rect, .map .d4 rect, .map .d5 rect { stroke-width: 1 }
.map text { font-size: 12px; fill: var(--text); pointer-events: none;
  font-family: system-ui, -apple-system, "Segoe UI", sans-serif }
.map .strong { font-weight: 600 }
.map g:hover > rect { stroke: var(--text) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word }
thead th { color: var(--quiet); font-weight: 600; font-size: 13px; white-space: nowrap }
tbody th { font-weight: 600 }
.number { text-align: right; white-space: nowrap; overflow-wrap: normal }
.whole { white-space: nowrap }
.used { background: var(--used) }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px }
.path { font: 13px/1.5 ui-monospace, "SFMono-Regular", Consolas, monospace;
  overflow-wrap: anywhere }
details { border-bottom: 1px solid var(--line); padding: 5px 0 }
summary { cursor: pointer }
summary:focus-visible { outline: 2px solid var(--text); outline-offset: 2px }
details table { margin: 6px 0 12px 20px; width: calc(100% - 20px) }
footer { margin-top: 44px; color: var(--quiet); font-size: 13px }
@media print { .frame { overflow: visible } .map { min-width: 0 } }
"""


def style_sheet() -> str:
    """All rules; dark where the reader's system is."""
    light = _variables(
        LIGHT_TEXT, LIGHT_PAGE, "#59626d", "#e1e5ea", "#a3260f", "#5b8fc4", LIGHT_GROUNDS
    )
    dark = _variables(
        DARK_TEXT, DARK_PAGE, "#a4aeb9", "#30363d", "#ff9c85", "#4f86bd", DARK_GROUNDS
    )
    grounds = "\n".join(
        f".map .c{number} rect {{ fill: var(--g{number}) }}"
        f" .b{number} {{ background: var(--g{number}) }}"
        for number in range(len(LIGHT_GROUNDS))
    )
    return "\n".join([
        f":root {{ color-scheme: light dark; {light} }}",
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}",
        grounds,
        f"{_RULES.strip()}\n",
    ])  # fmt: skip


def _variables(
    text: str, page: str, quiet: str, line: str, warn: str, used: str, grounds: tuple[str, ...]
) -> str:
    named = {"text": text, "page": page, "quiet": quiet, "line": line, "warn": warn, "used": used}
    named |= {f"g{number}": ground for number, ground in enumerate(grounds)}
    return " ".join(f"--{name}: {value};" for name, value in named.items())


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MOST_FOLDERS = 100
_MOST_FILES = 25
_LEAST_BAR = 0.1


def render_html(inspection: Inspection) -> str:
    """The page, in ASCII: the same artifact gives the same bytes, in any encoding.

    The language is HTML 5; the policy is a Content-Security-Policy (level 3).
    """
    name = _text(inspection.name)
    body = "\n".join([
        _head(inspection, name),
        _limits(inspection),
        _map(inspection),
        _projects(inspection),
        _folders(inspection),
        _files(inspection),
        f"<footer>Written by crossdeps {escape(__version__)}.</footer>",
    ])  # fmt: skip
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{name}: what it weighs</title>\n<style>\n{style_sheet()}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _text(text: str) -> str:
    return escape(printable(text))


def _head(inspection: Inspection, name: str) -> str:
    target = inspection.target
    told = f"<p class=quiet>for {_text(target.describe())}</p>" if target else ""
    figures = [("Unzipped", human_size(inspection.size))]
    if inspection.compressed is not None:
        figures.append(("Zipped", human_size(inspection.compressed)))
    figures += [
        ("Projects", f"{len(inspection.projects):,}"),
        ("Files", f"{inspection.entries:,}"),
        ("Architecture", ", ".join(inspection.machines) or "any"),
        *([("glibc needed", inspection.glibc)] if inspection.glibc else []),
    ]
    rows = "".join(f"<div><dt>{label}</dt><dd>{_text(text)}</dd></div>" for label, text in figures)
    return f"<header><h1>{name}</h1>{told}<dl class=figures>{rows}</dl></header>"


def _limits(inspection: Inspection) -> str:
    """How much of each limit is used, the first by project."""
    limits, whose = inspection.limits, _text(inspection.limits_of)
    segments = [
        (share.size, f"b{group % COLOURS}") for group, share in enumerate(inspection.shares)
    ]
    bars = [_limit(f"unzipped, {whose}", inspection.size, limits.unzipped, segments)]
    if inspection.compressed is not None:
        zipped = [(inspection.compressed, "used")]
        label = f"direct upload, {whose}; larger ones go through S3"
        bars.append(_limit(label, inspection.compressed, limits.direct_upload, zipped))
    return f"<section aria-label=Limits>{''.join(bars)}</section>"


def _limit(label: str, used: int, limit: int, segments: Iterable[tuple[int, str]]) -> str:
    over = ' <span class="over">over the limit</span>' if used > limit else ""
    whole = max(used, limit)
    spans = "".join(
        f'<span class="{colour}" style="width:{100 * size / whole:.2f}%"></span>'
        for size, colour in segments
        if 100 * size / whole >= _LEAST_BAR
    )
    return (
        f"<div class=limit><p><b>{100 * used / limit:.0f}%</b> of {human_size(limit)}"
        f" <span class=quiet>{label}</span>{over}</p><div class=bar>{spans}</div></div>"
    )


def _map(inspection: Inspection) -> str:
    biggest = ", ".join(
        f"{share.name or OWN_FILES_LABEL} {human_size(share.size)}"
        for share in inspection.shares[:3]
    )
    if not inspection.size:
        return "<h2>Map</h2><p>There is nothing in it.</p>"
    label = f"Map of sizes by project, folder and file; the biggest are {biggest}. Tables follow."
    return (
        "<h2>Map</h2><p class=quiet>Each rectangle is as large as what it stands for weighs"
        " unzipped: projects, folders in them, files in those.</p>"
        f'<div class=frame tabindex=0 role=region aria-label="Map">'
        f"{render_map(size_tree(inspection), label)}</div>"
    )


def _projects(inspection: Inspection) -> str:
    heads = ["Project", "Version", "Unzipped", "Share", "Zipped", "Files", "Binaries", "Licence"]
    rows = [
        _project_row(share, group, inspection.size) for group, share in enumerate(inspection.shares)
    ]
    return f"<h2>Projects</h2><div class=frame>{_table(heads, rows, {2, 3, 4, 5})}</div>"


def _project_row(share: ProjectShare, group: int, total: int) -> list[str]:
    percent = f"{100 * share.size / total:.1f}%" if total else ""
    return [
        f'<span class="key b{group % COLOURS}"></span>{_text(share.name or OWN_FILES_LABEL)}',
        _text(share.version),
        human_size(share.size),
        percent,
        human_size(share.compressed) if share.compressed else "",
        f"{len(share.entries):,}",
        f"<span class=whole>{_text(describe_binaries(share))}</span>",
        _text(share.licence.text) if share.name else "",
    ]


def _folders(inspection: Inspection) -> str:
    blocks = [_project_folders(share, inspection) for share in inspection.shares]
    return f"<h2>Folders</h2>{''.join(blocks)}"


def _project_folders(share: ProjectShare, inspection: Inspection) -> str:
    folders = group_by_folder(share.entries, inspection.prefix)
    rows = [_folder_row(folder, share.size) for folder in folders[:_MOST_FOLDERS]]
    if len(folders) > _MOST_FOLDERS:
        rest = folders[_MOST_FOLDERS:]
        size, files = sum(folder.size for folder in rest), sum(folder.files for folder in rest)
        rows.append([f"{len(rest):,} smaller folders", human_size(size), "", f"{files:,}"])
    table = _table(["Folder", "Unzipped", "Share", "Files"], rows, {1, 2, 3})
    return (
        f"<details><summary>{_text(share.name or OWN_FILES_LABEL)}"
        f" <span class=quiet>{human_size(share.size)}</span></summary>{table}</details>"
    )


def _folder_row(folder: Folder, total: int) -> list[str]:
    share = f"{100 * folder.size / total:.1f}%" if total else ""
    path = f"<span class=path>{_text(folder.path) or '(root)'}</span>"
    return [path, human_size(folder.size), share, f"{folder.files:,}"]


def _files(inspection: Inspection) -> str:
    entries = [(entry, share) for share in inspection.shares for entry in share.entries]
    biggest = sorted(entries, key=lambda pair: (-pair[0].size, pair[0].path))[:_MOST_FILES]
    rows = [
        [
            f"<span class=path>{_text(entry.path)}</span>",
            _text(share.name or OWN_FILES_LABEL),
            human_size(entry.size),
        ]
        for entry, share in biggest
    ]
    table = _table(["File", "Project", "Unzipped"], rows, {2})
    return f"<h2>Biggest files</h2><div class=frame>{table}</div>" if rows else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int]) -> str:
    """A table of HTML that is escaped already; the first cell of each row is its head."""

    def opened(tag: str, column: int, scope: str = "") -> str:
        kind = " class=number" if column in numbers else ""
        return f"<{tag}{kind}{scope}>"

    head = "".join(f"{opened('th', n, ' scope=col')}{text}</th>" for n, text in enumerate(heads))
    lines = []
    for row in rows:
        first = f"<th scope=row>{row[0]}</th>"
        rest = "".join(f"{opened('td', n)}{text}</td>" for n, text in enumerate(row) if n)
        lines.append(f"<tr>{first}{rest}</tr>")
    body = "\n".join(lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
