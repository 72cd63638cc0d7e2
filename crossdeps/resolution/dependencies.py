"""From a version's metadata to what it wants under the target's markers.

The search goes one step at a time, and each step waits for the network. The crawler follows the
most likely choice of each project at once. It changes no answer: what it finds lies in the
catalogue's memory when the search asks, and its errors are dropped, since the search meets them
itself if they matter.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, final
from urllib.parse import urldefrag

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import CrossdepsError, InputError
from crossdeps.index.workers import Task, Workers
from crossdeps.resolution.model import Dependency, Unusable, exact_version, is_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.requirements.core_metadata import CoreMetadata
    from crossdeps.requirements.model import DirectSource
    from crossdeps.requirements.syntax import Markers
    from crossdeps.resolution.model import Candidate
    from crossdeps.resolution.repository import Repository
    from crossdeps.resolution.root_requirements import RootRequirements


class DependencyReader:
    """Turns core metadata into wants. Safe to share between threads: its memory only grows."""

    def __init__(
        self,
        *,
        markers: Markers,
        asked: RootRequirements,
        sources: Mapping[NormalizedName, DirectSource],
    ) -> None:
        self._markers = markers
        self._asked = asked
        self._sources = sources
        self._wants: dict[tuple[str, frozenset[NormalizedName]], Dependency] = {}

    def closure(
        self, metadata: CoreMetadata, extras: frozenset[NormalizedName]
    ) -> frozenset[NormalizedName]:
        """*extras*, and those that they ask for of the project itself, such as ``all``."""
        found = set(extras)
        waiting = ["", *extras]
        own = [item for item in metadata.requires if canonicalize_name(item.name) == metadata.name]
        while waiting:
            extra = waiting.pop()
            for item in own:
                if self._markers.hold(item.marker, extra):
                    more = {canonicalize_name(name) for name in item.extras} - found
                    found |= more
                    waiting += sorted(more)
        return frozenset(found)

    def of(
        self, metadata: CoreMetadata, extras: frozenset[NormalizedName]
    ) -> tuple[Dependency | Unusable, ...]:
        """What the version wants when it is asked for with *extras*, in file order.

        :raises InputError: in hash mode, if a wanted project has no hash
        """
        if self._asked.policy.no_deps:
            return ()
        asked_for = ("", *sorted(self.closure(metadata, extras)))
        wants: dict[int, Dependency | Unusable] = {}
        for item in metadata.requires:
            if not any(self._markers.hold(item.marker, extra) for extra in asked_for):
                continue
            for want in self._want(metadata, item):
                wants[id(want)] = want
        return tuple(wants.values())

    def _want(self, metadata: CoreMetadata, item: Requirement) -> tuple[Dependency | Unusable, ...]:
        name = canonicalize_name(item.name)
        # A version that asks for itself is content with itself; with its extras the closure deals.
        if name == metadata.name and item.specifier.contains(metadata.version, prereleases=True):
            return ()
        if item.url and (problem := self._address_problem(metadata, name, item.url)):
            return (problem,)
        extras = frozenset(canonicalize_name(extra) for extra in item.extras)
        key = (f"{name} {item.specifier}", extras)
        want = self._wants.get(key)
        if want is None:
            specifier = SpecifierSet() if item.url else item.specifier
            want = self._wants[key] = Dependency(
                name=name,
                specifier=specifier,
                extras=extras,
                text=_text(item),
                pinned=exact_version(specifier) is not None,
                bounded=is_bounded(specifier),
            )
        if self._asked.hash_mode:
            self._check_hashed(metadata, want)
        return self._asked.wants(name, want)

    def _address_problem(
        self, metadata: CoreMetadata, name: NormalizedName, url: str
    ) -> Unusable | None:
        """An address counts only where the user gave the same one for the project."""
        source = self._sources.get(name)
        if source is not None and urldefrag(source.location)[0] == urldefrag(url)[0]:
            return None
        return Unusable(
            name=metadata.name,
            version=metadata.version,
            reason="metadata",
            detail=f"it wants {name} from {url}, an address that the requirements don't name",
        )

    def _check_hashed(self, metadata: CoreMetadata, want: Dependency) -> None:
        if want.name in self._asked.hashes or want.name in self._sources:
            return
        raise InputError(
            f"hashes are required, and {want.name} has none",
            context=(f"{metadata.name} {metadata.version} wants {want.text}",),
            hint=f"add {want.name} with its pin and hashes to the requirements",
            rule="unhashed",
        )


def _text(item: Requirement) -> str:
    """The requirement without its marker, which holds."""
    extras = f"[{','.join(sorted(item.extras))}]" if item.extras else ""
    return (
        f"{item.name}{extras} @ {item.url}" if item.url else f"{item.name}{extras}{item.specifier}"
    )


_THREADS = 8
# What two askers want of one project may differ; beyond this the search is left to find out.
_CANDIDATES_OF_ONE_PROJECT = 2


@final
class Crawler:
    """A context: while it is open, likely pages and metadata are fetched ahead."""

    def __init__(
        self,
        *,
        repository: Repository,
        dependencies: DependencyReader,
        preferences: Mapping[NormalizedName, Version],
        skipped: frozenset[NormalizedName],
    ) -> None:
        self._catalogue = repository
        self._dependencies = dependencies
        self._preferences = preferences
        self._skipped = skipped
        self._lock = threading.Lock()
        self._stopped = False
        self._wanted: set[tuple[str, str, frozenset[NormalizedName]]] = set()
        self._followed: dict[NormalizedName, set[str]] = {}
        self._workers = Workers(_THREADS)

    def __enter__(self) -> Crawler:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._stopped = True
        self._workers.close()

    def follow(self, wants: Iterable[Dependency | Unusable]) -> None:
        """Fetch ahead what *wants* lead to."""
        for want in wants:
            if not isinstance(want, Dependency) or want.name in self._skipped:
                continue
            key = (want.name, str(want.specifier), want.extras)
            with self._lock:
                if self._stopped:
                    return
                if key not in self._wanted:
                    self._wanted.add(key)
                    self._workers.submit(Task(partial(self._visit, want)))

    def _visit(self, want: Dependency) -> None:
        try:
            candidate = self._likely(want)
            if candidate is None or not self._is_new(candidate):
                return
            metadata = self._catalogue.metadata(candidate)
            if not isinstance(metadata, Unusable):
                self.follow(self._dependencies.of(metadata, want.extras))
        except CrossdepsError:
            return

    def _likely(self, want: Dependency) -> Candidate | None:
        candidates = self._catalogue.matching(want.name, want.specifier)
        preferred = self._preferences.get(want.name)
        first = candidates[0] if candidates else None
        return next((found for found in candidates if found.version == preferred), first)

    def _is_new(self, candidate: Candidate) -> bool:
        """Whether to read its metadata; sdists wait until the search wants them."""
        if not candidate.file.filename.endswith(".whl"):
            return False
        with self._lock:
            followed = self._followed.setdefault(candidate.name, set())
            if self._stopped or (
                candidate.file.url not in followed and len(followed) >= _CANDIDATES_OF_ONE_PROJECT
            ):
                return False
            followed.add(candidate.file.url)
            return True
