"""The comparisons: what crossdeps does, against what, and the goals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from benchmarks import tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.tools import Work

Metric = Literal["wall", "cpu", "memory"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One thing to measure.

    :param cold: with an empty cache; else with one that the same work has filled
    :param once: takes so long, and varies so little, that one round is enough
    """

    work: Work
    cold: bool = False
    once: bool = False

    @property
    def name(self) -> str:
        """How results are kept and shown."""
        if not self.work.uses_cache:
            return self.work.name
        return f"{self.work.name}, {'cold' if self.cold else 'warm'}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison.

    :param goals: the most that the ratio should be, by set
    :param extra: says so little of the architecture that one of them is enough
    """

    name: str
    title: str
    ours: Cell
    theirs: Cell
    metric: Metric = "wall"
    goals: Mapping[str, float] = field(default_factory=dict)
    extra: bool = False

    @property
    def cells(self) -> tuple[Cell, Cell]:
        """What must be measured."""
        return self.ours, self.theirs


_ZIP, _COLD_ZIP = Cell(work=tools.CROSSDEPS_ZIP), Cell(work=tools.CROSSDEPS_ZIP, cold=True)
_UV, _COLD_UV = Cell(work=tools.UV_DIRECTORY), Cell(work=tools.UV_DIRECTORY, cold=True)
_TEST_ZIP = Cell(work=tools.TEST_ZIP)

ROWS = (
    Row(
        name="cold-zip",
        title="requirements to zip, cold; uv: directory",
        ours=_COLD_ZIP,
        theirs=_COLD_UV,
        goals={"S": 1.5, "M": 0.9, "L": 0.8},
    ),
    Row(
        name="warm-zip",
        title="requirements to zip, warm; uv: directory",
        ours=_ZIP,
        theirs=_UV,
        goals={"S": 3.0, "M": 0.8, "L": 0.6},
    ),
    Row(
        name="locked-zip",
        title="lock to zip, wheels in the store; uv: directory, warm",
        ours=Cell(work=tools.CROSSDEPS_LOCKED),
        theirs=_UV,
        goals={"S": 3.0, "M": 0.7, "L": 0.5},
    ),
    Row(
        name="warm-lock",
        title="lock, warm; uv pip compile",
        ours=Cell(work=tools.CROSSDEPS_LOCK),
        theirs=Cell(work=tools.UV_COMPILE),
        goals={"S": 4.0, "M": 2.5, "L": 2.5},
    ),
    Row(
        name="cold-lock",
        title="lock, cold; uv pip compile",
        ours=Cell(work=tools.CROSSDEPS_LOCK, cold=True),
        theirs=Cell(work=tools.UV_COMPILE, cold=True),
        goals={"S": 1.5, "M": 1.0, "L": 1.0},
    ),
    Row(
        name="warm-directory",
        title="directory of private copies, warm; uv --link-mode copy",
        ours=Cell(work=tools.CROSSDEPS_DIRECTORY),
        theirs=Cell(work=tools.UV_COPY),
        goals={"S": 1.5, "M": 1.0, "L": 1.0},
    ),
    Row(
        name="zip-6",
        title="requirements to zip, warm; uv, then zip -6",
        ours=_ZIP,
        theirs=Cell(work=tools.UV_ZIP, once=True),
        goals={"S": 0.3, "M": 0.05, "L": 0.03},
    ),
    Row(
        name="memory",
        title="peak memory, cold; uv",
        ours=_COLD_ZIP,
        theirs=_COLD_UV,
        metric="memory",
        goals={"S": 1.0, "M": 1.0, "L": 1.0},
    ),
    Row(
        name="check",
        title="check of the zip, CPU; python -m zipfile -t",
        ours=Cell(work=tools.CROSSDEPS_CHECK),
        theirs=_TEST_ZIP,
        metric="cpu",
        goals={"L": 1.3},
    ),
    Row(
        name="report",
        title="report on the zip, CPU; python -m zipfile -t",
        ours=Cell(work=tools.CROSSDEPS_REPORT),
        theirs=_TEST_ZIP,
        metric="cpu",
        goals={"L": 0.7},
    ),
    Row(
        name="diff",
        title="diff of the zip and a slimmed one, CPU; python -m zipfile -t",
        ours=Cell(work=tools.CROSSDEPS_DIFF),
        theirs=_TEST_ZIP,
        metric="cpu",
        goals={"L": 0.7},
    ),
    Row(
        name="cold-pip",
        title="requirements to zip, cold; pip, then zip -6",
        ours=_COLD_ZIP,
        theirs=Cell(work=tools.PIP_ZIP, cold=True, once=True),
        extra=True,
    ),
    Row(
        name="warm-pip",
        title="requirements to zip, warm; pip, then zip -6",
        ours=_ZIP,
        theirs=Cell(work=tools.PIP_ZIP, once=True),
        extra=True,
    ),
    Row(
        name="cold-pex",
        title="requirements to zip, cold; pex",
        ours=_COLD_ZIP,
        theirs=Cell(work=tools.PEX, cold=True, once=True),
        extra=True,
    ),
    Row(
        name="warm-pex",
        title="requirements to zip, warm; pex",
        ours=_ZIP,
        theirs=Cell(work=tools.PEX, once=True),
        extra=True,
    ),
)
