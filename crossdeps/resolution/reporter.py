"""What happened during a search: for its order, and for explanations."""

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

    Information = RequirementInformation[Dependency | Unusable, Pin]

# The same pins three times without a conflict in between: the search will never leave them.
_CIRCLE = 3


class CircleError(Exception):
    """Projects replace each other for ever: each wants another version of the next."""

    def __init__(self, causes: tuple[Information, ...]) -> None:
        super().__init__()
        self.causes = causes


class SearchLog(BaseReporter["Dependency | Unusable", Pin, str]):
    """Notes of one run of the search.

    :ivar conflicts: how often each project stood in the way
    :ivar first_conflict: what contradicted each other first, about the newest versions
    :ivar against: what stood against a version when it was first tried
    :ivar askers: who first brought a project in
    :ivar tried: the versions of each project that were pinned or rejected
    :ivar replaced: whether a pin had to give way to another version of its project
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rounds = 0
        self._met: Counter[frozenset[int]] = Counter()
        self._moved: dict[str, None] = {}
        self._current: dict[str, Version] | None = {}
        self._unpins = False
        self.replaced = False
        self.conflicts: Counter[str] = Counter()
        self.first_conflict: tuple[Information, ...] = ()
        self.first_conflicts: dict[str, tuple[Information, ...]] = {}
        self.against: dict[tuple[str, Version], tuple[Information, ...]] = {}
        self.required_by: dict[str, tuple[Dependency, Pin | None]] = {}
        self.tried: dict[str, set[Version]] = {}

    def starting_round(self, index: int) -> None:
        """Count the rounds."""
        self._rounds = index

    def ending_round(self, index: int, state: State[Dependency | Unusable, Pin, str]) -> None:
        """Notice a search that goes round in a circle.

        :raises CircleError: if it does
        """
        del index
        if self._current is None:
            self._current = {name: pin.version for name, pin in state.mapping.items()}
        pins = frozenset(id(pin) for pin in state.mapping.values())
        self._met[pins] += 1
        if self._met[pins] >= _CIRCLE:
            raise CircleError(
                tuple(
                    cause
                    for name in sorted(self._moved)
                    if name in state.criteria
                    for cause in state.criteria[name].information
                )
            )

    def adding_requirement(self, requirement: Dependency | Unusable, parent: Pin | None) -> None:
        """Remember who first brought a project in, and whether its pin must give way."""
        if isinstance(requirement, Dependency):
            self.required_by.setdefault(requirement.name, (requirement, parent))
            pinned = (self._current or {}).get(requirement.name)
            if pinned is not None and not requirement.specifier.contains(pinned, prereleases=True):
                self._unpins = True

    def rejecting_candidate(
        self, criterion: Criterion[Dependency | Unusable, Pin], candidate: Pin
    ) -> None:
        """Remember what stood in the way when it first did."""
        self._unpins = False
        causes = tuple(criterion.information)
        self.tried.setdefault(candidate.name, set()).add(candidate.version)
        self.against.setdefault((candidate.name, candidate.version), causes)
        self.first_conflict = self.first_conflict or causes
        for cause in causes:
            self.first_conflicts.setdefault(cause.requirement.name, causes)

    def resolving_conflicts(self, causes: Collection[Information]) -> None:
        """Tell that pins are taken back."""
        self._met.clear()
        self._moved.clear()
        self._current = None
        names = sorted({cause.requirement.name for cause in causes})
        self.conflicts.update(names)
        self._progress.backtracking(", ".join(names), self._rounds)

    def pinning(self, candidate: Pin) -> None:
        """Tell of a pin."""
        self._moved[candidate.name] = None
        self.replaced = self.replaced or self._unpins
        self._unpins = False
        if self._current is not None:
            self._current[candidate.name] = candidate.version
        self.tried.setdefault(candidate.name, set()).add(candidate.version)
        self._progress.considered(candidate.name, str(candidate.version), len(self.tried))

    def chain(self, want: Dependency, parent: Pin | None) -> tuple[str, ...]:
        """Who asked for it, from the user's line down to the want itself."""
        lines: list[str] = []
        seen: set[str] = set()
        while parent is not None and parent.name not in seen:
            lines.append(f"{parent.name} {parent.version} wants {want.text}")
            seen.add(parent.name)
            want, parent = self.required_by[parent.name]
        if parent is None:
            lines.append(f"{want.origin}: {want.text}")
        return tuple(reversed(lines))


def describe(cause: Information) -> str:
    """Who wants what, such as ``fastapi 0.110 wants starlette<0.38``."""
    requirement, parent = cause.requirement, cause.parent
    if isinstance(requirement, Unusable):
        return f"{requirement.name} {requirement.version}: {requirement.detail}"
    if parent is not None:
        return f"{parent.name} {parent.version} wants {requirement.text}"
    return f"{requirement.origin}: {requirement.text}"
