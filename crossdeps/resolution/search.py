"""The search: resolvelib's, and a complete one for the few problems that it cannot solve.

resolvelib replaces a pin when a later dependency allows another version of its project. Where
projects require each other in a cycle, it can so lose a version that it never tried, and miss a
solution or repeat itself without end. The complete search takes a pin back only by trying the next
one: every combination is tried or shown to fail, with jumps over choices that had no part in a
conflict (conflict-directed backjumping; Prosser, "Hybrid algorithms for the constraint
satisfaction problem", 1993).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
from resolvelib import ResolutionImpossible, ResolutionTooDeep
from resolvelib.resolvers import Resolution

from crossdeps.resolution.model import Dependency, Pin, Unusable
from crossdeps.resolution.provider import Provider, TooManyVersionsError
from crossdeps.resolution.reporter import CycleError, SearchLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version
    from resolvelib.resolvers.criterion import Criterion

    from crossdeps.progress import Progress
    from crossdeps.resolution.dependencies import DependencyReader
    from crossdeps.resolution.model import PinObserver
    from crossdeps.resolution.reporter import Information
    from crossdeps.resolution.repository import Repository
    from crossdeps.resolution.root_requirements import RootRequirements

_MAX_DEPTH = 400
# How many more versions the complete search may read: each may have to be fetched.
_MORE_VERSIONS = 200

Status = Literal["solved", "impossible", "cycle", "limit"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one search.

    :param roots: what the pins had to satisfy
    :param pins: the solution, if there is one
    :param status: a ``cycle`` is a set of projects that replace each other without end
    :param causes: the last conflict, if there is no solution
    """

    roots: tuple[Dependency, ...]
    pins: Mapping[str, Pin]
    status: Status
    causes: tuple[Information, ...]
    search_log: SearchLog
    provider: Provider


