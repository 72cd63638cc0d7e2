"""From a version's metadata to its dependencies for the target, and a crawler that reads ahead.

The search goes one step at a time, and each step waits for the network. The crawler follows the
most likely choice of each project at the same time. It changes no result: what it reads is in the
repository's memory when the search needs it, and its errors are dropped, since the search meets
them itself if they matter.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, final
from urllib.parse import urldefrag

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import CrossdepsError, InputError
from crossdeps.index.workers import Task, Workers
from crossdeps.resolution.model import Dependency, Unusable, exact_version, is_bounded
from crossdeps.resolution.rejections import Reason
from crossdeps.resolution.release_metadata import ExtraMarkers, ReleaseMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.requirements.syntax import Markers
    from crossdeps.resolution.model import Candidate, Pin
    from crossdeps.resolution.release_metadata import RequirementLine
    from crossdeps.resolution.repository import Repository
    from crossdeps.resolution.root_requirements import RootRequirements


class DependencyReader:
    """Reads dependencies from core metadata. Thread-safe: its caches only grow."""

    def __init__(
        self, *, markers: Markers, roots: RootRequirements, sources: Mapping[NormalizedName, Pin]
    ) -> None:
        self._markers = ExtraMarkers(markers)
        self._roots = roots
        self._sources = sources
        self._releases: dict[
            tuple[int, frozenset[NormalizedName]],
            tuple[ReleaseMetadata, tuple[Dependency | Unusable, ...]],
        ] = {}
        self._specifiers: dict[str, SpecifierSet] = {}
        self._dependencies: dict[tuple[str, frozenset[NormalizedName]], Dependency] = {}

    def read(
        self,
        release: Candidate | Pin,
        metadata: ReleaseMetadata,
        extras: frozenset[NormalizedName],
    ) -> tuple[Dependency | Unusable, ...]:
        """The dependencies of a version with *extras*, in file order.

        :raises InputError: in hash mode, if a dependency has no hash
        """
        if self._roots.policy.no_deps:
            return ()
        # The crawler and the search ask for the same.
        key = (id(metadata), extras)
        known = self._releases.get(key)
        if known is None:
            found = self._read_release(release, metadata, extras)
            known = self._releases[key] = (metadata, found)
        return known[1]

    def _read_release(
        self,
        release: Candidate | Pin,
        metadata: ReleaseMetadata,
        extras: frozenset[NormalizedName],
    ) -> tuple[Dependency | Unusable, ...]:
        active = ("", *sorted(self._expand_extras(release.name, metadata, extras)))
        found: dict[int, Dependency | Unusable] = {}
        for line in metadata.requires:
            if any(self._markers.hold(line, extra) for extra in active):
                found.update((id(each), each) for each in self._read(release, line))
        return tuple(found.values())

    def _expand_extras(
        self, name: NormalizedName, metadata: ReleaseMetadata, extras: frozenset[NormalizedName]
    ) -> frozenset[NormalizedName]:
        """*extras*, and those of the project itself that they require, as ``all`` does."""
        found = set(extras)
        waiting = ["", *extras]
        own = [
            line
            for line in metadata.requires
            if line.extras and canonicalize_name(line.name) == name
        ]
        while waiting:
            extra = waiting.pop()
            for line in own:
                if self._markers.hold(line, extra):
                    more = {canonicalize_name(each) for each in line.extras} - found
                    found |= more
                    waiting += sorted(more)
        return frozenset(found)

    def _read(
        self, release: Candidate | Pin, line: RequirementLine
    ) -> tuple[Dependency | Unusable, ...]:
        name = canonicalize_name(line.name)
        # A version that requires itself is satisfied; its extras were expanded before.
        if name == release.name and self._specifier(line.specifier).contains(
            release.version, prereleases=True
        ):
            return ()
        if line.url and (problem := self._check_url(release, name, line.url)):
            return (problem,)
        extras = frozenset(canonicalize_name(extra) for extra in line.extras)
        key = (f"{name} {line.specifier}", extras)
        dependency = self._dependencies.get(key)
        if dependency is None:
            specifier = self._specifier("" if line.url else line.specifier)
            dependency = self._dependencies[key] = Dependency(
                name=name,
                specifier=specifier,
                extras=extras,
                text=line.text,
                pinned=exact_version(specifier) is not None,
                bounded=is_bounded(specifier),
            )
        if self._roots.hash_mode:
            self._check_hashed(release, dependency)
        return self._roots.override(dependency)

    def _specifier(self, text: str) -> SpecifierSet:
        known = self._specifiers.get(text)
        if known is None:
            known = self._specifiers[text] = SpecifierSet(text)
        return known

    def _check_url(
        self, release: Candidate | Pin, name: NormalizedName, url: str
    ) -> Unusable | None:
        """Refuse a URL unless the user gave the same one for the project."""
        pin = self._sources.get(name)
        if pin and pin.source and urldefrag(pin.source.location)[0] == urldefrag(url)[0]:
            return None
        return Unusable(
            name=release.name,
            version=release.version,
            reason=Reason.METADATA,
            detail=f"it requires {name} from {url}, a URL that the requirements do not name",
        )

    def _check_hashed(self, release: Candidate | Pin, dependency: Dependency) -> None:
        if dependency.name in self._roots.hashes or dependency.name in self._sources:
            return
        raise InputError(
            f"hashes are required, and {dependency.name} has none",
            context=(f"{release.name} {release.version} requires {dependency.text}",),
            hint=f"add {dependency.name} with its pin and hashes to the requirements",
            rule="unhashed",
        )


_THREADS = 8
# Two requirements on a project may lead to different candidates; more are left to the search.
_CANDIDATES_OF_ONE_PROJECT = 2


@final
class Crawler:
    """A context in which likely pages and metadata are read ahead of the search."""

    def __init__(
        self,
        *,
        repository: Repository,
        dependencies: DependencyReader,
        preferences: Mapping[NormalizedName, Version],
        skipped: frozenset[NormalizedName],
    ) -> None:
        self._repository = repository
        self._dependencies = dependencies
        self._preferences = preferences
        self._skipped = skipped
        self._lock = threading.Lock()
        self._stopped = False
        self._submitted: set[Dependency] = set()
        self._followed: dict[NormalizedName, set[str]] = {}
        self._workers = Workers(_THREADS)

    def __enter__(self) -> Crawler:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._stopped = True
        self._workers.close()

    def follow(self, dependencies: Iterable[Dependency | Unusable]) -> None:
        """Read ahead what *dependencies* lead to: here, as far as no request is needed."""
        waiting = deque(dependencies)
        while waiting:
            dependency = waiting.popleft()
            if not isinstance(dependency, Dependency) or dependency.name in self._skipped:
                continue
            with self._lock:
                if self._stopped:
                    return
                if dependency in self._submitted:
                    continue
                self._submitted.add(dependency)
            found = None
            if self._repository.is_at_hand(dependency.name):
                found = self._visit(dependency, self._repository.known_metadata)
            if found is None:
                self._workers.submit(Task(partial(self._fetch, dependency)))
            else:
                waiting += found

    def _fetch(self, dependency: Dependency) -> None:
        self.follow(self._visit(dependency, self._repository.metadata) or ())

    def _visit(
        self,
        dependency: Dependency,
        read: Callable[[Candidate], ReleaseMetadata | Unusable | None],
    ) -> tuple[Dependency | Unusable, ...] | None:
        """The dependencies of the most likely candidate; None if *read* finds no metadata."""
        try:
            candidate = self._find_likely(dependency)
            if candidate is None or not self._is_new(candidate):
                return ()
            metadata = read(candidate)
            if isinstance(metadata, ReleaseMetadata):
                return self._dependencies.read(candidate, metadata, dependency.extras)
        except CrossdepsError:
            return ()
        return None if metadata is None else ()

    def _find_likely(self, dependency: Dependency) -> Candidate | None:
        candidates = self._repository.matching(dependency.name, dependency.specifier)
        version = self._preferences.get(dependency.name)
        preferred = candidates.find(version) if version is not None else None
        return preferred or next(iter(candidates), None)

    def _is_new(self, candidate: Candidate) -> bool:
        """Whether to read its metadata; sdists are left to the search."""
        if not candidate.is_wheel:
            return False
        with self._lock:
            followed = self._followed.setdefault(candidate.name, set())
            if self._stopped or (
                candidate.file.url not in followed and len(followed) >= _CANDIDATES_OF_ONE_PROJECT
            ):
                return False
            followed.add(candidate.file.url)
            return True
