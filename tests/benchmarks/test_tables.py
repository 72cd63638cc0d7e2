"""What the benchmarks tell of their runs: ratios, goals, tables and the plot."""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, cast

import pytest

from benchmarks import bench, measure, results, tables
from benchmarks.measure import Cost, FailedError
from benchmarks.plot import SERIES, draw
from benchmarks.results import Content, Measured, Ratio, Results, compare
from benchmarks.rows import ROWS, Row
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.runner import Runner
    from benchmarks.tools import Work

BY_NAME = {row.name: row for row in ROWS}


def cost(wall: float, *, cpu: float = 1.0, memory: int = 1 << 20) -> Cost:
    return Cost(wall=wall, cpu=cpu, memory=memory, requests=7, served=2_500_000)


def measured(name: str = "M", *, arch: str = "x86_64", walls: Mapping[str, float] = {}) -> Measured:
    """A set that was measured once; a cell that *walls* doesn't name takes a second."""
    cells = {cell.name for row in ROWS for cell in row.cells}
    costs = {cell: [cost(walls.get(cell, 1.0))] for cell in sorted(cells)}
    content = Content(packages=41, files=2100, size=21_700_000, inflated=71_000_000)
    return Measured(set=name, arch=arch, content=content, costs=costs)


def all_of(*sets: Measured) -> Results:
    return Results(date="2026-01-01", machine="Linux", index="TLS.", rounds=1, measured=list(sets))


def test_a_ratio_is_of_medians_and_its_spread_of_all_pairs() -> None:
    ratio = compare([3.0, 1.0, 2.0], [4.0, 8.0, 5.0], goal=0.5)
    assert ratio == Ratio(value=0.4, least=0.125, greatest=0.75, goal=0.5)


@pytest.mark.parametrize(("ours", "theirs"), [([], [1.0]), ([1.0], [])])
def test_no_ratio_without_both_sides(ours: list[float], theirs: list[float]) -> None:
    assert compare(ours, theirs, goal=None) is None


@pytest.mark.parametrize(
    ("value", "goal", "missed"),
    [(0.9, 0.9, False), (0.904, 0.9, False), (0.91, 0.9, True), (9.0, None, False)],
)
def test_a_goal_is_missed_above_it(value: float, goal: float | None, missed: bool) -> None:
    assert Ratio(value=value, least=value, greatest=value, goal=goal).is_missed is missed


def test_each_goal_of_a_row_is_that_of_its_set() -> None:
    row = BY_NAME["cold-zip"]
    goals = [measured(name).ratio(row) for name in ("S", "M", "D", "L")]
    assert [ratio and ratio.goal for ratio in goals] == [1.5, 0.9, None, 0.8]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_compares_two_cells(row: Row) -> None:
    assert row.ours != row.theirs
    assert row.ours.work.tool == "crossdeps"
    assert row.goals.keys() <= {"S", "M", "L"}


def test_cells_have_names_of_their_own() -> None:
    cells = {cell for row in ROWS for cell in row.cells}
    assert len({cell.name for cell in cells}) == len(cells)


def test_what_a_metric_measures_decides() -> None:
    memory = BY_NAME["memory"]
    found = measured()
    found.costs[memory.ours.name] = [cost(1.0, memory=300)]
    found.costs[memory.theirs.name] = [cost(5.0, memory=100)]
    ratio = found.ratio(memory)
    assert ratio is not None
    assert ratio.value == 3.0


def test_growth_is_that_of_a_locked_build() -> None:
    large, small = measured("L"), measured("M")
    large.costs[results.GROWTH[0]] = [cost(1.0, cpu=10.0)]
    small.costs[results.GROWTH[0]] = [cost(1.0, cpu=2.0)]
    growth = all_of(small, large).growth("x86_64")
    assert growth is not None
    assert (growth.value, growth.is_missed) == (5.0, True)
    assert all_of(small).growth("x86_64") is None
    assert all_of(small, large).growth("aarch64") is None


def test_a_missed_goal_stands_out_and_is_listed() -> None:
    row = BY_NAME["cold-zip"]
    text = tables.render(all_of(measured(walls={row.ours.name: 1.8})))
    assert "**1.80 (1.80 to 1.80), goal 0.9**" in text
    assert f"- {row.title} (M): 1.80, 2.00 times the goal" in text


