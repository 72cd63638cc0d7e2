"""What is remembered of a search is what a search finds: over all cases, and while pages change."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import CrossdepsError
from crossdeps.pipeline.build import build
from crossdeps.pipeline.lock import plan_lock
from crossdeps.pipeline.request import Settings
from crossdeps.pipeline.resolve import resolve_session
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.pipeline.session import open_session
from crossdeps.progress import Progress
from crossdeps.requirements.model import FileOptions, Requirements
from crossdeps.target.model import Target
from tests.resolution.cases_conflicts import CONFLICTS
from tests.resolution.cases_dependencies import DEPENDENCIES
from tests.resolution.cases_files import FILES
from tests.resolution.cases_hashes import HASHES
from tests.resolution.cases_versions import VERSIONS
from tests.resolution.memory import TARGETS, Case
from tests.support.index_pages import JSON_TYPE
from tests.support.index_server import IndexServer
from tests.support.index_server import Settings as IndexSettings
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.wheel_factory import WheelFile

# Cases with builds are left out: what was built is never remembered.
CASES = [
    case
    for case in (*FILES, *VERSIONS, *DEPENDENCIES, *CONFLICTS, *HASHES)
    if case.builds is None and not any(" @ " in line for line in case.ask)
]


def publish(case: Case, server: IndexServer) -> tuple[str, ...]:
    """Serve the indexes of a case; give their URLs."""
    memory = case.memory_index()
    roots = []
    for number, (root, projects) in enumerate(memory._projects.items()):
        base = f"/i{number}"
        roots.append(f"{server.origin}{base}/")
        for project, versions in projects.items():
            files = [
                file
                for version, about in versions.items()
                for file in memory._files(root, project, version, about)
            ]
            entries = []
            for file in files:
                metadata = memory.metadata(file)
                if file.filename.endswith(".whl"):
                    server.serve(f"/files{number}/{file.filename}.metadata", metadata)
                entries.append(
                    {
                        "filename": file.filename,
                        "url": f"{server.origin}/files{number}/{file.filename}",
                        "hashes": dict(file.hashes),
                        "size": file.size,
                        "requires-python": file.requires_python,
                        "yanked": False if file.yanked is None else file.yanked or True,
                        "core-metadata": {"sha256": hashlib.sha256(metadata).hexdigest()},
                        **(
                            {"upload-time": file.upload_time.isoformat().replace("+00:00", "Z")}
                            if file.upload_time
                            else {}
                        ),
                    }
                )
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": entries}
            server.serve(f"{base}/{project}/", json.dumps(page).encode(), JSON_TYPE)
    return tuple(roots)


def find(case: Case, urls: Sequence[str], settings: Settings) -> object:
    """Resolve a case as a run does: the resolution with its warnings, or the error."""
    requirements = Requirements(
        requirement_files=("requirements.txt",),
        constraint_files=("constraints.txt",) if case.constraints else (),
        override_files=("overrides.txt",) if case.overrides else (),
    )
    index = replace(case.options, index_url=urls[0], extra_index_urls=tuple(urls[1:]))
    settings = replace(settings, index=index, policy=case.policy, isolated=True)
    preferences = {
        canonicalize_name(name): Version(version) for name, version in case.prefer.items()
    }
    try:
        with open_session(requirements, settings, Progress()) as session:
            packages = find_runtime_packages(settings, TARGETS[case.target])
            return resolve_session(session, packages, preferences), session.warnings
    except CrossdepsError as error:
        return type(error), str(error), error.context, error.hint, error.exit_code


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_remembered_resolution_is_the_one_that_is_searched(
    case: Case,
    make_index: Callable[..., IndexServer],
    made: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, lines in (
        ("requirements.txt", case.ask),
        ("constraints.txt", case.constraints),
        ("overrides.txt", case.overrides),
    ):
        Path(name).write_text("\n".join(lines) + "\n")
    server = make_index(IndexSettings(etags=True))
    urls = publish(case, server)
    settings = Settings(cache=tmp_path / "cache")
    first = find(case, urls, settings)
    made.clear()
    assert find(case, urls, settings) == first
    is_kept = not case.error and case.hashes
    assert made == ([] if is_kept else ["search"])
    assert find(case, urls, replace(settings, cache=None, no_cache=True)) == first
    if case.error:
        assert isinstance(first[0], type)  # type: ignore[index]
        assert first[0].__name__ == case.error[0]  # type: ignore[index]


NAMES = ("a", "b", "c")
NUMBERS = ("1", "2", "3")
TARGET = Target(python="3.12", arch="x86_64")

wants = st.builds(
    lambda name, specifier: f"{name}{specifier}",
    st.sampled_from(NAMES),
    st.sampled_from(["", "==1", ">=2", "<=2", "!=3"]),
)
releases = st.fixed_dictionaries(
    {
        "requires": st.lists(wants, max_size=2),
        "python": st.sampled_from([None, None, ">=3.9", "<3.9"]),
        "yanked": st.sampled_from([False, False, False, "bad"]),
    }
)
changes = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NUMBERS), st.none() | releases),
    st.tuples(st.sampled_from(NAMES), st.none(), st.none()),
)


@functools.cache
def wheel(name: str, version: str, requires: tuple[str, ...]) -> WheelFile:
    return make_wheel(name, version, requires=requires)


class World:
    """An index, as a server or as a directory, whose pages change."""

    def __init__(self, folder: Path, server: IndexServer | None) -> None:
        self._folder = folder / "index"
        self._server = server
        self._projects: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in NAMES}
        self._folder.mkdir()

    @property
    def url(self) -> str:
        return self._server.url if self._server else self._folder.as_uri()

    def change(self, change: tuple[str, str | None, dict[str, Any] | None] | None) -> None:
        """Add, replace or remove a release, or a project with all of them."""
        if change is None:
            return
        name, version, release = change
        if version is None:
            self._projects[name] = {}
        elif release is None:
            self._projects[name].pop(version, None)
        else:
            self._projects[name][version] = release
        self._publish(name)

    def _publish(self, name: str) -> None:
        shutil.rmtree(self._folder / name, ignore_errors=True)
        if self._server:
            self._server.add_project(name)
            self._server.remove(name)
        for version, release in self._projects[name].items():
            made = wheel(name, version, tuple(release["requires"]))
            if self._server:
                self._server.add(made, requires_python=release["python"], yanked=release["yanked"])
            else:
                (self._folder / name).mkdir(exist_ok=True)
                (self._folder / name / made.filename).write_bytes(made.content)


def outcome(ask: list[str], world: World, settings: Settings, output: Path) -> object:
    """Everything that a lock and a build say and write."""
    settings = replace(settings, index=FileOptions(index_url=world.url), isolated=True)
    try:
        content = plan_lock(ask, [TARGET], settings=settings).content
        report = build(ask, TARGET, output, settings=settings)
    except CrossdepsError as error:
        return type(error), str(error), error.context, error.hint
    return content, output.read_bytes(), report.packages, report.findings, report.warnings


@pytest.mark.parametrize("served", [True, False], ids=["server", "directory"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NUMBERS), releases),
        min_size=3,
        max_size=6,
    ),
    steps=st.lists(changes, min_size=2, max_size=4),
    ask=st.lists(wants, min_size=1, max_size=2),
)
def test_what_is_remembered_follows_the_pages(
    make_index: Callable[..., IndexServer],
    made: list[str],
    served: bool,
    start: list[Any],
    steps: list[Any],
    ask: list[str],
) -> None:
    """After each change: the same as without a cache; and without a change, nothing is made."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = make_index(IndexSettings(metadata_keys="both", etags=True)) if served else None
        world = World(folder, server)
        cached = Settings(cache=folder / "cache")
        for change in start:
            world.change(change)
        for change in (None, *steps):
            world.change(change)
            expected = outcome(ask, world, Settings(no_cache=True), folder / "anew.zip")
            assert outcome(ask, world, cached, folder / "out.zip") == expected
            made.clear()
            assert outcome(ask, world, cached, folder / "out.zip") == expected
            if not isinstance(expected, tuple) or not isinstance(expected[0], type):
                assert made == []
        if server:
            server.close()
