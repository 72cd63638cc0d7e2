"""Asks ahead of the search: pages and metadata that it will likely want.

The search goes one step at a time, and each step waits for the network. The crawler follows the
most likely choice of each project at once. It changes no answer: what it finds lies in the
catalogue's memory when the search asks, and its errors are dropped, since the search meets them
itself if they matter.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, final

from crossdeps.errors import CrossdepsError
from crossdeps.index.workers import Task, Workers
from crossdeps.resolution.wants import Impossible, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.resolution.catalogue import Catalogue
    from crossdeps.resolution.dependencies import Dependencies
    from crossdeps.resolution.model import Candidate

_THREADS = 8
# What two askers want of one project may differ; beyond this the search is left to find out.
_CANDIDATES_OF_ONE_PROJECT = 2


@final
class Crawler:
    """A context: while it is open, likely pages and metadata are fetched ahead."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        dependencies: Dependencies,
        preferences: Mapping[NormalizedName, Version],
        skipped: frozenset[NormalizedName],
    ) -> None:
        self._catalogue = catalogue
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

    def follow(self, wants: Iterable[Want | Impossible]) -> None:
        """Fetch ahead what *wants* lead to."""
        for want in wants:
            if not isinstance(want, Want) or want.name in self._skipped:
                continue
            key = (want.name, str(want.specifier), want.extras)
            with self._lock:
                if self._stopped:
                    return
                if key not in self._wanted:
                    self._wanted.add(key)
                    self._workers.submit(Task(partial(self._visit, want)))

    def _visit(self, want: Want) -> None:
        try:
            candidate = self._likely(want)
            if candidate is None or not self._is_new(candidate):
                return
            metadata = self._catalogue.metadata(candidate)
            if not isinstance(metadata, Impossible):
                self.follow(self._dependencies.of(metadata, want.extras))
        except CrossdepsError:
            return

    def _likely(self, want: Want) -> Candidate | None:
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
