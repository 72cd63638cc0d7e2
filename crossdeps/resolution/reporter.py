"""The log of a search, for its order of decisions and for explanations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from resolvelib import BaseReporter

from crossdeps.resolution.model import Dependency, Pin, Unusable

if TYPE_CHECKING:
    from collections.abc import Collection

    from packaging.version import Version
    from resolvelib.resolvers.criterion import Criterion
    from resolvelib.structs import RequirementInformation, State

    from crossdeps.progress import Progress
    from crossdeps.resolution.model import PinObserver

    Information = RequirementInformation[Dependency | Unusable, Pin]

# The same pins so many times without a conflict in between: the search will not end.
_MAX_REPEATS = 3


class CycleError(Exception):
    """Pins replace each other without end: each requires another version of the next project."""

    def __init__(self, causes: tuple[Information, ...]) -> None:
        super().__init__()
        self.causes = causes


class SearchLog(BaseReporter["Dependency | Unusable", Pin, str]):
    """A reporter that records one run of the search.

    :param observer: is told of the pins
    :ivar conflicts: how many conflicts each project was part of
    :ivar first_conflict: the requirements of the first conflict, between the newest versions
    :ivar first_conflicts: the same, by project
    :ivar rejected_by: the requirements that a version conflicted with when it was first tried
    :ivar required_by: the first requirement on each project, and its parent
    :ivar tried: the versions of each project that were pinned or rejected
    :ivar replaced: whether a pin was replaced by another version of its project
    """

    def __init__(self, progress: Progress, observer: PinObserver | None = None) -> None:
        self._progress = progress
        self._observer = observer
        self._rounds = 0
        self._repeats: Counter[frozenset[int]] = Counter()
        self._moved: dict[str, None] = {}
        self._current: dict[str, Version] | None = {}
        self._replaces = False
        self.replaced: bool = False
        self.conflicts: Counter[str] = Counter()
        self.first_conflict: tuple[Information, ...] = ()
        self.first_conflicts: dict[str, tuple[Information, ...]] = {}
        self.rejected_by: dict[tuple[str, Version], tuple[Information, ...]] = {}
        self.required_by: dict[str, tuple[Dependency, Pin | None]] = {}
        self.tried: dict[str, set[Version]] = {}

    def starting_round(self, index: int) -> None:
        """Record the number of the round."""
        self._rounds = index

    def ending_round(self, index: int, state: State[Dependency | Unusable, Pin, str]) -> None:
        """Detect a search that repeats itself.

        :raises CycleError: if it does
        """
        del index
        if self._current is None:
            self._current = {name: pin.version for name, pin in state.mapping.items()}
            if self._observer is not None:
                self._observer.kept(state.mapping.values())
        pins = frozenset(id(pin) for pin in state.mapping.values())
        self._repeats[pins] += 1
        if self._repeats[pins] >= _MAX_REPEATS:
            raise CycleError(
                tuple(
                    cause
                    for name in sorted(self._moved)
                    if name in state.criteria
                    for cause in state.criteria[name].information
                )
            )

    def adding_requirement(self, requirement: Dependency | Unusable, parent: Pin | None) -> None:
        """Record the first requirement on a project, and whether it rules out its pin."""
        if isinstance(requirement, Dependency):
            self.required_by.setdefault(requirement.name, (requirement, parent))
            pinned = (self._current or {}).get(requirement.name)
            if pinned is not None and not requirement.specifier.contains(pinned, prereleases=True):
                self._replaces = True

    def rejecting_candidate(
        self, criterion: Criterion[Dependency | Unusable, Pin], candidate: Pin
    ) -> None:
        """Record the requirements that a candidate conflicts with."""
        self._replaces = False
        causes = tuple(criterion.information)
        self.tried.setdefault(candidate.name, set()).add(candidate.version)
        self.rejected_by.setdefault((candidate.name, candidate.version), causes)
        self.first_conflict = self.first_conflict or causes
        for cause in causes:
            self.first_conflicts.setdefault(cause.requirement.name, causes)

    def resolving_conflicts(self, causes: Collection[Information]) -> None:
        """Report that the search backtracks."""
        self._repeats.clear()
        self._moved.clear()
        self._current = None
        names = sorted({cause.requirement.name for cause in causes})
        self.conflicts.update(names)
        self._progress.backtracking(", ".join(names), self._rounds)

    def pinning(self, candidate: Pin) -> None:
        """Record and report a pin."""
        self._moved[candidate.name] = None
        self.replaced = self.replaced or self._replaces
        self._replaces = False
        if self._current is not None:
            self._current[candidate.name] = candidate.version
        self.tried.setdefault(candidate.name, set()).add(candidate.version)
        if self._observer is not None:
            self._observer.pinned(candidate)
        self._progress.considered(candidate.name, str(candidate.version), len(self.tried))

    def chain(self, dependency: Dependency, parent: Pin | None) -> tuple[str, ...]:
        """The requirements that lead to *dependency*, from the user's line to itself."""
        lines: list[str] = []
        seen: set[str] = set()
        while parent is not None and parent.name not in seen:
            lines.append(describe(dependency, parent))
            seen.add(parent.name)
            dependency, parent = self.required_by[parent.name]
        if parent is None:
            lines.append(describe(dependency, parent))
        return tuple(reversed(lines))


def describe(requirement: Dependency | Unusable, parent: Pin | None) -> str:
    """A requirement with its dependent, such as ``fastapi 0.110 requires starlette<0.38``."""
    if isinstance(requirement, Unusable):
        return f"{requirement.name} {requirement.version}: {requirement.detail}"
    if parent is not None:
        return f"{parent.name} {parent.version} requires {requirement.text}"
    return f"{requirement.origin}: {requirement.text}"
