"""Requirements that name their file, directory or repository themselves."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from packaging.version import Version

from crossdeps.errors import ConflictError, InputError, NoCandidateError
from crossdeps.progress import Progress
from crossdeps.requirements.core_metadata import Headers
from crossdeps.requirements.syntax import Markers
from crossdeps.resolution.candidates import accepts_python
from crossdeps.resolution.dependencies import Crawler, DependencyReader
from crossdeps.resolution.model import Pin, Policy, Resolution
from crossdeps.resolution.repository import Repository
from crossdeps.resolution.result import make_resolution
from crossdeps.resolution.root_requirements import build_dependency, read_root_requirements
from crossdeps.resolution.search import Searcher
from crossdeps.resolution.tags import Mismatch, TagMatcher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.index.model import Index
    from crossdeps.requirements.model import Inputs, Requirement
    from crossdeps.resolution.model import Builder, BuiltWheel, Dependency
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.target.model import Target


def build_sources(
    requirements: Sequence[Requirement], *, target: Target, builder: Builder, progress: Progress
) -> tuple[dict[NormalizedName, Pin], dict[int, NormalizedName]]:
    """Read or build what *requirements* name by address, and check that the target takes it.

    :returns: the one pin of each such project, and the project that each unnamed requirement, by
        its place, turned out to be
    :raises ConflictError: if two addresses give one project
    :raises InputError: if the address gives another project than the one named
    :raises NoCandidateError: if the target can't take it
    :raises SdistBuildError: if a build fails
    """
    pins: dict[NormalizedName, Pin] = {}
    firsts: dict[NormalizedName, Requirement] = {}
    names: dict[int, NormalizedName] = {}
    judge = TagMatcher(target)
    for place, requirement in enumerate(requirements):
        first = firsts.get(requirement.name) if requirement.name else None
        if first is not None and first.source == requirement.source:
            names[place] = requirement.name
            continue
        progress.building(requirement.name or requirement.text)
        built = builder.from_source(requirement)
        _check(requirement, built, target, judge)
        if built.name in firsts and firsts[built.name].source != requirement.source:
            raise ConflictError(
                f"{built.name} is asked for from two places",
                context=(_line(firsts[built.name]), _line(requirement)),
                hint="keep one of the two, or tell them apart by markers",
            )
        firsts.setdefault(built.name, requirement)
        names[place] = built.name
        pins[built.name] = Pin(
            name=built.name,
            version=built.version,
            extras=frozenset(),
            source=requirement.source,
            built=built,
        )
    return pins, names


def _check(requirement: Requirement, built: BuiltWheel, target: Target, judge: TagMatcher) -> None:
    if requirement.name and requirement.name != built.name:
        raise InputError(
            f"{requirement.name} was asked for, but the address gives {built.name} {built.version}",
            context=(_line(requirement),),
            hint=f"write {built.name} @ ..., or give the address of {requirement.name}",
            rule="other-project",
        )
    fit = judge.judge("-".join(built.filename.removesuffix(".whl").rsplit("-", 3)[1:]))
    if isinstance(fit, Mismatch):
        needs = {
            "glibc": f"needs glibc {fit.detail}",
            "platform-tag": f"is for {fit.detail}",
            "python-tag": f"is for Python {fit.detail}",
            "abi-tag": f"is for ABI {fit.detail}",
        }.get(fit.reason, fit.detail)
        raise NoCandidateError(
            f"{built.filename} {needs}, and the target is {target.describe()}",
            context=(_line(requirement),),
            hint="give the address of the wheel for this target, or ask an index by name",
        )
    for python in Headers(built.metadata).get_all("Requires-Python"):
        if python and not accepts_python(python, Version(target.python)):
            raise NoCandidateError(
                f"{built.name} {built.version} wants Python {python}, and the target has"
                f" {target.python}",
                context=(_line(requirement),),
                hint="choose another Python with --python, or ask for another version",
            )


def _line(requirement: Requirement) -> str:
    return f"{requirement.origin}: {requirement.text}"


def resolve(
    inputs: Inputs,
    target: Target,
    index: Index,
    policy: Policy | None = None,
    *,
    builder: Builder,
    progress: Progress | None = None,
    preferences: Mapping[NormalizedName, Version] | None = None,
    ahead: bool = True,
) -> Resolution:
    """Choose a version of everything that *inputs* ask for and that their answer needs.

    The answer depends on the arguments alone: not on the order of lines or of files on a page, nor
    on which request ends first.

    :param preferences: versions to take where they satisfy, such as those of an earlier lock
    :param ahead: whether to ask ahead for what will likely be needed; changes speed only
    :raises ProjectNotFoundError: if no index knows a project that is needed
    :raises NoCandidateError: if a needed project has nothing that fits
    :raises ConflictError: if the requirements can't hold together
    :raises SearchLimitError: if the search passes ``policy.max_rounds``
    :raises InputError: if the inputs contradict a rule, such as hash mode's
    :raises IndexAccessError: if an index can't be reached or understood
    """
    policy = policy or Policy()
    progress = progress or Progress()
    preferences = preferences or {}
    markers = Markers(target)
    asked = read_root_requirements(inputs, markers, policy)
    sources, asked = _build(asked, target, builder, progress)
    repository = Repository(
        index=index, target=target, asked=asked, options=inputs.options, builder=builder
    )
    dependencies = DependencyReader(
        markers=markers,
        asked=asked,
        sources={name: pin.source for name, pin in sources.items() if pin.source is not None},
    )
    searcher = Searcher(
        asked=asked,
        repository=repository,
        dependencies=dependencies,
        sources=sources,
        preferences=preferences,
    )
    roots = _roots(asked)
    progress.resolving(len(roots))
    with contextlib.ExitStack() as stack:
        repository.prefetch(sorted({want.name for want in roots} - sources.keys()))
        if ahead:
            crawler = Crawler(
                repository=repository,
                dependencies=dependencies,
                preferences=preferences,
                skipped=frozenset(sources),
            )
            stack.enter_context(crawler).follow(roots)
        attempt = searcher.attempt(roots, progress=progress, max_rounds=policy.max_rounds)
    if attempt.end != "answer":
        from crossdeps.resolution.explain.explanation import Failure, explain  # noqa: PLC0415 - seldom

        raise explain(Failure(target=target, searcher=searcher, attempt=attempt))
    progress.resolved(len(attempt.pins))
    return make_resolution(
        inputs=inputs, target=target, asked=asked, attempt=attempt, repository=repository
    )


def _build(
    asked: RootRequirements, target: Target, builder: Builder, progress: Progress
) -> tuple[dict[NormalizedName, Pin], RootRequirements]:
    """Build direct sources, and name the requirements that had no name before."""
    items = asked.sources
    if not items:
        return {}, asked

    pins, names = build_sources(items, target=target, builder=builder, progress=progress)
    named = {id(item): names[place] for place, item in enumerate(items)}
    requirements = tuple(
        dataclasses.replace(item, name=named[id(item)]) if id(item) in named else item
        for item in asked.requirements
    )
    return pins, dataclasses.replace(asked, requirements=requirements)


def _roots(asked: RootRequirements) -> tuple[Dependency, ...]:
    roots: dict[tuple[str, str, tuple[str, ...]], Dependency] = {}
    for item in asked.requirements:
        for want in asked.wants(item.name, build_dependency(item)):
            key = (want.name, str(want.specifier), tuple(sorted(want.extras)))
            roots.setdefault(key, want)
    return tuple(roots[key] for key in sorted(roots))
