"""The map of sizes: a law of areas, nothing outside, nothing on top of another."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.report.inspect.size_map import (
    Node,
    Rectangle,
    build_children,
    lay_out_map,
    squarify,
)

PLACE = Rectangle(x=10, y=20, width=600, height=400)
SIZES = st.lists(st.integers(1, 10**9), min_size=1, max_size=60)


def area(rectangle: Rectangle) -> float:
    return rectangle.width * rectangle.height


def overlap(item: Rectangle, two: Rectangle) -> float:
    width = min(item.x + item.width, two.x + two.width) - max(item.x, two.x)
    height = min(item.y + item.height, two.y + two.height) - max(item.y, two.y)
    return max(0.0, width) * max(0.0, height)


@given(SIZES)
def test_each_area_is_the_share_of_its_size(sizes: list[int]) -> None:
    """The areas together are the whole place."""
    ordered = sorted(sizes, reverse=True)
    for size, rectangle in zip(ordered, squarify(ordered, PLACE), strict=True):
        assert area(rectangle) == pytest.approx(area(PLACE) * size / sum(sizes), rel=1e-6)


@given(SIZES)
def test_rectangles_are_inside_and_apart(sizes: list[int]) -> None:
    placed = squarify(sorted(sizes, reverse=True), PLACE)
    for item in placed:
        assert overlap(item, PLACE) == pytest.approx(area(item), rel=1e-6, abs=1e-6)
    for item, two in itertools.combinations(placed, 2):
        assert overlap(item, two) < 1e-3


def test_rectangles_are_near_to_squares() -> None:
    """The example of the paper: six by four, its areas 6, 6, 4, 3, 2, 2 and 1."""
    place = Rectangle(x=0, y=0, width=6, height=4)
    placed = squarify([6, 6, 4, 3, 2, 2, 1], place)
    ratios = [max(r.width / r.height, r.height / r.width) for r in placed]
    assert [round(r.width, 2) for r in placed[:2]] == [3, 3]
    assert max(ratios) < 3


def test_an_empty_map_has_no_cells() -> None:
    empty = Node(label="x", title="x", size=0, group=0)
    assert list(lay_out_map([empty], PLACE)) == []
    assert squarify([], PLACE) == []


def test_children_lie_in_their_parent_below_its_label() -> None:
    leaf = Node(label="leaf", title="leaf", size=100, group=0)
    cells = list(
        lay_out_map([Node(label="p", title="p", size=100, group=0, children=(leaf,))], PLACE)
    )
    outer, inner = (cell.rectangle for cell in cells)
    assert cells[0].is_parent
    assert overlap(inner, outer) == pytest.approx(area(inner))
    assert inner.y > outer.y


def test_folders_deeper_than_the_map_are_summed_up() -> None:
    """A path of very many folders, each with a file beside the next, needs no recursion."""
    files = [(f"{'a/' * depth}f{depth}.py", 10) for depth in range(3000)]
    (top, sole) = build_children(files, "", 0, 1)
    assert (top.label, top.size) == ("a/", 29_990)
    assert (sole.label, sole.size) == ("f0.py", 10)


def test_a_folder_with_one_child_is_drawn_as_that_child() -> None:
    files = [("a/b/c/x.py", 1), ("a/b/c/y.py", 2), ("d/e/z.py", 4)]
    nodes = build_children(files, "", 0, 1)
    assert [node.label for node in nodes] == ["d/e/z.py", "a/b/c/"]
    assert [node.label for node in nodes[1].children] == ["y.py", "x.py"]
    assert nodes[1].children[0].title == "a/b/c/y.py: 2 B"
