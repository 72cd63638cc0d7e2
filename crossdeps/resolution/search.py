"""A complete search, for the rare problems that resolvelib's can't settle.

resolvelib replaces a pin where a later want allows another version of its project. Where projects
want each other in a circle, it can so lose a version that it never tried out, and miss an answer or
go round without end. Here a pin is only taken back by trying the next one: every combination is
tried or shown to fail, with jumps over choices that had no part in a contradiction
(conflict-directed backjumping; Prosser, "Hybrid algorithms for the constraint satisfaction
problem", 1993).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from resolvelib import ResolutionImpossible, ResolutionTooDeep
from resolvelib.resolvers import Resolution

from crossdeps.resolution.model import Dependency, Pin, Unusable
from crossdeps.resolution.provider import Provider, TooManyVersionsError
from crossdeps.resolution.reporter import CircleError, SearchLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.progress import Progress
    from crossdeps.resolution.dependencies import DependencyReader
    from crossdeps.resolution.reporter import Information
    from crossdeps.resolution.repository import Repository
    from crossdeps.resolution.root_requirements import RootRequirements

_DEEPEST = 400

Culprits = frozenset[str]
"""Projects whose pins brought something about; the user's own lines have none."""


class ExhaustedError(Exception):
    """The search took as many steps as it may."""


@dataclass(kw_only=True, slots=True)
class _State:
    """Pins so far, and every want on each project with those who are to blame for it."""

    pins: dict[str, Pin] = field(default_factory=dict)
    wants: dict[str, tuple[tuple[Dependency, Culprits], ...]] = field(default_factory=dict)

    def copy(self) -> _State:
        return _State(pins=dict(self.pins), wants=dict(self.wants))

    def culprits(self, name: str) -> Culprits:
        """All who want something of a project."""
        return frozenset().union(*(blamed for _, blamed in self.wants[name]))


class ExhaustiveSearch:
    """Tries every combination of pins, best first.

    :param max_steps: how many pins may be tried
    """

    def __init__(self, provider: Provider, *, max_steps: int) -> None:
        self._provider = provider
        self._steps = max_steps

    def solve(self, roots: Sequence[Dependency]) -> dict[str, Pin] | None:
        """Pins that satisfy *roots*, or None where there are none.

        :raises ExhaustedError: if that can't be said within the steps allowed
        """
        state = _State()
        if self._add(state, [(root, frozenset()) for root in roots]) is not None:
            return None
        found = self._search(state, 0)
        return found if isinstance(found, dict) else None

    def _search(self, state: _State, depth: int) -> dict[str, Pin] | Culprits:
        """The answer, or those who are to blame that there is none below *state*."""
        name = self._next(state)
        if name is None:
            return state.pins
        if depth > _DEEPEST:
            raise ExhaustedError
        blamed = set(state.culprits(name))
        for pin in self._provider.options([want for want, _ in state.wants[name]]):
            self._steps -= 1
            if self._steps < 0:
                raise ExhaustedError
            after = state.copy()
            found: dict[str, Pin] | Culprits | None = self._pin(after, pin)
            if found is None:
                found = self._search(after, depth + 1)
            if isinstance(found, dict) or name not in found:
                return found
            blamed |= found - {name}
        return frozenset(blamed)

    def _next(self, state: _State) -> str | None:
        waiting = [name for name in state.wants if name not in state.pins]
        return min(
            waiting,
            key=lambda name: (
                not any(want.pinned for want, _ in state.wants[name]),
                not any(want.bounded for want, _ in state.wants[name]),
            ),
            default=None,
        )

    def _pin(self, state: _State, pin: Pin) -> Culprits | None:
        """Pin, and add what it wants; returns those to blame for a contradiction."""
        known = state.pins.get(pin.name)
        before = set(self._provider.get_dependencies(known)) if known else set()
        state.pins[pin.name] = pin
        extras = (blamed for want, blamed in state.wants[pin.name] if want.extras)
        blamed = frozenset((pin.name,)).union(*extras)
        return self._add(
            state,
            [(want, blamed) for want in self._provider.get_dependencies(pin) if want not in before],
        )

    def _add(
        self, state: _State, wants: Iterable[tuple[Dependency | Unusable, Culprits]]
    ) -> Culprits | None:
        for want, blamed in wants:
            if isinstance(want, Unusable):
                return blamed
            name = want.name
            state.wants[name] = (*state.wants.get(name, ()), (want, blamed))
            pin = state.pins.get(name)
            if pin is None:
                if not any(True for _ in self._options(state, name)):
                    return state.culprits(name)
            elif not self._provider.is_satisfied_by(want, pin):
                problem = self._extend(state, want, pin, blamed)
                if problem is not None:
                    return problem
        return None

    def _extend(
        self, state: _State, want: Dependency, pin: Pin, blamed: Culprits
    ) -> Culprits | None:
        """Give a pin more extras; its version stays, or there is a contradiction."""
        more = next(
            (other for other in self._options(state, pin.name) if other.version == pin.version),
            None,
        )
        if more is None or not self._provider.is_satisfied_by(want, more):
            return blamed | state.culprits(pin.name) | {pin.name}
        return self._pin(state, more)

    def _options(self, state: _State, name: str) -> Iterable[Pin]:
        return self._provider.options([want for want, _ in state.wants[name]])


