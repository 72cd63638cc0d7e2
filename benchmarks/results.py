"""What was measured, and where it is kept."""

from __future__ import annotations

import re
import zipfile
from statistics import median
from typing import TYPE_CHECKING, Literal

import msgspec

from benchmarks.measure import Cost  # noqa: TC001 - msgspec reads annotations
from benchmarks.sets import ARCHITECTURES, SETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.rows import Metric, Row


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a set comes to.

    :param size: bytes of the zip
    :param inflated: bytes of its files
    """

    packages: int
    files: int
    size: int
    inflated: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """All runs of one set for one architecture.

    :param costs: by the name of the cell, in the order of the rounds
    """

    set: str
    arch: str
    content: Content
    costs: dict[str, list[Cost]]

    def median(self, cell: str, metric: Metric | Literal["requests", "served"]) -> float | None:
        """The median of one figure; None if the cell was not measured."""
        costs = self.costs.get(cell)
        return median(getattr(cost, metric) for cost in costs) if costs else None

    def ratio(self, row: Row) -> Ratio | None:
        """How crossdeps compares; None if either side was not measured."""
        ours = [getattr(cost, row.metric) for cost in self.costs.get(row.ours.name, ())]
        theirs = [getattr(cost, row.metric) for cost in self.costs.get(row.theirs.name, ())]
        return compare(ours, theirs, row.goals.get(self.set))


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio of medians, and the least and the greatest that any pair of runs has."""

    value: float
    least: float
    greatest: float
    goal: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether there is a goal that it exceeds, at the two digits that are shown."""
        return self.goal is not None and round(self.value, 2) > self.goal


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All that one run of the command measured.

    :param machine: what it ran on, in words
    :param index: how the index behaved, in words
    """

    date: str
    machine: str
    index: str
    rounds: int
    measured: list[Measured]

    def add(self, measured: Measured) -> Results:
        """These results with one set more, instead of what it had for the same architecture."""
        place = (measured.set, measured.arch)
        others = [each for each in self.measured if (each.set, each.arch) != place]
        ordered = sorted((*others, measured), key=_place)
        return msgspec.structs.replace(self, measured=ordered)

    def growth(self, arch: str) -> Ratio | None:
        """CPU time of a locked build of L beside that of M; None if it was not measured."""
        name, goal = GROWTH
        by_set = {each.set: each for each in self.measured if each.arch == arch}
        if not {"M", "L"} <= by_set.keys():
            return None
        large, small = (
            [cost.cpu for cost in by_set[size].costs.get(name, ())] for size in ("L", "M")
        )
        return compare(large, small, goal)


_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")

GROWTH = ("crossdeps build pylock.toml, zip, warm", 4.0)
"""The cell whose growth from M to L is compared, and the most that it should be."""


def _place(measured: Measured) -> tuple[int, int]:
    return ARCHITECTURES.index(measured.arch), tuple(SETS).index(measured.set)


def compare(ours: Sequence[float], theirs: Sequence[float], goal: float | None) -> Ratio | None:
    """The ratio of two lists of runs; None if either is empty."""
    if not ours or not theirs:
        return None
    return Ratio(
        value=median(ours) / median(theirs),
        least=min(ours) / max(theirs),
        greatest=max(ours) / min(theirs),
        goal=goal,
    )


def read_content(artifact: Path) -> Content:
    """Count what a zip holds."""
    with zipfile.ZipFile(artifact) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
    return Content(
        packages=sum(bool(_METADATA.fullmatch(member.filename)) for member in members),
        files=len(members),
        size=artifact.stat().st_size,
        inflated=sum(member.file_size for member in members),
    )


def save(results: Results, path: Path) -> None:
    """Write results as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")


def load(path: Path) -> Results:
    """Read what :func:`save` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Results)
