"""Resolving on the real index, as of a fixed day, and counting what is asked."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.requirements.gather import gather_inputs
from crossdeps.requirements.model import Requirements
from crossdeps.resolution.model import Policy
from crossdeps.resolution.resolver import resolve
from tests.oracles.requirement_sets import CUT_OFF

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.index.model import Index, ProjectFile, ProjectPage
    from crossdeps.requirements.model import Requirement
    from crossdeps.resolution.model import BuiltWheel, Resolution
    from crossdeps.target.model import Target

POLICY = Policy(exclude_newer=datetime.datetime.fromisoformat(CUT_OFF.replace("Z", "+00:00")))


class NothingIsBuilt:
    """A builder that no search here may need."""

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        raise AssertionError(requirement)

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        raise AssertionError((name, file))

    read_source, read_sdist = from_source, from_sdist


class CountingIndex:
    """An index that remembers whose metadata was read, ahead of the search or by it."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._read: dict[str, str] = {}

    @property
    def candidate_metadata(self) -> list[str]:
        """One project name for each wheel whose metadata was read."""
        return sorted(self._read.values())

    def page(self, project: NormalizedName) -> ProjectPage:
        return self._index.page(project)

    def is_at_hand(self, project: NormalizedName) -> bool:
        return self._index.is_at_hand(project)

    def prefetch(self, projects: Sequence[NormalizedName]) -> None:
        self._index.prefetch(projects)

    def metadata(self, file: ProjectFile) -> bytes:
        self._remember([file])
        return self._index.metadata(file)

    def mark_metadata_used(self, file: ProjectFile) -> None:
        self._index.mark_metadata_used(file)

    def prefetch_metadata(self, files: Sequence[ProjectFile]) -> None:
        self._remember(files)
        self._index.prefetch_metadata(files)

    def _remember(self, files: Iterable[ProjectFile]) -> None:
        self._read.update({file.filename: file.filename.partition("-")[0] for file in files})


def search(requirements: Sequence[str], target: Target, index: Index) -> Resolution:
    """Choose for *target* among what was there on the day of the cut-off.

    :raises ResolutionError: if there is no answer
    """
    inputs = gather_inputs(
        Requirements(requirements=tuple(requirements)), environ={}, cwd=Path.cwd(), stdin=bytes
    )
    return resolve(inputs, target, index, POLICY, builder=NothingIsBuilt())