# How many more versions a complete search may look at: each may have to be fetched.
_MORE_VERSIONS = 200

End = Literal["answer", "impossible", "circle", "too-deep"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What a run of the search came to.

    :param roots: what it had to satisfy
    :param pins: the answer, where there is one
    :param end: how it ended; a ``circle`` is a set of projects that keep replacing each other
    :param causes: what contradicted each other last, where there is no answer
    """

    roots: tuple[Dependency, ...]
    pins: Mapping[str, Pin]
    end: End
    causes: tuple[Information, ...]
    search_log: SearchLog
    provider: Provider


@dataclass(frozen=True, kw_only=True, slots=True)
class Searcher:
    """Everything that a run needs but its roots.

    :param sources: the one pin of each project whose file the user named
    :param preferences: versions to take where they satisfy
    """

    asked: RootRequirements
    repository: Repository
    dependencies: DependencyReader
    sources: Mapping[NormalizedName, Pin]
    preferences: Mapping[NormalizedName, Version]

    def attempt(
        self,
        roots: Sequence[Dependency],
        *,
        progress: Progress,
        max_rounds: int,
        max_versions: int | None = None,
    ) -> Attempt:
        """Search for pins that satisfy *roots*.

        :param max_versions: how many versions' dependencies may be looked at; None sets no bound
        """
        search_log = SearchLog(progress)
        provider = Provider(
            asked=self.asked,
            repository=self.repository,
            dependencies=self.dependencies,
            sources=self.sources,
            preferences=self.preferences,
            search_log=search_log,
            max_versions=max_versions,
        )
        pins: Mapping[str, Pin] = {}
        causes: tuple[Information, ...] = ()
        end: End = "answer"
        try:
            # Resolver.resolve would recurse without end where pins that nothing reaches any more
            # want each other; what is reached is worked out from the pins later.
            pins = Resolution(provider, search_log).resolve(roots, max_rounds=max_rounds).mapping
        except ResolutionImpossible as error:
            end, causes = "impossible", tuple(error.causes)
        except CircleError as error:
            end, causes = "circle", error.causes
        except (ResolutionTooDeep, TooManyVersionsError):
            end = "too-deep"
        if end != "answer" and search_log.replaced:
            provider.allow_versions(_MORE_VERSIONS)
            end, pins = _try_everything(provider, roots, end, max_rounds)
        return Attempt(
            roots=tuple(roots),
            pins=pins,
            end=end,
            causes=causes,
            search_log=search_log,
            provider=provider,
        )


def _try_everything(
    provider: Provider, roots: Sequence[Dependency], end: End, max_steps: int
) -> tuple[End, Mapping[str, Pin]]:
    """Settle what resolvelib, which replaced pins on its way, may have missed."""
    try:
        pins = ExhaustiveSearch(provider, max_steps=max_steps).solve(roots)
    except (ExhaustedError, TooManyVersionsError):
        return end, {}
    return ("impossible", {}) if pins is None else ("answer", pins)