def test_the_number_of_goals_met_is_told() -> None:
    walls = {row.ours.name: 0.001 for row in ROWS if row.metric == "wall"}
    found = measured(walls=walls)
    goals = [row for row in ROWS if "M" in row.goals]
    assert f"Of {len(goals)} goals, {len(goals)} are met." in tables.render(all_of(found))


def test_no_goals_no_verdict() -> None:
    assert "goals," not in tables.render(all_of(measured("D"))).replace("Ratios and goals,", "")


def test_both_architectures_have_tables() -> None:
    text = tables.render(all_of(measured(), measured(arch="aarch64")))
    assert "### Ratios and goals, x86_64" in text
    assert "### Set M, aarch64" in text


def test_costs_have_their_spread() -> None:
    found = measured()
    found.costs["crossdeps lock, warm"] = [cost(2.0), cost(1.0), cost(4.0)]
    text = tables.render(all_of(found))
    row = "| crossdeps lock, warm | 2.00 (1.00 to 4.00) | 1.00 (1.00 to 1.00) | 1 | 7 | 2.5 |"
    assert row in text


def test_a_tool_that_failed_is_left_out() -> None:
    found = measured()
    del found.costs[BY_NAME["cold-pex"].theirs.name]
    text = tables.render(all_of(found))
    assert BY_NAME["cold-pex"].title not in text
    assert BY_NAME["warm-pex"].title in text


def test_results_are_kept(tmp_path: Path) -> None:
    found = all_of(measured("S"), measured("L"))
    results.save(found, tmp_path / "results.json")
    assert results.load(tmp_path / "results.json") == found


def test_a_set_that_is_measured_again_replaces_itself_only() -> None:
    first, other = measured("S"), measured("S", arch="aarch64")
    again = measured("S", walls={"crossdeps lock, warm": 2.0})
    assert first != again
    assert all_of(first, other).add(again).measured == [again, other]


def test_sets_are_in_the_same_order_however_they_were_measured() -> None:
    found = all_of()
    for name, arch in (("L", "aarch64"), ("S", "aarch64"), ("L", "x86_64"), ("M", "x86_64")):
        found = found.add(measured(name, arch=arch))
    told = [(each.set, each.arch) for each in found.measured]
    assert told == [("M", "x86_64"), ("L", "x86_64"), ("S", "aarch64"), ("L", "aarch64")]


def test_content_is_counted(tmp_path: Path) -> None:
    vendored = {"foo/_vendor/bar.dist-info/METADATA": "Name: bar\n"}
    wheel = make_wheel("foo", "1.0", files=vendored).write_to(tmp_path)
    content = results.read_content(wheel)
    assert content.packages == 1
    assert content.size == wheel.stat().st_size
    assert content.files >= 3


