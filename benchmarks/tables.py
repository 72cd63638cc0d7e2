"""Results as Markdown."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.results import GROWTH, Measured, Ratio, Results
from benchmarks.rows import ROWS
from benchmarks.sets import SETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def render(results: Results) -> str:
    """All tables, with a heading for each."""
    rounds = f"{results.rounds} rounds, {results.rounds * SETS['S'].repeated} for S"
    parts = [
        f"{results.date}, {results.machine}. {results.index} Medians of {rounds}.",
        _contents(results),
    ]
    for arch in dict.fromkeys(each.arch for each in results.measured):
        measured = [each for each in results.measured if each.arch == arch]
        parts += [
            f"### Ratios and goals, {arch}",
            _ratios(measured, results.growth(arch)),
            _verdict(measured, results.growth(arch)),
        ]
        parts += [f"### Set {each.set}, {arch}\n\n{_costs(each)}" for each in measured]
    return "\n\n".join(filter(None, parts)) + "\n"


def _contents(results: Results) -> str:
    rows = [
        (
            f"{each.set}, {each.arch}",
            SETS[each.set].python,
            str(each.content.packages),
            f"{each.content.files:,}",
            f"{each.content.size / 1e6:.0f} MB",
            f"{each.content.inflated / 1e6:.0f} MB",
        )
        for each in results.measured
    ]
    return _table(("set", "Python", "packages", "files", "zip", "inflated"), rows)


def _ratios(measured: Sequence[Measured], growth: Ratio | None) -> str:
    """Ratio, spread and goal of each row and set; a goal that is missed is bold."""
    rows = []
    for row in ROWS:
        ratios = [each.ratio(row) for each in measured]
        if any(ratios):
            rows.append((row.title, *map(_ratio, ratios)))
    if growth is not None:
        cells = [_ratio(growth) if each.set == "L" else "" for each in measured]
        rows.append((f"{GROWTH[0]}, CPU; that of M", *cells))
    return _table(("work; against", *(each.set for each in measured)), rows)


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return ""
    value = f"{ratio.value:.2f} ({ratio.least:.2f} to {ratio.greatest:.2f})"
    if ratio.goal is None:
        return value
    whole = f"{value}, goal {ratio.goal:g}"
    return f"**{whole}**" if ratio.is_missed else whole


def _verdict(measured: Sequence[Measured], growth: Ratio | None) -> str:
    """How many goals are met, and by how much the others are missed."""
    named = [
        (f"{row.title} ({each.set})", ratio)
        for row in ROWS
        for each in measured
        if (ratio := each.ratio(row)) is not None and ratio.goal is not None
    ]
    if growth is not None:
        named.append(("growth of a locked build", growth))
    if not named:
        return ""
    missed = [(name, ratio) for name, ratio in named if ratio.is_missed]
    met = len(named) - len(missed)
    text = f"Of {len(named)} goals, {met} are met."
    if missed:
        text += " Missed:\n\n" + "\n".join(
            f"- {name}: {ratio.value:.2f}, {ratio.value / (ratio.goal or 1):.2f} times the goal"
            for name, ratio in missed
        )
    return text


def _costs(each: Measured) -> str:
    rows = [
        (
            name,
            _spread([cost.wall for cost in costs], "{:.2f}"),
            _spread([cost.cpu for cost in costs], "{:.2f}"),
            f"{(each.median(name, 'memory') or 0) / (1 << 20):.0f}",
            f"{each.median(name, 'requests') or 0:.0f}",
            f"{(each.median(name, 'served') or 0) / 1e6:.1f}",
        )
        for name, costs in each.costs.items()
    ]
    return _table(("work", "wall s", "CPU s", "peak MiB", "requests", "MB served"), rows)


def _spread(values: Sequence[float], form: str) -> str:
    text = form.format(median(values))
    if len(values) == 1:
        return text
    return f"{text} ({form.format(min(values))} to {form.format(max(values))})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_lines(head, rows))


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
