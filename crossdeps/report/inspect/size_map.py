"""Treemap of an artifact: nested rectangles whose areas are proportional to unzipped sizes.

The layout is the squarified one of Bruls, Huizing and van Wijk ("Squarified Treemaps", 2000): each
row takes as many rectangles as bring them closest to squares.
"""

from __future__ import annotations

import os.path
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from crossdeps.report.diff.snapshot import OWN_FILES_LABEL
from crossdeps.text import human_size, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crossdeps.report.inspect.inspection import Inspection

HEADER = 18.0
"""Height of the strip with the label of a rectangle that contains others."""
_PADDING = 2.0
_SMALLEST_AREA = 60.0
_SMALLEST_SIDE = 3.0
_SMALLEST_PARENT = (50.0, 34.0)
_DEEPEST = 5

# Widths of characters are estimates on the safe side: fonts differ.
_CHARACTER = 6.7
_BOLD_CHARACTER = 7.6
_MARGIN = 5.0
_LINE = 15.0
_FEWEST_CHARACTERS = 3


class Rectangle(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle in the units of the drawing; x and y are those of the upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A project, a folder or a file.

    :param label: short, for the drawing
    :param title: full path and size, for the tooltip
    :param size: bytes, of a folder or project those of everything below it
    :param group: number of the project, largest first
    """

    label: str
    title: str
    size: int
    group: int
    children: tuple[Node, ...] = ()


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One line of text in a cell; x and y are those of the start of its base line."""

    x: float
    y: float
    text: str
    is_bold: bool = False


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A node with its rectangle.

    :param is_parent: whether its children are drawn too, below a strip with its label
    """

    node: Node
    rectangle: Rectangle
    depth: int
    is_parent: bool

    @property
    def labels(self) -> list[Label]:
        """The lines of text that fit into the rectangle."""
        rectangle, node = self.rectangle, self.node
        is_bold = self.is_parent and not self.depth
        character = _BOLD_CHARACTER if is_bold else _CHARACTER
        room = int((rectangle.width - 2 * _MARGIN) / character)
        size = human_size(node.size)
        if self.is_parent:
            short = _shorten(node.label, room - len(size) - 3)
            texts = [f"{short} · {size}" if short else _shorten(node.label, room)]
            base = HEADER - 5
        else:
            texts = [_shorten(node.label, room)] if rectangle.height >= _LINE + 3 else []
            if any(texts) and rectangle.height >= 2 * _LINE + 3 and room >= len(size):
                texts.append(size)
            base = _LINE - 2
        x, y = rectangle.x + _MARGIN, rectangle.y + base
        return [
            Label(x=x, y=y + number * _LINE, text=text, is_bold=is_bold)
            for number, text in enumerate(texts)
            if text
        ]


def _shorten(text: str, room: int) -> str:
    """Cut *text* to *room* characters; empty where too few are left to recognise it."""
    if len(text) <= room:
        return text
    return f"{text[: room - 1]}…" if room >= _FEWEST_CHARACTERS else ""


def build_size_tree(inspection: Inspection) -> tuple[Node, ...]:
    """One node for each share of the artifact, largest first, with its folders and files."""
    nodes = []
    for group, share in enumerate(inspection.shares):
        label = f"{printable(share.name) or OWN_FILES_LABEL} {printable(share.version)}".rstrip()
        files = [
            (entry.path.removeprefix(inspection.prefix), entry.size) for entry in share.entries
        ]
        node = Node(
            label=label,
            title=f"{label}: {human_size(share.size)}",
            size=share.size,
            group=group,
            children=build_children(files, "", group, 1),
        )
        nodes.append(node)
    return tuple(nodes)


def build_children(
    files: Sequence[tuple[str, int]], base: str, group: int, depth: int
) -> tuple[Node, ...]:
    """Nodes for the folders and files directly below *base*; the deepest have no children.

    :param files: path and size of each file below *base*
    """
    members: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for path, size in files:
        name, slash, _ = path[len(base) :].partition("/")
        members[name + slash].append((path, size))
    nodes = []
    for name, below in members.items():
        path = base + name
        if name.endswith("/"):
            # A folder whose only content is one folder or file is drawn as that.
            common = os.path.commonprefix([path for path, _ in below])  # noqa: RUF071 - cut below
            path = common if len(below) == 1 else common[: common.rindex("/") + 1]
        size = sum(size for _, size in below)
        is_open = path.endswith("/") and depth <= _DEEPEST
        node = Node(
            label=printable(path[len(base) :]),
            title=f"{printable(path)}: {human_size(size)}",
            size=size,
            group=group,
            children=build_children(below, path, group, depth + 1) if is_open else (),
        )
        nodes.append(node)
    return tuple(sorted(nodes, key=lambda node: (-node.size, node.title)))


def lay_out_map(nodes: Sequence[Node], bounds: Rectangle, depth: int = 0) -> Iterator[Cell]:
    """Yield a cell for each node that is large enough to see, parents before their children."""
    ordered = sorted((node for node in nodes if node.size > 0), key=lambda node: -node.size)
    rectangles = squarify([node.size for node in ordered], bounds)
    for node, rectangle in zip(ordered, rectangles, strict=True):
        if (
            rectangle.width * rectangle.height < _SMALLEST_AREA
            or min(rectangle.width, rectangle.height) < _SMALLEST_SIDE
        ):
            continue
        inner = _find_interior(rectangle) if node.children and depth < _DEEPEST else None
        yield Cell(node=node, rectangle=rectangle, depth=depth, is_parent=inner is not None)
        if inner:
            yield from lay_out_map(node.children, inner, depth + 1)


def _find_interior(rectangle: Rectangle) -> Rectangle | None:
    """The area for children below the strip; None where it would be too small."""
    if rectangle.width < _SMALLEST_PARENT[0] or rectangle.height < _SMALLEST_PARENT[1]:
        return None
    return Rectangle(
        x=rectangle.x + _PADDING,
        y=rectangle.y + HEADER,
        width=rectangle.width - 2 * _PADDING,
        height=rectangle.height - HEADER - _PADDING,
    )


def squarify(sizes: Sequence[float], bounds: Rectangle) -> list[Rectangle]:
    """Divide *bounds* into one rectangle for each size, with areas in proportion.

    :param sizes: positive, largest first
    """
    total = sum(sizes)
    scale = bounds.width * bounds.height / total if total else 0
    areas = [size * scale for size in sizes]
    rectangles: list[Rectangle] = []
    while areas:
        count = _count_row(areas, min(bounds.width, bounds.height))
        row, areas = areas[:count], areas[count:]
        placed, bounds = _place_row(row, bounds)
        rectangles += placed
    return rectangles


def _count_row(areas: Sequence[float], side: float) -> int:
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


def _place_row(row: Sequence[float], bounds: Rectangle) -> tuple[list[Rectangle], Rectangle]:
    """Place one row along the shorter side; return it and what is left of *bounds*."""
    x, y, width, height = bounds.x, bounds.y, bounds.width, bounds.height
    is_vertical = width >= height
    side = min(width, height)
    thickness = sum(row) / side if side else 0.0
    placed = []
    for area in row:
        length = area / thickness if thickness else 0.0
        if is_vertical:
            placed.append(Rectangle(x=x, y=y, width=thickness, height=length))
            y += length
        else:
            placed.append(Rectangle(x=x, y=y, width=length, height=thickness))
            x += length
    if is_vertical:
        x, y, width = x + thickness, bounds.y, max(0.0, width - thickness)
    else:
        x, y, height = bounds.x, y + thickness, max(0.0, height - thickness)
    return placed, Rectangle(x=x, y=y, width=width, height=height)
