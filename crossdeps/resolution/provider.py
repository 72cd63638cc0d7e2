"""The rules of the search, as resolvelib's provider."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from resolvelib import AbstractProvider

from crossdeps.errors import SdistBuildError
from crossdeps.resolution.model import Dependency, Pin, Unusable
from crossdeps.resolution.reporter import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.resolution.dependencies import DependencyReader
    from crossdeps.resolution.evaluations import Matches
    from crossdeps.resolution.model import BuiltWheel, Candidate
    from crossdeps.resolution.reporter import Information, SearchLog
    from crossdeps.resolution.repository import Repository

# A project with so many conflicts is decided before the others.
_CONFLICTS = 5

# After so many versions of one project the metadata of the next ones is fetched, up to so many.
_STREAK = 4
_MAX_AHEAD = 32


class TooManyVersionsError(Exception):
    """The search read the dependencies of as many versions as allowed."""


class Provider(AbstractProvider["Dependency | Unusable", Pin, str]):
    """Candidates, their order, and their dependencies.

    :param sources: the one pin of each project whose file the user named
    :param preferences: versions to prefer, such as those of an earlier lock
    :param max_versions: how many versions' dependencies may be read; None sets no limit
    """

    def __init__(
        self,
        *,
        repository: Repository,
        dependencies: DependencyReader,
        sources: Mapping[NormalizedName, Pin],
        preferences: Mapping[NormalizedName, Version],
        search_log: SearchLog,
        max_versions: int | None = None,
    ) -> None:
        self._repository = repository
        self._dependencies = dependencies
        self._sources = sources
        self._preferences = preferences
        self._search_log = search_log
        self._max_versions = max_versions
        self._versions_of: Counter[str] = Counter()
        self._seen: dict[str, int] = {}
        self._pins: dict[tuple[str, frozenset[NormalizedName]], Pin] = {}
        self._combined: dict[tuple[Dependency, ...], SpecifierSet] = {}
        self._satisfied: dict[tuple[Dependency | Unusable, Pin], bool] = {}
        self._known: dict[Pin, tuple[Dependency | Unusable, ...]] = {}

    def allow_versions(self, more: int) -> None:
        """Allow the dependencies of *more* further versions to be read."""
        bound = len(self._known) + more
        self._max_versions = min(bound, self._max_versions or bound)

    def identify(self, requirement_or_candidate: Dependency | Unusable | Pin) -> str:
        """The project's name; an unusable version is identified by itself."""
        return _identify(requirement_or_candidate)

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Dependency | Unusable]],
        incompatibilities: Mapping[str, Iterator[Pin]],
    ) -> Sequence[Pin] | Callable[[], Iterator[Pin]]:
        """Pins of a project, best first; their metadata is not read."""
        dependencies = [item for item in requirements[identifier] if isinstance(item, Dependency)]
        if not dependencies:
            return ()
        self._seen.setdefault(identifier, len(self._seen))
        failed = [(pin.version, pin.extras) for pin in incompatibilities[identifier]]
        return lambda: (pin for pin in self.options(dependencies) if not _has_failed(pin, failed))

    def options(self, dependencies: Sequence[Dependency]) -> Iterator[Pin]:
        """Pins that satisfy *dependencies* on one project, with all of their extras."""
        name = dependencies[0].name
        extras = frozenset().union(*(item.extras for item in dependencies))
        specifier = self._combine(dependencies)
        if name in self._sources:
            pin = self._source_pin(name, extras)
            return iter((pin,) if specifier.contains(pin.version, prereleases=True) else ())
        candidates = self._in_order(name, self._repository.matching(name, specifier))
        return (self._pin(candidate, extras) for candidate in candidates)

    def is_satisfied_by(self, requirement: Dependency | Unusable, candidate: Pin) -> bool:
        """Whether a pin satisfies a dependency, its extras included."""
        # resolvelib asks for every project in every round.
        key = (requirement, candidate)
        known = self._satisfied.get(key)
        if known is None:
            known = self._satisfied[key] = (
                isinstance(requirement, Dependency)
                and requirement.extras <= candidate.extras
                and requirement.specifier.contains(candidate.version, prereleases=True)
            )
        return known

    def get_dependencies(self, candidate: Pin) -> tuple[Dependency | Unusable, ...]:
        """The dependencies of a pin; its metadata is read now, and not before."""
        known = self._known.get(candidate)
        if known is None:
            if self._max_versions is not None and len(self._known) >= self._max_versions:
                raise TooManyVersionsError
            self._prefetch_older(candidate)
            known = self._known[candidate] = self.list_dependencies(candidate, candidate.extras)
            self._repository.prefetch([item.name for item in known if isinstance(item, Dependency)])
        return known

    def _prefetch_older(self, pin: Pin) -> None:
        """Fetch the metadata of the next versions when one after the other is rejected."""
        self._versions_of[pin.name] += 1
        count = self._versions_of[pin.name]
        if pin.candidate is None or count % _STREAK:
            return
        versions = self._repository.project(pin.name).versions
        older = (i for i in range(len(versions)) if versions.version(i) < pin.version)
        ahead = itertools.islice(older, min(count, _MAX_AHEAD))
        self._repository.prefetch_metadata([versions[i] for i in ahead])

    def list_dependencies(
        self, pin: Pin, extras: frozenset[NormalizedName]
    ) -> tuple[Dependency | Unusable, ...]:
        """The dependencies of *pin* with *extras*."""
        with self._explaining(pin):
            metadata = self._repository.pin_metadata(pin)
        if isinstance(metadata, Unusable):
            return (metadata,)
        return self._dependencies.read(pin, metadata, extras)

    def built(self, pin: Pin, candidate: Candidate, *, build: bool) -> BuiltWheel:
        """What is known of a pinned sdist, which is built if *build*."""
        with self._explaining(pin):
            return self._repository.built(candidate, build=build)

    @contextmanager
    def _explaining(self, pin: Pin) -> Iterator[None]:
        """Add who requires *pin*, and which wheels there are, to an error of its build."""
        try:
            yield
        except SdistBuildError as error:
            if pin.candidate is not None and pin.name in self._search_log.required_by:
                from crossdeps.resolution.explain.failures import describe_wheels  # noqa: PLC0415 - seldom

                found = self._repository.project(pin.name)
                error.within(
                    *self._search_log.chain(*self._search_log.required_by[pin.name]),
                    *describe_wheels(pin.candidate, found, self._repository.target),
                )
            raise

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Pin],
        candidates: Mapping[str, Iterator[Pin]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> Iterable[str]:
        """The causes of the last backtracking are decided first."""
        del resolutions, candidates, information
        waiting = list(identifiers)
        causes: set[str] = set()
        for cause in backtrack_causes:
            causes.add(_identify(cause.requirement))
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
        """Projects with many conflicts, then pinned, then upper-bounded, then first seen."""
        del resolutions, candidates, backtrack_causes
        pinned = bounded = False
        for each in information[identifier]:
            if isinstance(each.requirement, Dependency):
                pinned = pinned or each.requirement.pinned
                bounded = bounded or each.requirement.bounded
        return (
            self._search_log.conflicts[identifier] < _CONFLICTS,
            not pinned,
            not bounded,
            self._seen.get(identifier, 0),
        )

    def describe_conflict(self, name: str, version: Version) -> str:
        """The requirements that this version conflicted with when it was first tried."""
        causes = self._search_log.rejected_by.get((name, version), ())
        return "; ".join(dict.fromkeys(describe(*cause) for cause in causes))

    def _combine(self, dependencies: Sequence[Dependency]) -> SpecifierSet:
        if len(dependencies) == 1:
            return dependencies[0].specifier
        key = tuple(dependencies)
        known = self._combined.get(key)
        if known is None:
            known = dependencies[0].specifier
            for item in dependencies[1:]:
                known &= item.specifier
            self._combined[key] = known
        return known

    def _in_order(self, name: NormalizedName, candidates: Matches) -> Iterator[Candidate]:
        """Candidates as the search tries them: the preferred version before the others."""
        version = self._preferences.get(name)
        preferred = candidates.find(version) if version is not None else None
        if preferred is not None:
            yield preferred
        for candidate in candidates:
            if candidate is not preferred:
                yield candidate

    def _pin(self, candidate: Candidate, extras: frozenset[NormalizedName]) -> Pin:
        # resolvelib compares pins by identity: the same version must be the same object.
        key = (candidate.file.url, extras)
        pin = self._pins.get(key)
        if pin is None:
            pin = self._pins[key] = Pin(
                name=candidate.name, version=candidate.version, extras=extras, candidate=candidate
            )
        return pin

    def _source_pin(self, name: NormalizedName, extras: frozenset[NormalizedName]) -> Pin:
        key = (name, extras)
        if key not in self._pins:
            self._pins[key] = msgspec.structs.replace(self._sources[name], extras=extras)
        return self._pins[key]


def _identify(item: Dependency | Unusable | Pin) -> str:
    return f"{item.name} {item.version}" if isinstance(item, Unusable) else item.name


def _has_failed(pin: Pin, failed: Sequence[tuple[Version, frozenset[NormalizedName]]]) -> bool:
    """More extras require more: a version that failed with fewer fails with these, too."""
    return any(version == pin.version and extras <= pin.extras for version, extras in failed)
