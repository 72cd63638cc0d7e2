"""A search with what earlier runs have kept gives the same, and starts no threads."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest

from crossdeps.derived import DerivedCache
from crossdeps.errors import CrossdepsError
from crossdeps.index.model import ProjectPage
from crossdeps.index.pages.columns import ProjectFiles
from crossdeps.resolution.resolver import resolve
from crossdeps.target.model import Target
from tests.resolution.memory import ROOT, Case, MemoryBuilder, MemoryIndex
from tests.resolution.test_behaviours import CASES
from tests.support.growth import LINEAR, growth

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName


class KeptIndex(MemoryIndex):
    """An index whose pages are in a cache, each with its digest."""

    def page(self, project: NormalizedName) -> ProjectPage:
        page = super().page(project)
        digest = hashlib.sha256(repr(page).encode()).hexdigest()
        return ProjectPage(
            project=project,
            files=ProjectFiles.from_files(page.files, digest=digest),
            searched=page.searched,
            found_on=page.found_on,
            digest=digest,
        )

    def is_at_hand(self, project: NormalizedName) -> bool:
        del project
        return True


def outcome(case: Case, cache: Path | None, *, ahead: bool = True) -> object:
    """Everything that a search says."""
    projects = case.indexes if case.indexes is not None else {ROOT: case.index}
    index = KeptIndex(projects, hashes=case.hashes)
    try:
        resolution = case.resolve(
            index, derived=DerivedCache(cache) if cache is not None else None, ahead=ahead
        )
    except CrossdepsError as error:
        return type(error), error.message, error.context, error.hint
    return [
        (
            choice.name,
            str(choice.version),
            choice.candidate,
            choice.extras,
            choice.required_by,
            choice.dependencies,
            [(str(each.version), each.reason, each.detail) for each in choice.skipped_versions],
            choice.requires_python,
        )
        for choice in resolution.choices.values()
    ], resolution.warnings


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_is_kept_changes_no_result(case: Case, tmp_path: Path) -> None:
    expected = outcome(case, None, ahead=False)
    assert outcome(case, tmp_path) == expected
    assert outcome(case, tmp_path) == expected
    assert outcome(case, tmp_path, ahead=False) == expected


def test_a_run_with_everything_kept_starts_no_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in CASES if len(case.index) > 3 and not case.error)
    expected = outcome(case, tmp_path)

    def refuse(_thread: threading.Thread) -> None:
        raise AssertionError("a thread is started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert outcome(case, tmp_path) == expected


def test_a_kept_run_reads_no_metadata_and_no_page(tmp_path: Path) -> None:
    case = next(case for case in CASES if len(case.index) > 3 and not case.error)
    outcome(case, tmp_path)
    index = KeptIndex({ROOT: case.index})
    case.resolve(index, derived=DerivedCache(tmp_path), ahead=True)
    assert index.read == []


def test_the_work_grows_with_the_projects(tmp_path: Path) -> None:
    """A chain of projects with a few versions each."""

    def make(count: int) -> KeptIndex:
        projects = {
            f"p{i}": {f"{v}.0": [f"p{i + 1}>=1"] if i + 1 < count else [] for v in range(1, 4)}
            for i in range(count)
        }
        return KeptIndex({ROOT: projects})

    def work(index: KeptIndex) -> None:
        case = Case(id="chain", ask=("p0",))
        resolve(
            case.inputs(),
            Target(python="3.12", arch="x86_64"),
            index,
            builder=MemoryBuilder(),
            derived=DerivedCache(tmp_path),
        )

    for size in (10, 80):
        work(make(size))
    assert growth(work, make, 80) < LINEAR
