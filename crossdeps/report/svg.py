"""The map of sizes as an SVG that stands in a page: no script, no style of its own."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from crossdeps.report.sizes import human_size
from crossdeps.report.treemap import HEADER, Cell, Rectangle, lay_out_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.report.treemap import Node

WIDTH, HEIGHT = 1200, 680
COLOURS = 10
"""How many classes there are: ``c0`` to ``c9``."""
# Widths of text are guessed, generously: fonts differ.
_CHARACTER = 6.7
_STRONG_CHARACTER = 7.6
_MARGIN = 5.0
_LINE = 15.0
_FEWEST_CHARACTERS = 3


def render_map(nodes: Sequence[Node], label: str) -> str:
    """The map of *nodes*, with *label* for those who can't see it."""
    whole = Rectangle(x=0, y=0, width=WIDTH, height=HEIGHT)
    cells = "\n".join(_cell(cell) for cell in lay_out_map(nodes, whole))
    return (
        f'<svg class="map" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg">\n{cells}\n</svg>'
    )


def _cell(cell: Cell) -> str:
    place, node = cell.place, cell.node
    colour = f"c{node.group % COLOURS}"
    rectangle = (
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}"'
        f' height="{place.height:.1f}"/>'
    )
    return (
        f'<g class="{colour} d{cell.depth}"><title>{escape(node.title)}</title>{rectangle}'
        f"{_texts(cell)}</g>"
    )


def _texts(cell: Cell) -> str:
    place, node = cell.place, cell.node
    is_strong = cell.is_open and not cell.depth
    character = _STRONG_CHARACTER if is_strong else _CHARACTER
    room = int((place.width - 2 * _MARGIN) / character)
    size = human_size(node.size)
    if cell.is_open:
        label = _cut(node.label, room - len(size) - 3)
        line = f"{label} · {size}" if label else _cut(node.label, room)
        return _text(place.x + _MARGIN, place.y + HEADER - 5, line, strong=is_strong)
    if place.height < _LINE + 3:
        return ""
    lines = [_cut(node.label, room)]
    if lines[0] and place.height >= 2 * _LINE + 3 and room >= len(size):
        lines.append(size)
    return "".join(
        _text(place.x + _MARGIN, place.y + _LINE * (number + 1) - 2, line)
        for number, line in enumerate(lines)
        if line
    )


def _cut(text: str, room: int) -> str:
    """As much of *text* as there is room for; nothing where that would say nothing."""
    if len(text) <= room:
        return text
    return f"{text[: room - 1]}…" if room >= _FEWEST_CHARACTERS else ""


def _text(x: float, y: float, text: str, *, strong: bool = False) -> str:
    if not text:
        return ""
    kind = ' class="strong"' if strong else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
