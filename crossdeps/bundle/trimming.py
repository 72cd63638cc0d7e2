"""Leaving out what the artifact can do without."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.bundle.globs import compile_globs
from crossdeps.bundle.slimming import find_removable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.bundle.layout import Layout
    from crossdeps.bundle.model import Entry

Removed = tuple[str, str, int]


def trim(entries: Sequence[Entry], layout: Layout) -> tuple[tuple[Entry, ...], tuple[Removed, ...]]:
    """What stays of *entries*, and what each rule saved: (rule, owner, bytes).

    Files in a .dist-info directory always stay: ``importlib.metadata``, entry points and licences
    live there. So does the user's source, whose globs were applied as it was read.

    :raises UsageError: if a glob can't be understood
    """
    excluded = compile_globs(layout.exclude)
    included = compile_globs(layout.include)
    left: list[Entry] = []
    removed: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        path = entry.path.removeprefix(layout.prefix)
        if entry.owner is None or _is_metadata(path) or not excluded(path) or included(path):
            left.append(entry)
        else:
            removed["exclude", entry.owner] += entry.size
    removable = find_removable(left, layout.prefix) if layout.slim else {}
    kept: list[Entry] = []
    for entry in left:
        rule = removable.get(entry.path)
        if rule is None or included(entry.path.removeprefix(layout.prefix)):
            kept.append(entry)
        else:
            removed[rule, entry.owner or ""] += entry.size
    return tuple(kept), tuple((*key, size) for key, size in sorted(removed.items()))


def _is_metadata(path: str) -> bool:
    return path.partition("/")[0].endswith(".dist-info")
