"""Time and memory against packages and bytes, as an SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.results import Content, Measured, Results
    from benchmarks.rows import Metric

WIDTH, HEIGHT = 360, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 28, 40


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line of the plot: a cell of every set.

    :param cell: its name
    :param dash: of the line, so that black and white are enough
    """

    cell: str
    color: str
    dash: str


SERIES = (
    Series(cell="crossdeps build, zip, cold", color="#1f5fbf", dash="none"),
    Series(cell="uv pip install, cold", color="#b3541e", dash="none"),
    Series(cell="crossdeps build, zip, warm", color="#1f5fbf", dash="6 3"),
    Series(cell="uv pip install, warm", color="#b3541e", dash="6 3"),
    Series(cell="crossdeps build pylock.toml, zip, warm", color="#1f5fbf", dash="2 3"),
    Series(cell="uv pip install, zip -6, warm", color="#b3541e", dash="2 3"),
)


class Axis:
    """A logarithmic scale that covers *values*.

    :param start: where the least decade is, in the units of the drawing
    """

    def __init__(self, values: Iterable[float], start: float, stop: float) -> None:
        logs = [math.log10(value) for value in values]
        self._least = math.floor(min(logs))
        self._greatest = max(math.ceil(max(logs)), self._least + 1)
        self._start, self._stop = start, stop

    def place(self, value: float) -> float:
        """Where *value* is."""
        share = (math.log10(value) - self._least) / (self._greatest - self._least)
        return round(self._start + share * (self._stop - self._start), 1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Where each power of ten is, and its text."""
        for exponent in range(self._least, self._greatest + 1):
            value = 10.0**exponent
            yield self.place(value), f"{value:g}"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes; places are units of the drawing.

    :param names: of the sets, and where their columns are
    :param lines: points in the form of SVG's ``polyline``, for each series
    """

    left: int
    top: int
    across: str
    up: str
    names: Sequence[tuple[float, str]]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    lines: Sequence[tuple[Series, Sequence[tuple[float, float]]]]


def draw(results: Results) -> str:
    """Wall time and peak memory of the first architecture, against packages and bytes."""
    measured = [each for each in results.measured if each.arch == results.measured[0].arch]
    places = [(column, row) for row in range(len(_UP)) for column in range(len(_ACROSS))]
    panels = [_panel(measured, column, row) for column, row in places]
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    template = environment.get_template("plot.svg.jinja")
    return template.render(panels=panels, series=SERIES, width=WIDTH, height=HEIGHT)


_ACROSS: tuple[tuple[str, Callable[[Content], float]], ...] = (
    ("packages", lambda content: content.packages),
    ("MB of files, inflated", lambda content: content.inflated / 1e6),
)
_UP: tuple[tuple[str, Metric, float], ...] = (
    ("wall time, s", "wall", 1.0),
    ("peak memory, MiB", "memory", 1.0 / (1 << 20)),
)


def _panel(measured: Sequence[Measured], column: int, row: int) -> Panel:
    across, count = _ACROSS[column]
    up, metric, unit = _UP[row]
    ordered = sorted(measured, key=lambda each: count(each.content))
    values = {
        series: [
            (count(each.content), value * unit)
            for each in ordered
            if (value := each.median(series.cell, metric)) is not None
        ]
        for series in SERIES
    }
    heights = [y for points in values.values() for _, y in points] or [1.0]
    x_axis = Axis((count(each.content) for each in ordered), _LEFT, WIDTH - _RIGHT)
    y_axis = Axis(heights, HEIGHT - _BOTTOM, _TOP)
    return Panel(
        left=column * WIDTH,
        top=row * HEIGHT,
        across=across,
        up=up,
        names=[(x_axis.place(count(each.content)), each.set) for each in ordered],
        x_ticks=tuple(x_axis.ticks()),
        y_ticks=tuple(y_axis.ticks()),
        lines=[
            (series, [(x_axis.place(x), y_axis.place(y)) for x, y in points])
            for series, points in values.items()
        ],
    )