class Searcher(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a search needs except its roots.

    :param sources: the one pin of each project whose file the user named
    :param preferences: versions to prefer
    """

    roots: RootRequirements
    repository: Repository
    dependencies: DependencyReader
    sources: Mapping[NormalizedName, Pin]
    preferences: Mapping[NormalizedName, Version]

    def search(
        self,
        roots: Sequence[Dependency],
        *,
        progress: Progress,
        max_rounds: int,
        max_versions: int | None = None,
        observer: PinObserver | None = None,
    ) -> Attempt:
        """Search for pins that satisfy *roots*.

        :param max_versions: how many versions' dependencies may be read; None sets no limit
        :param observer: is told of the pins while the search goes on
        """
        search_log = SearchLog(progress, observer)
        provider = Provider(
            repository=self.repository,
            dependencies=self.dependencies,
            sources=self.sources,
            preferences=self.preferences,
            search_log=search_log,
            max_versions=max_versions,
        )
        pins: Mapping[str, Pin] = {}
        causes: tuple[Information, ...] = ()
        status: Status = "solved"
        try:
            # Resolver.resolve would recurse without end where pins that nothing requires any more
            # require each other; the projects that the roots reach are found later.
            pins = _Resolution(provider, search_log).resolve(roots, max_rounds=max_rounds).mapping
        except ResolutionImpossible as error:
            status, causes = "impossible", tuple(error.causes)
        except CycleError as error:
            status, causes = "cycle", error.causes
        except (ResolutionTooDeep, TooManyVersionsError):
            status = "limit"
        if status != "solved" and search_log.replaced:
            provider.allow_versions(_MORE_VERSIONS)
            status, pins = _search_completely(provider, roots, status, max_rounds)
        return Attempt(
            roots=tuple(roots),
            pins=pins,
            status=status,
            causes=causes,
            search_log=search_log,
            provider=provider,
        )


class _Resolution(Resolution["Dependency | Unusable", Pin, str]):
    """resolvelib's, which asks in each round whether each pin satisfies all that is required of it.

    A criterion is replaced when its requirements change, so the answer for one and a pin holds.
    """

    def __init__(self, provider: Provider, search_log: SearchLog) -> None:
        super().__init__(provider, search_log)
        self._satisfying: dict[str, tuple[object, Pin, bool]] = {}

    def _is_current_pin_satisfying(
        self, name: str, criterion: Criterion[Dependency | Unusable, Pin]
    ) -> bool:
        pin = self.state.mapping.get(name)
        if pin is None:
            return False
        known = self._satisfying.get(name)
        if known is not None and known[0] is criterion and known[1] is pin:
            return known[2]
        found = super()._is_current_pin_satisfying(name, criterion)
        self._satisfying[name] = (criterion, pin, found)
        return found


def _search_completely(
    provider: Provider, roots: Sequence[Dependency], status: Status, max_steps: int
) -> tuple[Status, Mapping[str, Pin]]:
    """Solve what resolvelib may have missed; *status* if the limits don't allow it."""
    try:
        pins = _CompleteSearch(provider, max_steps=max_steps).solve(roots)
    except (_StepLimitError, TooManyVersionsError):
        return status, {}
    return ("impossible", {}) if pins is None else ("solved", pins)


Causes = frozenset[str]
"""Projects whose pins led to something; nothing is in it for the user's own requirements."""


class _StepLimitError(Exception):
    """The search took as many steps as allowed."""


class _State(msgspec.Struct):
    """Pins so far, and the dependencies on each project, with the causes of each."""

    pins: dict[str, Pin] = msgspec.field(default_factory=dict)
    dependencies: dict[str, tuple[tuple[Dependency, Causes], ...]] = msgspec.field(
        default_factory=dict
    )

    def copy(self) -> _State:
        return _State(dict(self.pins), dict(self.dependencies))

    def dependencies_on(self, name: str) -> list[Dependency]:
        """The dependencies on a project."""
        return [dependency for dependency, _ in self.dependencies[name]]

    def causes(self, name: str) -> Causes:
        """The causes of all dependencies on a project."""
        return frozenset().union(*(causes for _, causes in self.dependencies[name]))


class _CompleteSearch:
    """Tries every combination of pins, best first.

    :param max_steps: how many pins may be tried
    """

    def __init__(self, provider: Provider, *, max_steps: int) -> None:
        self._provider = provider
        self._steps = max_steps

    def solve(self, roots: Sequence[Dependency]) -> dict[str, Pin] | None:
        """Pins that satisfy *roots*, or None if there are none.

        :raises _StepLimitError: if the steps allowed don't suffice
        """
        state = _State()
        if self._add(state, roots, frozenset()) is not None:
            return None
        found = self._search(state, 0)
        return found if isinstance(found, dict) else None

    def _search(self, state: _State, depth: int) -> dict[str, Pin] | Causes:
        """The solution, or the causes that *state* has none."""
        name = self._choose_project(state)
        if name is None:
            return state.pins
        if depth > _MAX_DEPTH:
            raise _StepLimitError
        causes = set(state.causes(name))
        for pin in self._options(state, name):
            self._steps -= 1
            if self._steps < 0:
                raise _StepLimitError
            after = state.copy()
            found: dict[str, Pin] | Causes | None = self._pin(after, pin)
            if found is None:
                found = self._search(after, depth + 1)
            if isinstance(found, dict) or name not in found:
                return found
            causes |= found - {name}
        return frozenset(causes)

    def _choose_project(self, state: _State) -> str | None:
        waiting = [name for name in state.dependencies if name not in state.pins]
        return min(
            waiting,
            key=lambda name: (
                not any(item.pinned for item in state.dependencies_on(name)),
                not any(item.bounded for item in state.dependencies_on(name)),
            ),
            default=None,
        )

    def _pin(self, state: _State, pin: Pin) -> Causes | None:
        """Pin, and add the dependencies; the causes of a conflict, if there is one."""
        known = state.pins.get(pin.name)
        before = set(self._provider.get_dependencies(known)) if known else set()
        state.pins[pin.name] = pin
        extras = (causes for item, causes in state.dependencies[pin.name] if item.extras)
        added = [item for item in self._provider.get_dependencies(pin) if item not in before]
        return self._add(state, added, frozenset((pin.name,)).union(*extras))

    def _add(
        self, state: _State, dependencies: Iterable[Dependency | Unusable], causes: Causes
    ) -> Causes | None:
        for item in dependencies:
            if isinstance(item, Unusable):
                return causes
            name = item.name
            state.dependencies[name] = (*state.dependencies.get(name, ()), (item, causes))
            pin = state.pins.get(name)
            if pin is None:
                if next(self._options(state, name), None) is None:
                    return state.causes(name)
            elif not self._provider.is_satisfied_by(item, pin):
                conflict = self._add_extras(state, item, pin, causes)
                if conflict is not None:
                    return conflict
        return None

    def _add_extras(
        self, state: _State, dependency: Dependency, pin: Pin, causes: Causes
    ) -> Causes | None:
        """Pin the same version with more extras, or return the causes of the conflict."""
        options = self._options(state, pin.name)
        more = next((other for other in options if other.version == pin.version), None)
        if more is None or not self._provider.is_satisfied_by(dependency, more):
            return causes | state.causes(pin.name) | {pin.name}
        return self._pin(state, more)

    def _options(self, state: _State, name: str) -> Iterator[Pin]:
        return self._provider.options(state.dependencies_on(name))
