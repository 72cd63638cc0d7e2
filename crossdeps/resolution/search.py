"""One run of the search: for the answer, or for explaining that there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from resolvelib import ResolutionImpossible, ResolutionTooDeep
from resolvelib.resolvers import Resolution

from crossdeps.resolution.exhaustive import ExhaustedError, ExhaustiveSearch
from crossdeps.resolution.provider import Provider, TooManyVersionsError
from crossdeps.resolution.trail import CircleError, Trail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.progress import Progress
    from crossdeps.resolution.asked import Asked
    from crossdeps.resolution.catalogue import Catalogue
    from crossdeps.resolution.dependencies import Dependencies
    from crossdeps.resolution.trail import Information
    from crossdeps.resolution.wants import Pin, Want


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

    roots: tuple[Want, ...]
    pins: Mapping[str, Pin]
    end: End
    causes: tuple[Information, ...]
    trail: Trail
    provider: Provider


@dataclass(frozen=True, kw_only=True, slots=True)
class Searcher:
    """Everything that a run needs but its roots.

    :param sources: the one pin of each project whose file the user named
    :param preferences: versions to take where they satisfy
    """

    asked: Asked
    catalogue: Catalogue
    dependencies: Dependencies
    sources: Mapping[NormalizedName, Pin]
    preferences: Mapping[NormalizedName, Version]

    def attempt(
        self,
        roots: Sequence[Want],
        *,
        progress: Progress,
        max_rounds: int,
        max_versions: int | None = None,
    ) -> Attempt:
        """Search for pins that satisfy *roots*.

        :param max_versions: how many versions' dependencies may be looked at; None sets no bound
        """
        trail = Trail(progress)
        provider = Provider(
            asked=self.asked,
            catalogue=self.catalogue,
            dependencies=self.dependencies,
            sources=self.sources,
            preferences=self.preferences,
            trail=trail,
            max_versions=max_versions,
        )
        pins: Mapping[str, Pin] = {}
        causes: tuple[Information, ...] = ()
        end: End = "answer"
        try:
            # Resolver.resolve would recurse without end where pins that nothing reaches any more
            # want each other; what is reached is worked out from the pins later.
            pins = Resolution(provider, trail).resolve(roots, max_rounds=max_rounds).mapping
        except ResolutionImpossible as error:
            end, causes = "impossible", tuple(error.causes)
        except CircleError as error:
            end, causes = "circle", error.causes
        except (ResolutionTooDeep, TooManyVersionsError):
            end = "too-deep"
        if end != "answer" and trail.replaced:
            provider.allow_versions(_MORE_VERSIONS)
            end, pins = _try_everything(provider, roots, end, max_rounds)
        return Attempt(
            roots=tuple(roots), pins=pins, end=end, causes=causes, trail=trail, provider=provider
        )


def _try_everything(
    provider: Provider, roots: Sequence[Want], end: End, max_steps: int
) -> tuple[End, Mapping[str, Pin]]:
    """Settle what resolvelib, which replaced pins on its way, may have missed."""
    try:
        pins = ExhaustiveSearch(provider, max_steps=max_steps).solve(roots)
    except (ExhaustedError, TooManyVersionsError):
        return end, {}
    return ("impossible", {}) if pins is None else ("answer", pins)
