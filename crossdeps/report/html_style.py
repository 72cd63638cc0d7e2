"""The style of the page: light and dark, each pair of text and ground readable."""

from __future__ import annotations

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
