"""Paths that several wheels or the source have, and paths that differ only in case."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import CollisionError
from crossdeps.text import first_lines, join_words, plural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from crossdeps.bundle.model import Entry

_MAX_SHOWN = 20


class PlannedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, and what it comes from.

    :param origin: the wheel's file name, or the path of the source file, for messages
    :param in_foreign_metadata: whether its path is in the .dist-info directory of another project
    """

    entry: Entry
    origin: str
    in_foreign_metadata: bool = False


def resolve_collisions(planned: Iterable[PlannedEntry], prefix: str = "") -> tuple[Entry, ...]:
    """Return one entry for each path, sorted; entries with the same bytes don't collide.

    The first owner by name keeps a shared path, so that the order of *planned* doesn't matter.

    :param prefix: of the layout, which patterns do without
    :raises CollisionError: with all collisions
    """
    by_path: dict[str, list[PlannedEntry]] = defaultdict(list)
    for each in planned:
        by_path[each.entry.path].append(each)
    collisions = [
        *(
            f"{path}: {_join_origins(group)} have different files"
            for path, group in by_path.items()
            if len({each.entry.sha256 for each in group}) > 1
        ),
        *_find_files_as_directories(by_path),
        *(
            f"{path}: {each.origin} writes into another project's metadata"
            for path, group in by_path.items()
            for each in group
            if each.in_foreign_metadata
        ),
    ]
    if collisions:
        lines = sorted(collisions)
        path = lines[0].partition(": ")[0].removeprefix(prefix)
        raise CollisionError(
            f"{plural(len(collisions), 'path collides', 'paths collide')} between projects",
            context=first_lines(lines, _MAX_SHOWN),
            hint=f"leave out the path (--exclude '/{path}') or one of the projects"
            " (--exclude-project), or require versions that do not collide",
        )
    return tuple(_choose(by_path[path]) for path in sorted(by_path))


def _find_files_as_directories(by_path: Mapping[str, Sequence[PlannedEntry]]) -> Iterable[str]:
    found: dict[str, list[PlannedEntry]] = {}
    for path, group in by_path.items():
        parent = path
        while parent := parent.rpartition("/")[0]:
            if parent in by_path:
                found.setdefault(parent, list(by_path[parent])).extend(group)
    for path, group in found.items():
        yield f"{path}: a file of one and a directory of another: {_join_origins(group)}"


def _join_origins(group: Sequence[PlannedEntry]) -> str:
    origins = sorted({each.origin for each in group})
    return join_words(origins) if len(origins) > 1 else f"{origins[0]} twice"


def _choose(group: Sequence[PlannedEntry]) -> Entry:
    """Return the first entry by owner; since their bytes are the same, an executable one."""
    return min(
        group, key=lambda each: (-each.entry.mode, each.entry.owner or "~", each.origin)
    ).entry


def have_distinct_spellings(paths: Collection[str]) -> bool:
    """Whether no two of *paths*, which are distinct, differ only in case or Unicode composition."""
    return len(set(map(_fold, paths))) == len(paths)


def _fold(path: str) -> str:
    if path.isascii():
        return path.lower()
    import unicodedata  # noqa: PLC0415 - few names have other letters

    return unicodedata.normalize("NFC", path).casefold()


def find_case_collisions(paths: Iterable[str]) -> tuple[str, ...]:
    """Return warnings about paths that differ only in case or in Unicode composition."""
    spellings: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for path in paths:
        part = path
        while part and part not in seen:
            seen.add(part)
            spellings[_fold(part)].add(part)
            part = part.rpartition("/")[0]
    return tuple(
        f"{join_words(sorted(alike))} are one file where case doesn't matter (macOS, Windows)"
        for _, alike in sorted(spellings.items())
        if len(alike) > 1
    )
