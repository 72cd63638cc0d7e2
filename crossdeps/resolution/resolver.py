"""Resolves requirements: builds direct sources, searches, and explains a search that fails."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec
from packaging.version import Version

from crossdeps.errors import InputError, NoCandidateError
from crossdeps.progress import Progress
from crossdeps.requirements.core_metadata import Headers
from crossdeps.requirements.syntax import Markers
from crossdeps.resolution.dependencies import Crawler, DependencyReader
from crossdeps.resolution.file_rules import TagMatcher, accepts_python, wheel_tags
from crossdeps.resolution.model import Pin, Policy
from crossdeps.resolution.rejections import Mismatch, Reason
from crossdeps.resolution.repository import Repository
from crossdeps.resolution.result import build_resolution
from crossdeps.resolution.root_requirements import (
    build_dependency,
    describe_line,
    read_root_requirements,
    source_conflict,
)
from crossdeps.resolution.search import Searcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from crossdeps.derived import DerivedCache
    from crossdeps.index.model import Index
    from crossdeps.requirements.model import Inputs, Requirement
    from crossdeps.resolution.model import (
        Builder,
        BuiltWheel,
        Dependency,
        PinObserver,
        Resolution,
    )
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.target.model import Target


def resolve(
    inputs: Inputs,
    target: Target,
    index: Index,
    policy: Policy | None = None,
    *,
    builder: Builder,
    progress: Progress | None = None,
    preferences: Mapping[NormalizedName, Version] | None = None,
    observer: PinObserver | None = None,
    derived: DerivedCache | None = None,
    ahead: bool = True,
    build: bool = False,
) -> Resolution:
    """Choose a version of everything that *inputs* require, and of its dependencies.

    The result depends on the arguments alone: neither on the order of lines or of files on a page,
    nor on which request ends first.

    :param preferences: versions to prefer, such as those of an earlier lock
    :param observer: is told of the pins while the search goes on; after a failure none is kept
    :param derived: keeps what pages and metadata mean for the target; changes speed only
    :param ahead: whether to read ahead what is likely to be needed; changes speed only
    :param build: whether chosen sources are built although their metadata can be read: an error
        then says who requires them
    :raises ProjectNotFoundError: if no index has a project that is needed
    :raises NoCandidateError: if a needed project has no suitable file
    :raises ConflictError: if the requirements contradict each other
    :raises SearchLimitError: if the search exceeds ``policy.max_rounds``
    :raises InputError: if the inputs break a rule, such as hash mode's
    :raises IndexAccessError: if an index cannot be reached or understood
    """
    policy = policy or Policy()
    progress = progress or Progress()
    markers = Markers(target)
    roots = read_root_requirements(inputs, markers, policy)
    sources, roots = _build_sources(roots, target, builder, build=build)
    searcher = Searcher(
        roots=roots,
        repository=Repository(
            index=index,
            target=target,
            roots=roots,
            options=inputs.options,
            builder=builder,
            derived=derived,
        ),
        dependencies=DependencyReader(markers=markers, roots=roots, sources=sources),
        sources=sources,
        preferences=preferences or {},
    )
    dependencies = _build_dependencies(roots)
    progress.resolving(len(dependencies))
    searcher.repository.prefetch(sorted({each.name for each in dependencies} - sources.keys()))
    with contextlib.ExitStack() as stack:
        if ahead:
            crawler = Crawler(
                repository=searcher.repository,
                dependencies=searcher.dependencies,
                preferences=searcher.preferences,
                skipped=frozenset(sources),
            )
            stack.enter_context(crawler).follow(dependencies)
        attempt = searcher.search(
            dependencies, progress=progress, max_rounds=policy.max_rounds, observer=observer
        )
    if observer is not None:
        observer.kept(attempt.pins.values())
    if attempt.status != "solved":
        from crossdeps.resolution.explain.conflicts import Failure, explain  # noqa: PLC0415 - seldom

        raise explain(Failure(target=target, searcher=searcher, attempt=attempt))
    progress.resolved(len(attempt.pins))
    return build_resolution(inputs, target, searcher, attempt, build=build)


def _build_sources(
    roots: RootRequirements,
    target: Target,
    builder: Builder,
    *,
    build: bool,
) -> tuple[dict[NormalizedName, Pin], RootRequirements]:
    """Read or build requirements that name their file, and check that the target accepts them.

    :returns: the one pin of each such project, and *roots* with the names of those that had none
    :raises ConflictError: if two sources give one project
    :raises InputError: if a source gives another project than the one named
    :raises NoCandidateError: if the target doesn't accept the wheel
    :raises SdistBuildError: if a build fails
    """
    pins: dict[NormalizedName, Pin] = {}
    built_from: dict[NormalizedName, Requirement] = {}
    names: dict[int, NormalizedName] = {}
    matcher = None
    for item in roots.sources:
        first = built_from.get(item.name)
        if first is not None and first.source == item.source:
            continue
        built = builder.read_source(item)
        matcher = matcher or TagMatcher(target)
        _check_source(item, built, target, matcher)
        if build and not built.filename:
            built = builder.from_source(item)
            _check_source(item, built, target, matcher)
        first = built_from.setdefault(built.name, item)
        if first.source != item.source:
            raise source_conflict(built.name, first, item)
        names[id(item)] = built.name
        pins[built.name] = Pin(
            name=built.name,
            version=built.version,
            extras=frozenset(),
            source=item.source,
            built=built,
        )
    requirements = tuple(
        item if item.name else msgspec.structs.replace(item, name=names[id(item)])
        for item in roots.requirements
    )
    return pins, msgspec.structs.replace(roots, requirements=requirements)


def _check_source(
    item: Requirement, built: BuiltWheel, target: Target, matcher: TagMatcher
) -> None:
    context = (describe_line(item),)
    if item.name and item.name != built.name:
        raise InputError(
            f"the source of {item.name} is {built.name} {built.version}",
            context=context,
            hint=f"write {built.name} @ ..., or give the URL of {item.name}",
            rule="other-project",
        )
    match = matcher.match(wheel_tags(built.filename)) if built.filename else None
    if isinstance(match, Mismatch):
        needs = {
            Reason.PLATFORM_TAG: "is for {}",
            Reason.PYTHON_TAG: "is for Python {}",
            Reason.ABI_TAG: "is for ABI {}",
            Reason.FREE_THREADED: "is not for free-threaded Python",
            Reason.BAD_FILENAME: "is invalid: {}",
        }.get(match.reason, match.reason.phrase)
        raise NoCandidateError(
            f"{built.filename} {needs.format(match.detail)}, and the target is {target.describe()}",
            context=context,
            hint="give the URL of the wheel for this target, or the project's name alone",
        )
    for python in Headers(built.metadata).get_all("Requires-Python"):
        if python and not accepts_python(python, Version(target.python)):
            raise NoCandidateError(
                f"{built.name} {built.version} requires Python {python}, and the target has"
                f" {target.python}",
                context=context,
                hint="choose another Python with --python, or another version",
            )


def _build_dependencies(roots: RootRequirements) -> tuple[Dependency, ...]:
    """What the search starts from, each requirement once."""
    found: dict[tuple[str, str, tuple[str, ...]], Dependency] = {}
    for item in roots.requirements:
        for each in roots.override(build_dependency(item)):
            found.setdefault((each.name, str(each.specifier), tuple(sorted(each.extras))), each)
    return tuple(found[key] for key in sorted(found))