def test_the_plot_has_a_line_for_each_series_in_each_panel() -> None:
    drawing = ET.fromstring(draw(all_of(measured("S"), measured("M"))))  # noqa: S314 - our own
    lines = list(drawing.iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 4 * len(SERIES)
    assert all(line.get("points") for line in lines)


def test_the_lines_of_the_plot_are_cells() -> None:
    cells = {cell.name for row in ROWS for cell in row.cells}
    assert {series.cell for series in SERIES} <= cells


def test_documentation_is_replaced_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{bench.BEGIN}what was there\n{bench.END}after\n", encoding="utf-8")
    for _ in range(2):
        bench.write_docs(all_of(measured()), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{bench.BEGIN}")
    assert text.endswith(f"{bench.END}after\n")
    assert "what was there" not in text
    assert text.count("### Ratios and goals") == 1
    assert (tmp_path / "performance.svg").is_file()


def test_the_page_has_the_marks() -> None:
    text = (bench.DOCS / "performance.md").read_text(encoding="utf-8")
    assert text.count(bench.BEGIN) == text.count(bench.END) == 1
    assert text.index(bench.BEGIN) < text.index(bench.END)


@pytest.mark.subprocess
def test_commands_are_measured_together() -> None:
    command = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(0.1)")
    found = measure.run([command, command], measure.clean_environment({}))
    assert found.wall >= 0.2
    assert 0 < found.cpu < found.wall
    assert 1 << 20 < found.memory < 1 << 30


@pytest.mark.subprocess
def test_memory_is_not_that_of_who_measures() -> None:
    held = bytearray(200 << 20)
    command = (sys.executable, "-I", "-S", "-c", "pass")
    assert measure.run([command], measure.clean_environment({})).memory < len(held) // 2


@pytest.mark.subprocess
def test_a_command_that_fails_says_why() -> None:
    commands = [
        (sys.executable, "-c", "import sys; print('the reason', file=sys.stderr); sys.exit(3)"),
        (sys.executable, "-c", "print('never run')"),
    ]
    with pytest.raises(FailedError, match=r"^the reason$"):
        measure.run(commands, measure.clean_environment({}))


def test_settings_of_the_tools_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "https://example.org")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("UNRELATED", "kept")
    environment = measure.clean_environment({"MORE": "said"})
    assert "UV_INDEX_URL" not in environment
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert (environment["UNRELATED"], environment["MORE"]) == ("kept", "said")


def test_an_empty_index_is_told_of(tmp_path: Path) -> None:
    said = argparse.Namespace(load=None, data=tmp_path)
    with pytest.raises(FailedError, match="holds no pages"):
        bench.bench(said)


class FakeRunner:
    """Notes what it should run; all of pip's runs fail."""

    def __init__(self, artifact: Path) -> None:
        self.artifact = artifact
        self.runs: list[str] = []

    def prepare(self) -> Path:
        return self.artifact

    def run_cold(self, work: Work, *, keep: bool) -> Cost:
        return self._run(f"cold {work.name}{' kept' if keep else ''}", work)

    def run_warm(self, work: Work) -> Cost:
        return self._run(f"warm {work.name}", work)

    def _run(self, noted: str, work: Work) -> Cost:
        self.runs.append(noted)
        if work.tool == "pip":
            raise FailedError("no such option")
        return cost(1.0)


@pytest.fixture
def fake(tmp_path: Path) -> FakeRunner:
    return FakeRunner(make_wheel("foo", "1.0").write_to(tmp_path))


def measure_rows(fake: FakeRunner, *rows: str, name: str = "M", arch: str = "x86_64") -> Measured:
    said = argparse.Namespace(
        row=rows, tool=("crossdeps", "uv", "pip", "pex"), arch=("x86_64", "aarch64"), rounds=3
    )
    return bench.measure_set(cast("Runner", fake), said, name, arch)


def test_tools_take_turns_and_change_their_order(fake: FakeRunner) -> None:
    ours, theirs = "cold crossdeps build, zip", "cold uv pip install"
    found = measure_rows(fake, "cold-zip", "memory")
    assert fake.runs == [ours, theirs, theirs, ours, ours, theirs]
    assert [len(costs) for costs in found.costs.values()] == [3, 3]


def test_the_smallest_set_is_measured_more_often(fake: FakeRunner) -> None:
    assert len(measure_rows(fake, "cold-zip", name="S").costs["uv pip install, cold"]) == 9


def test_what_takes_long_runs_once(fake: FakeRunner) -> None:
    found = measure_rows(fake, "cold-pex", "warm-pex")
    assert fake.runs.count("cold pex kept") == fake.runs.count("warm pex") == 1
    assert len(found.costs["crossdeps build, zip, cold"]) == 3


def test_extra_rows_are_measured_for_one_architecture(fake: FakeRunner) -> None:
    assert measure_rows(fake, "cold-pex", "cold-lock", arch="aarch64").costs.keys() == {
        "crossdeps lock, cold",
        "uv pip compile, cold",
    }


def test_a_tool_that_fails_is_told_of_and_left_out(
    fake: FakeRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measure_rows(fake, "cold-pip", "warm-pip")
    assert "pip install, zip -6, cold: no such option" in capsys.readouterr().err
    assert found.costs.keys() == {"crossdeps build, zip, cold", "crossdeps build, zip, warm"}
    assert sum("pip" in run for run in fake.runs) == 2
