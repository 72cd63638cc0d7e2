"""A map of sizes: nested rectangles, each as large as what it stands for.

The rows are laid out as Bruls, Huizing and van Wijk describe ("Squarified Treemaps", 2000): each
takes as many rectangles as make them nearest to squares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from crossdeps.report.inspect.inspection_text import OWN_FILES_LABEL
from crossdeps.text import human_size, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crossdeps.report.inspect.inspection import Inspection, ProjectShare

    Tree = dict[str, "Tree | int"]

HEADER = 18.0
"""Height of the strip that names what is inside a rectangle."""
_PADDING = 2.0
_LEAST_AREA = 60.0
_LEAST_SIDE = 3.0
_ROOM_FOR_HEADER = (50.0, 34.0)
_DEEPEST = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Rectangle:
    """A place on the map, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A project, a folder or a file.

    :param label: short, for the map
    :param title: whole, for those who ask
    :param size: bytes of all that is below it
    :param group: number of the project, biggest first; -1 for none
    """

    label: str
    title: str
    size: int
    group: int
    children: tuple[Node, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A node with its place.

    :param is_open: whether its children are on the map, below a strip with its label
    """

    node: Node
    place: Rectangle
    depth: int
    is_open: bool


def lay_out_map(nodes: Sequence[Node], place: Rectangle, depth: int = 0) -> Iterator[Cell]:
    """The cells of *nodes* and what is in them, outer before inner, without the tiniest."""
    ordered = sorted((node for node in nodes if node.size > 0), key=lambda node: -node.size)
    for node, rectangle in zip(
        ordered, squarify([node.size for node in ordered], place), strict=True
    ):
        if rectangle.width * rectangle.height < _LEAST_AREA:
            continue
        if min(rectangle.width, rectangle.height) < _LEAST_SIDE:
            continue
        inner = _inside(rectangle) if node.children and depth < _DEEPEST else None
        yield Cell(node=node, place=rectangle, depth=depth, is_open=inner is not None)
        if inner:
            yield from lay_out_map(node.children, inner, depth + 1)


def squarify(sizes: Sequence[float], place: Rectangle) -> list[Rectangle]:
    """Rectangles that fill *place*, each with the share of its size.

    :param sizes: positive, biggest first
    """
    total = sum(sizes)
    scale = place.width * place.height / total if total else 0
    areas = [size * scale for size in sizes]
    placed: list[Rectangle] = []
    while areas:
        side = min(place.width, place.height)
        count = _row_length(areas, side)
        row, areas = areas[:count], areas[count:]
        rectangles, place = _place_row(row, place)
        placed += rectangles
    return placed


def _row_length(areas: Sequence[float], side: float) -> int:
    """How many of the first *areas* make the best row along *side*."""
    row = 0.0
    worst = float("inf")
    for count, area in enumerate(areas):
        row += area
        if not side or not row:
            return len(areas)
        square = row * row
        ratio = max(side * side * areas[0] / square, square / (side * side * area))
        if ratio > worst:
            return count
        worst = ratio
    return len(areas)


def _place_row(row: Sequence[float], place: Rectangle) -> tuple[list[Rectangle], Rectangle]:
    """One row along the shorter side, and what is left of *place*."""
    total = sum(row)
    rectangles = []
    if place.width >= place.height:
        width = total / place.height if place.height else 0.0
        y = place.y
        for area in row:
            height = area / width if width else 0.0
            rectangles.append(Rectangle(x=place.x, y=y, width=width, height=height))
            y += height
        left = Rectangle(
            x=place.x + width,
            y=place.y,
            width=max(0.0, place.width - width),
            height=place.height,
        )
        return rectangles, left
    height = total / place.width if place.width else 0.0
    x = place.x
    for area in row:
        width = area / height if height else 0.0
        rectangles.append(Rectangle(x=x, y=place.y, width=width, height=height))
        x += width
    left = Rectangle(
        x=place.x,
        y=place.y + height,
        width=place.width,
        height=max(0.0, place.height - height),
    )
    return rectangles, left


def _inside(place: Rectangle) -> Rectangle | None:
    """The room for children below the strip; None where there is too little."""
    if place.width < _ROOM_FOR_HEADER[0] or place.height < _ROOM_FOR_HEADER[1]:
        return None
    return Rectangle(
        x=place.x + _PADDING,
        y=place.y + HEADER,
        width=place.width - 2 * _PADDING,
        height=place.height - HEADER - _PADDING,
    )


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


def size_tree(inspection: Inspection) -> tuple[Node, ...]:
    """A node for each portion of the artifact, biggest first, with its folders and files."""
    return tuple(
        _portion_node(share, inspection.prefix, group)
        for group, share in enumerate(inspection.shares)
    )


def _portion_node(share: ProjectShare, prefix: str, group: int) -> Node:
    tree: Tree = {}
    for entry in share.entries:
        inside = entry.path.removeprefix(prefix)
        *folders, name = inside.split("/")
        level = tree
        for folder in folders:
            # A zip may hold a file and a folder of one name: the folder gets a name of its own.
            found = level.setdefault(f"{folder}/", {})
            if isinstance(found, dict):
                level = found
        level[name] = entry.size
    name = printable(share.name) or OWN_FILES_LABEL
    label = f"{name} {printable(share.version)}".rstrip()
    return Node(
        label=label,
        title=f"{label}: {human_size(share.size)}",
        size=share.size,
        group=group,
        children=_children(tree, "", group),
    )


def _children(tree: Tree, base: str, group: int) -> tuple[Node, ...]:
    nodes = []
    for name, item in sorted(tree.items()):
        label, content = name, item
        # A folder with nothing but a folder in it needs no rectangle of its own.
        while isinstance(content, dict) and len(content) == 1:
            inner, below = next(iter(content.items()))
            label, content = label + inner, below
        path = base + label
        children = _children(content, path, group) if isinstance(content, dict) else ()
        size = content if isinstance(content, int) else sum(child.size for child in children)
        shown = printable(path)
        nodes.append(
            Node(
                label=printable(label),
                title=f"{shown}: {human_size(size)}",
                size=size,
                group=group,
                children=children,
            )
        )
    return tuple(sorted(nodes, key=lambda node: (-node.size, node.title)))
