"""Inputs, target and index -> Resolution."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from crossdeps.progress import Progress
from crossdeps.resolution.asked import reduce_inputs, want_of
from crossdeps.resolution.catalogue import Catalogue
from crossdeps.resolution.crawler import Crawler
from crossdeps.resolution.dependencies import Dependencies
from crossdeps.resolution.markers import Markers
from crossdeps.resolution.model import Policy, Resolution
from crossdeps.resolution.outcome import make_resolution
from crossdeps.resolution.search import Searcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.index.model import Index
    from crossdeps.inputs.model import Inputs
    from crossdeps.resolution.asked import Asked
    from crossdeps.resolution.model import Builder
    from crossdeps.resolution.wants import Pin, Want
    from crossdeps.target import Target


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
    asked = reduce_inputs(inputs, markers, policy)
    sources, asked = _build(asked, target, builder, progress)
    catalogue = Catalogue(
        index=index, target=target, asked=asked, options=inputs.options, builder=builder
    )
    dependencies = Dependencies(
        markers=markers,
        asked=asked,
        sources={name: pin.source for name, pin in sources.items() if pin.source is not None},
    )
    searcher = Searcher(
        asked=asked,
        catalogue=catalogue,
        dependencies=dependencies,
        sources=sources,
        preferences=preferences,
    )
    roots = _roots(asked)
    progress.resolving(len(roots))
    with contextlib.ExitStack() as stack:
        catalogue.prefetch(sorted({want.name for want in roots} - sources.keys()))
        if ahead:
            crawler = Crawler(
                catalogue=catalogue,
                dependencies=dependencies,
                preferences=preferences,
                skipped=frozenset(sources),
            )
            stack.enter_context(crawler).follow(roots)
        attempt = searcher.attempt(roots, progress=progress, max_rounds=policy.max_rounds)
    if attempt.end != "answer":
        from crossdeps.resolution.explanation import Failure, explain  # noqa: PLC0415 - seldom

        raise explain(Failure(target=target, searcher=searcher, attempt=attempt))
    progress.resolved(len(attempt.pins))
    return make_resolution(
        inputs=inputs, target=target, asked=asked, attempt=attempt, catalogue=catalogue
    )


def _build(
    asked: Asked, target: Target, builder: Builder, progress: Progress
) -> tuple[dict[NormalizedName, Pin], Asked]:
    """Build direct sources, and name the requirements that had no name before."""
    items = asked.sources
    if not items:
        return {}, asked
    from crossdeps.resolution.direct import build_sources  # noqa: PLC0415 - seldom

    pins, names = build_sources(items, target=target, builder=builder, progress=progress)
    named = {id(item): names[place] for place, item in enumerate(items)}
    requirements = tuple(
        dataclasses.replace(item, name=named[id(item)]) if id(item) in named else item
        for item in asked.requirements
    )
    return pins, dataclasses.replace(asked, requirements=requirements)


def _roots(asked: Asked) -> tuple[Want, ...]:
    roots: dict[tuple[str, str, tuple[str, ...]], Want] = {}
    for item in asked.requirements:
        for want in asked.wants(item.name, want_of(item)):
            key = (want.name, str(want.specifier), tuple(sorted(want.extras)))
            roots.setdefault(key, want)
    return tuple(roots[key] for key in sorted(roots))
