"""A map of sizes: nested rectangles, each as large as what it stands for.

The rows are laid out as Bruls, Huizing and van Wijk describe ("Squarified Treemaps", 2000): each
takes as many rectangles as make them nearest to squares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
