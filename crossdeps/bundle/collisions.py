"""Two things that want one path, found before anything is written."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import CollisionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crossdeps.bundle.model import Entry

_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A wish to lay out an entry.

    :param claimant: the wheel's file name, or the source file's path, for people
    :param foreign: whether the path lies in another project's .dist-info directory
    """

    entry: Entry
    claimant: str
    foreign: bool = False


def settle(claims: Iterable[Claim]) -> tuple[Entry, ...]:
    """One entry for each path, sorted; two claims of the same bytes are one.

    The first owner by name keeps a shared path, so that the order of claims never matters.

    :raises CollisionError: with every collision there is
    """
    by_path: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_path[claim.entry.path].append(claim)
    collisions = [
        *(f"{path}: {_names(wanted)} have different files" for path, wanted in _unlike(by_path)),
        *_files_against_directories(by_path),
        *(
            f"{claim.entry.path}: {claim.claimant} writes into another project's metadata"
            for path in sorted(by_path)
            for claim in by_path[path]
            if claim.foreign
        ),
    ]
    if collisions:
        raise _collision(sorted(collisions))
    return tuple(_chosen(by_path[path]) for path in sorted(by_path))


def case_collisions(paths: Iterable[str]) -> tuple[str, ...]:
    """Warnings about paths that differ only in case or in Unicode composition."""
    spellings: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for path in paths:
        part = path
        while part and part not in seen:
            seen.add(part)
            spellings[unicodedata.normalize("NFC", part).casefold()].add(part)
            part = part.rpartition("/")[0]
    return tuple(
        f"{' and '.join(sorted(alike))} are one file where case doesn't matter (macOS, Windows)"
        for _, alike in sorted(spellings.items())
        if len(alike) > 1
    )


def _unlike(by_path: Mapping[str, Sequence[Claim]]) -> Iterable[tuple[str, Sequence[Claim]]]:
    for path, wanted in by_path.items():
        if len({claim.entry.sha256 for claim in wanted}) > 1:
            yield path, wanted


def _files_against_directories(by_path: Mapping[str, Sequence[Claim]]) -> Iterable[str]:
    found: dict[str, list[Claim]] = {}
    for path, claims in by_path.items():
        parent = path.rpartition("/")[0]
        while parent:
            if parent in by_path:
                found.setdefault(parent, list(by_path[parent])).extend(claims)
            parent = parent.rpartition("/")[0]
    for path, claims in found.items():
        yield f"{path}: a file of one and a directory of another: {_names(claims)}"


def _chosen(claims: Sequence[Claim]) -> Entry:
    first = min(claims, key=lambda claim: (claim.entry.owner or "~", claim.claimant)).entry
    mode = max(claim.entry.mode for claim in claims)
    if mode == first.mode:
        return first
    # The other claim has the same bytes: the one that may be executed serves both.
    return min(
        (claim for claim in claims if claim.entry.mode == mode),
        key=lambda claim: (claim.entry.owner or "~", claim.claimant),
    ).entry


def _names(claims: Sequence[Claim]) -> str:
    names = sorted({claim.claimant for claim in claims})
    return " and ".join(names) if len(names) > 1 else f"{names[0]} twice"


def _collision(lines: Sequence[str]) -> CollisionError:
    shown = tuple(lines[:_SHOWN])
    if len(lines) > _SHOWN:
        shown = (*shown, f"and {len(lines) - _SHOWN} more")
    many = f"{len(lines)} paths are" if len(lines) > 1 else "a path is"
    return CollisionError(
        f"{many} wanted by more than one project",
        context=shown,
        hint="leave one of them out (--exclude), or ask for versions that agree",
    )
