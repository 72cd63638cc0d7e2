"""The search's rules, as resolvelib asks for them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from resolvelib import AbstractProvider

from crossdeps.errors import SdistBuildError
from crossdeps.resolution.explain.failures import describe_wheels
from crossdeps.resolution.model import Dependency, Pin, Unusable
from crossdeps.resolution.reporter import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.resolution.dependencies import DependencyReader
    from crossdeps.resolution.model import Candidate
    from crossdeps.resolution.reporter import Information, SearchLog
    from crossdeps.resolution.repository import Repository
    from crossdeps.resolution.root_requirements import RootRequirements

# A project that stood in the way this often is decided before the others.
_TROUBLESOME = 5


# After so many versions of one project the next ones are fetched together, up to so many.
_STREAK = 4
_FAR = 32


class TooManyVersionsError(Exception):
    """A search that is only for an explanation looked at as much as it may."""


class Provider(AbstractProvider["Dependency | Unusable", Pin, str]):
    """Candidates, their order, and what they want.

    :param sources: the one pin of each project whose file the user named
    :param preferences: versions to take where they satisfy, such as those of an earlier lock
    """

    def __init__(
        self,
        *,
        asked: RootRequirements,
        repository: Repository,
        dependencies: DependencyReader,
        sources: Mapping[NormalizedName, Pin],
        preferences: Mapping[NormalizedName, Version],
        search_log: SearchLog,
        max_versions: int | None = None,
    ) -> None:
        self._asked = asked
        self._catalogue = repository
        self._dependencies = dependencies
        self._sources = sources
        self._preferences = preferences
        self._trail = search_log
        self._max_versions = max_versions
        self._versions_of: Counter[str] = Counter()
        self._seen: dict[str, int] = {}
        self._pins: dict[tuple[str, frozenset[NormalizedName]], Pin] = {}
        self._combined: dict[frozenset[str], SpecifierSet] = {}
        self._wanted: dict[Pin, tuple[Dependency | Unusable, ...]] = {}

    def allow_versions(self, more: int) -> None:
        """Let the dependencies of no more than so many further versions be looked at."""
        bound = len(self._wanted) + more
        self._max_versions = min(bound, self._max_versions or bound)

    def identify(self, requirement_or_candidate: Dependency | Unusable | Pin) -> str:
        """The project's name; what is impossible stands alone."""
        return _identity(requirement_or_candidate)

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Dependency | Unusable]],
        incompatibilities: Mapping[str, Iterator[Pin]],
    ) -> Sequence[Pin] | Callable[[], Iterator[Pin]]:
        """Pins of a project, best first, without asking for their metadata."""
        wants = [want for want in requirements[identifier] if isinstance(want, Dependency)]
        if not wants:
            return ()
        self._seen.setdefault(identifier, len(self._seen))
        spent = [(pin.version, pin.extras) for pin in incompatibilities[identifier]]
        return lambda: (pin for pin in self.options(wants) if not _is_spent(pin, spent))

    def options(self, wants: Sequence[Dependency]) -> Iterator[Pin]:
        """Pins that satisfy *wants*, all on one project, with every extra that they ask for."""
        name = wants[0].name
        extras = frozenset().union(*(want.extras for want in wants))
        specifier = self._combine(wants)
        if name in self._sources:
            pin = self._source_pin(name, extras)
            return iter((pin,) if specifier.contains(pin.version, prereleases=True) else ())
        candidates = self._in_order(name, self._catalogue.matching(name, specifier))
        return (self._pin(candidate, extras) for candidate in candidates)

    def is_satisfied_by(self, requirement: Dependency | Unusable, candidate: Pin) -> bool:
        """Whether a pin is what a want asks for, its extras included."""
        return (
            isinstance(requirement, Dependency)
            and requirement.extras <= candidate.extras
            and requirement.specifier.contains(candidate.version, prereleases=True)
        )

    def get_dependencies(self, candidate: Pin) -> tuple[Dependency | Unusable, ...]:
        """What a pin wants; its metadata is read now, and not before."""
        known = self._wanted.get(candidate)
        if known is None:
            if self._max_versions is not None and len(self._wanted) >= self._max_versions:
                raise TooManyVersionsError
            self._look_ahead(candidate)
            known = self._wanted[candidate] = self.list_dependencies(candidate, candidate.extras)
            self._catalogue.prefetch([want.name for want in known if isinstance(want, Dependency)])
        return known

    def _look_ahead(self, pin: Pin) -> None:
        """Fetch the metadata of the next versions where one after the other falls."""
        self._versions_of[pin.name] += 1
        count = self._versions_of[pin.name]
        if pin.candidate is None or count % _STREAK:
            return
        older = [
            candidate
            for candidate in self._catalogue.project(pin.name).versions
            if candidate.version < pin.version
        ]
        self._catalogue.prefetch_metadata(older[: min(count, _FAR)])

    def list_dependencies(
        self, pin: Pin, extras: frozenset[NormalizedName]
    ) -> tuple[Dependency | Unusable, ...]:
        """What *pin* wants when it is asked for with *extras*."""
        try:
            metadata = self._catalogue.candidate_metadata(pin)
        except SdistBuildError as error:
            if pin.candidate is not None and pin.name in self._trail.required_by:
                found = self._catalogue.project(pin.name)
                error.within(
                    *self._trail.chain(*self._trail.required_by[pin.name]),
                    *describe_wheels(pin.candidate, found, self._catalogue.target),
                )
            raise
        if isinstance(metadata, Unusable):
            return (metadata,)
        return self._dependencies.of(metadata, extras)

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Pin],
        candidates: Mapping[str, Iterator[Pin]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> Iterable[str]:
        """What made the search turn back is decided first."""
        del resolutions, candidates, information
        waiting = list(identifiers)
        causes: set[str] = set()
        for cause in backtrack_causes:
            causes.add(_identity(cause.requirement))
            if cause.parent is not None:
                causes.add(cause.parent.name)
        return [name for name in waiting if name in causes] or waiting

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Pin],
        candidates: Mapping[str, Iterator[Pin]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> tuple[bool, bool, bool, int]:
        """Troublesome projects, then pinned ones, then upper-bounded ones, then first seen."""
        del resolutions, candidates, backtrack_causes
        pinned = bounded = False
        for each in information[identifier]:
            if isinstance(each.requirement, Dependency):
                pinned = pinned or each.requirement.pinned
                bounded = bounded or each.requirement.bounded
        return (
            self._trail.conflicts[identifier] < _TROUBLESOME,
            not pinned,
            not bounded,
            self._seen.get(identifier, 0),
        )

    def what_stood_against(self, name: str, version: Version) -> str:
        """What else was asked of a project that this version needed, when it was first tried."""
        causes = self._trail.against.get((name, version), ())
        return "; ".join(dict.fromkeys(describe(cause) for cause in causes))

    def _combine(self, wants: Sequence[Dependency]) -> SpecifierSet:
        if len(wants) == 1:
            return wants[0].specifier
        key = frozenset(str(want.specifier) for want in wants)
        known = self._combined.get(key)
        if known is None:
            known = wants[0].specifier
            for want in wants[1:]:
                known &= want.specifier
            self._combined[key] = known
        return known

    def _in_order(
        self, name: NormalizedName, candidates: tuple[Candidate, ...]
    ) -> tuple[Candidate, ...]:
        preferred = self._preferences.get(name)
        if preferred is None:
            return candidates
        return tuple(sorted(candidates, key=lambda found: found.version != preferred))

    def _pin(self, candidate: Candidate, extras: frozenset[NormalizedName]) -> Pin:
        # resolvelib tells pins apart by identity: the same version must be the same object.
        key = (candidate.file.url, extras)
        pin = self._pins.get(key)
        if pin is None:
            pin = self._pins[key] = Pin(
                name=candidate.name, version=candidate.version, extras=extras, candidate=candidate
            )
        return pin

    def _source_pin(self, name: NormalizedName, extras: frozenset[NormalizedName]) -> Pin:
        source = self._sources[name]
        key = (name, extras)
        pin = self._pins.get(key)
        if pin is None:
            pin = self._pins[key] = Pin(
                name=name,
                version=source.version,
                extras=extras,
                source=source.source,
                built=source.built,
            )
        return pin


def _identity(thing: Dependency | Unusable | Pin) -> str:
    if isinstance(thing, Unusable):
        return f"{thing.name} {thing.version}"
    return thing.name


def _is_spent(pin: Pin, spent: Sequence[tuple[Version, frozenset[NormalizedName]]]) -> bool:
    """More extras want more: what failed with fewer fails with these, too."""
    return any(version == pin.version and extras <= pin.extras for version, extras in spent)
