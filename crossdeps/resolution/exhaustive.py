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
from typing import TYPE_CHECKING

from crossdeps.resolution.wants import Impossible, Pin, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.resolution.provider import Provider

_DEEPEST = 400

Culprits = frozenset[str]
"""Projects whose pins brought something about; the user's own lines have none."""


class ExhaustedError(Exception):
    """The search took as many steps as it may."""


@dataclass(kw_only=True, slots=True)
class _State:
    """Pins so far, and every want on each project with those who are to blame for it."""

    pins: dict[str, Pin] = field(default_factory=dict)
    wants: dict[str, tuple[tuple[Want, Culprits], ...]] = field(default_factory=dict)

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

    def solve(self, roots: Sequence[Want]) -> dict[str, Pin] | None:
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
        self, state: _State, wants: Iterable[tuple[Want | Impossible, Culprits]]
    ) -> Culprits | None:
        for want, blamed in wants:
            if isinstance(want, Impossible):
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

    def _extend(self, state: _State, want: Want, pin: Pin, blamed: Culprits) -> Culprits | None:
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
