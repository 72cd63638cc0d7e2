"""The figures that two artifacts or locks are compared by, as text for a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.report.sizes import human_size

if TYPE_CHECKING:
    from crossdeps.report.comparison import Comparison
    from crossdeps.report.snapshot import Snapshot

NOTHING = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One row: what is measured, and its text on each side.

    :param change: such as ``+1.2 MB``; empty where nothing changed or no difference can be told
    """

    label: str
    before: str
    after: str
    change: str = ""


def figures_of(comparison: Comparison) -> tuple[Figure, ...]:
    """Sizes, counts, architecture and glibc of both; what neither knows is left out."""
    before, after = comparison.before, comparison.after
    is_lock = before.kind == "lock"
    rows = [
        _sized("unzipped", before.size, after.size),
        _sized("wheels" if is_lock else "zipped", before.compressed, after.compressed),
        _counted("projects", _projects(before), _projects(after)),
        _counted("files", len(before.files), len(after.files)),
        _said("architecture", ", ".join(before.machines), ", ".join(after.machines)),
        _said("glibc needed", before.glibc, after.glibc),
        _said("Python", before.python, after.python),
    ]
    return tuple(row for row in rows if row)


def signed_size(size: int | None) -> str:
    """A growth in bytes with its sign; empty where it is unknown or nothing.

    >>> signed_size(1_500), signed_size(-20), signed_size(0), signed_size(None)
    ('+1.5 kB', '-20 B', '', '')
    """
    if not size:
        return ""
    return f"{'+' if size > 0 else '-'}{human_size(abs(size))}"


def _projects(snapshot: Snapshot) -> int:
    return sum(1 for name in snapshot.projects if name)


def _sized(label: str, before: int | None, after: int | None) -> Figure | None:
    if before is None and after is None:
        return None
    change = "" if before is None or after is None else signed_size(after - before)
    return Figure(
        label=label,
        before=NOTHING if before is None else human_size(before),
        after=NOTHING if after is None else human_size(after),
        change=change,
    )


def _counted(label: str, before: int, after: int) -> Figure:
    change = f"{after - before:+,}" if after != before else ""
    return Figure(label=label, before=f"{before:,}", after=f"{after:,}", change=change)


def _said(label: str, before: str, after: str) -> Figure | None:
    if not before and not after:
        return None
    return Figure(label=label, before=before or NOTHING, after=after or NOTHING)
