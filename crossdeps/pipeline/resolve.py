"""resolve(): a version of every required project, searched or recalled from an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.derived import DerivedCache
from crossdeps.errors import ResolutionError
from crossdeps.pipeline.remembered import Trace, make_key, recall, remember
from crossdeps.pipeline.request import Settings, read_requirements
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.pipeline.session import open_session
from crossdeps.progress import Progress
from crossdeps.requirements.syntax import Markers
from crossdeps.resolution.root_requirements import check_requires_python, read_root_requirements
from crossdeps.resolution.stored_resolution import (
    StoredResolution,
    restore_resolution,
    store_resolution,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.pipeline.request import RequirementsLike
    from crossdeps.pipeline.runtime import RuntimePackages
    from crossdeps.pipeline.session import Session
    from crossdeps.resolution.model import Resolution
    from crossdeps.target.model import Target

_KIND: Final = "resolutions2"
_DECODER: Final = msgspec.msgpack.Decoder(tuple[Trace, tuple[StoredResolution, tuple[str, ...]]])
_RELEVANT: Final = (
    "index",
    "isolated",
    "policy",
    "project_indexes",
    "provided",
    "provided_versions",
)


def resolve(
    requirements: RequirementsLike,
    target: Target,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Resolution:
    """Choose a version of every required project, with the reasons.

    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    request = read_requirements(requirements)
    with open_session(request, settings or Settings(), progress or Progress()) as session:
        return resolve_session(session, find_runtime_packages(session.settings, target))


def resolve_session(
    session: Session,
    runtime_packages: RuntimePackages,
    preferences: Mapping[NormalizedName, Version] | None = None,
) -> Resolution:
    """Choose a version of every project that is required on the target.

    What an earlier run has chosen is the answer, if this run would read the same.

    :param runtime_packages: what the target's runtime provides
    :param preferences: versions to keep where they still fit
    :raises ResolutionError: if there is no solution
    :raises ConflictError: if the user's project does not admit the target's Python
    """
    target = runtime_packages.target
    check_requires_python(session.inputs, [target])
    preferred = sorted((name, str(version)) for name, version in (preferences or {}).items())
    key = make_key(session, [target], preferred, relevant=_RELEVANT)
    found = recall(session, _KIND, key, _DECODER)
    if found is not None:
        stored, warnings = found
        session.other_warnings += warnings
        inputs = runtime_packages.limit(session.inputs)
        roots = read_root_requirements(inputs, Markers(target), session.settings.policy)
        return restore_resolution(stored, target, roots.requirements)
    resolution = _search(session, runtime_packages, preferences)
    to_store = store_resolution(resolution)
    if to_store is not None:
        remember(session, _KIND, key, (to_store, session.index.warnings))
    return resolution


def _search(
    session: Session,
    runtime_packages: RuntimePackages,
    preferences: Mapping[NormalizedName, Version] | None,
) -> Resolution:
    session.prefetch()
    from crossdeps.resolution import resolver  # noqa: PLC0415 - slow to load

    try:
        return resolver.resolve(
            runtime_packages.limit(session.inputs),
            runtime_packages.target,
            session.index,
            session.settings.policy,
            builder=session.builder,
            progress=session.progress,
            preferences=preferences,
            observer=session.downloads,
            derived=DerivedCache(session.cache),
            build=session.downloads is not None,
        )
    except ResolutionError as error:
        raise runtime_packages.explain(error) from error.__cause__
