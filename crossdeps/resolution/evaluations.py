"""A project's files, evaluated for a target: candidates, and why other versions have none.

The table of an evaluation is small and says everything that a search needs, so it is kept from run
to run: neither file names nor versions are parsed again, and the page is not read. Only messages
about single files need the page; these are made when they are shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

from packaging.tags import Tag

from crossdeps.resolution.model import Candidate
from crossdeps.resolution.rejections import Mismatch, Reason

if TYPE_CHECKING:
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.index.model import ProjectFile
    from crossdeps.resolution.evaluation_table import EvaluationTable
    from crossdeps.resolution.rejections import Rejections


class Candidates(Sequence[Candidate]):
    """Candidates, best first, each created when it is accessed. Thread-safe."""

    def __init__(
        self,
        project: NormalizedName,
        table: EvaluationTable,
        open_file: Callable[[int], ProjectFile],
        parse_version: Callable[[str], Version],
    ) -> None:
        self._project = project
        self._table = table
        self._open_file = open_file
        self._parse_version = parse_version
        self._created: dict[int, Candidate] = {}
        self._positions: Sequence[int] = range(len(table.candidate_versions))

    def select(self, positions: Sequence[int]) -> Candidates:
        """Some of them."""
        selected = Candidates(self._project, self._table, self._open_file, self._parse_version)
        selected._created = self._created
        selected._positions = positions
        return selected

    def version(self, index: int) -> Version:
        """The version of one, without creating it."""
        return self._parse_version(self._table.candidate_versions[self._positions[index]])

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> Candidate: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Candidate]: ...
    def __getitem__(self, index: int | slice) -> Candidate | Sequence[Candidate]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = self._positions[index]
        found = self._created.get(position)
        if found is None:
            # Two threads may both create it; the values are equal, and one of them stays.
            found = self._created.setdefault(position, self._create(position))
        return found

    def _create(self, position: int) -> Candidate:
        table = self._table
        return Candidate(
            name=self._project,
            version=self._parse_version(table.candidate_versions[position]),
            file=self._open_file(position),
            tag=Tag(*table.tags[position].split("-")),
            tag_rank=table.ranks[position],
            build=table.builds.get(position, ()),
        )


class Matches:
    """Those of some candidates that satisfy a requirement, found as far as they are looked at.

    Thread-safe.

    :param found: their positions among *candidates*
    """

    def __init__(self, candidates: Candidates, found: Iterator[int]) -> None:
        self._candidates = candidates
        self._waiting = found
        self._positions: list[int] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Candidate]:
        return (self._candidates[position] for position in self._iterate())

    def __bool__(self) -> bool:
        return next(self._iterate(), None) is not None

    def find(self, version: Version) -> Candidate | None:
        """The one of *version*, if there is one."""
        for position in self._iterate():
            found = self._candidates.version(position)
            if found == version:
                return self._candidates[position]
            if found < version:  # they are sorted
                return None
        return None

    def _iterate(self) -> Iterator[int]:
        index = 0
        while True:
            with self._lock:
                if index == len(self._positions):
                    position = next(self._waiting, None)
                    if position is None:
                        return
                    self._positions.append(position)
            yield self._positions[index]
            index += 1


class Evaluation:
    """A project's files, evaluated for one target.

    :param open_file: the file of the candidate at a position
    :param parse_version: parses a valid version
    :param rejections: in page order
    """

    def __init__(
        self,
        project: NormalizedName,
        table: EvaluationTable,
        *,
        open_file: Callable[[int], ProjectFile],
        parse_version: Callable[[str], Version],
        rejections: Rejections,
    ) -> None:
        self.table = table
        self.rejections = rejections
        self._parse_version = parse_version
        self._all = Candidates(project, table, open_file, parse_version)
        best = [each for each in table.best if each >= 0]
        self.versions: Candidates = self._all.select(best)
        """The best candidate of each version, newest first."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All of them, best first: newest version, then best tag, then highest build tag."""
        return tuple(self._all)

    def own_versions(self) -> dict[str, list[Version]]:
        """The versions, newest first, that only one index has a file of, by index.

        Empty unless several indexes have such versions.
        """
        table, shared = self.table, set(self.table.shared)
        positions = [each for each in range(len(table.indexes)) if each not in shared]
        if len({table.indexes[position] for position in positions}) < 2:
            return {}
        own: dict[str, dict[Version, None]] = {}
        for position in positions:
            version = self._parse_version(table.candidate_versions[position])
            own.setdefault(table.indexes[position], {}).setdefault(version)
        return {index: list(versions) for index, versions in own.items()}

    def newer_than(self, version: Version) -> Iterator[tuple[Version, int]]:
        """The versions that are newer, newest first, with the row of each."""
        for row, text in enumerate(self.table.versions):
            found = self._parse_version(text)
            if found <= version:
                return
            yield found, row

    def state(self, row: int) -> Candidate | Mismatch:
        """The best candidate of a version, or why the file nearest to fitting doesn't fit."""
        table = self.table
        if table.best[row] >= 0:
            return self._all[table.best[row]]
        reason, detail = table.mismatches[table.nearest[row]]
        return Mismatch(Reason(reason), detail)
