"""The row of calls that makes an artifact: choose, fetch, plan, verify, write, report."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.bundle.plan import plan_bundle
from crossdeps.derived import DerivedCache
from crossdeps.errors import FindingsError
from crossdeps.pipeline.artifact import build_report, write_artifact
from crossdeps.pipeline.remembered_build import read_source_state, remember_build
from crossdeps.pipeline.request import Lock
from crossdeps.pipeline.runtime import (
    find_runtime_packages,
    read_runtime_context,
    state_requirements,
)
from crossdeps.resolution.lock.selection import check_hashes, describe_choice, select
from crossdeps.text import is_http
from crossdeps.verify.registry import verify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.pylock import Pylock

    from crossdeps.bundle.destination import DestinationState
    from crossdeps.bundle.model import Bundle
    from crossdeps.finding import Finding
    from crossdeps.pipeline.request import Request, Settings
    from crossdeps.pipeline.runtime import RuntimePackages
    from crossdeps.pipeline.session import Session
    from crossdeps.report.model import Report
    from crossdeps.requirements.model import Inputs
    from crossdeps.resolution.model import Resolution, SelectedPackage
    from crossdeps.target.model import Target
    from crossdeps.wheels.store import Store


def assemble(
    session: Session, target: Target, checked: DestinationState | None, key: str
) -> Report:
    """Make the artifact that the session's request and settings describe.

    :param checked: what was found at the output
    :param key: under which the result is kept
    :raises FindingsError: if the artifact would fail on the target; nothing is written
    :raises CrossdepsError: see :mod:`crossdeps.errors`; nothing is written
    """
    request, settings = session.request, session.settings
    runtime_packages = find_runtime_packages(settings, target)
    runtime_context = read_runtime_context(
        runtime_packages,
        layers=settings.layers,
        handler=settings.handler,
        prefix=settings.layout.prefix,
    )
    sources = read_source_state(settings.layout)
    inputs = session.inputs  # before a lock is read: a change in between is noticed later
    resolution, lock = _choose(request, runtime_packages, session)
    if isinstance(request, Lock):
        selected = select(
            lock, target, extras=request.extras, groups=request.groups, name=str(request.path)
        )
        session.other_warnings += describe_choice(lock, request.groups, str(request.path))
        check_hashes(selected, str(request.path))
    else:
        selected = select(lock, target)
    if runtime_context.layers:
        runtime_context = state_requirements(runtime_context, request, inputs, selected, target)
    left_out = runtime_packages.find_left_out(resolution, lock, selected)
    packages = [item for item in selected if item.name not in left_out]
    if not _has_wheels(packages, session.store):
        from crossdeps.pipeline.estimate import estimate  # noqa: PLC0415 - see its module

        estimated = estimate(packages, settings, target, runtime_context.layers)
        if estimated is not None:
            return build_report(
                target=target, lock=lock, resolution=resolution, wheels=estimated.wheels,
                bundle=estimated.bundle, findings=(), artifact=estimated.artifact, session=session,
                left_out=left_out, runtime_packages=runtime_packages, layers=runtime_context.layers,
            )  # fmt: skip
    wheels = session.fetch(packages)
    if resolution:
        session.check_metadata(resolution, wheels)
    derived = DerivedCache(session.cache)
    direct_urls = {item.name: item.direct_url for item in packages if item.direct_url}
    bundle = plan_bundle(wheels, target, settings.layout, cache=derived, direct_urls=direct_urls)
    missing = expected_missing(bundle, settings, inputs) | left_out
    findings = verify(
        bundle,
        target,
        ignore=settings.ignore,
        expected_missing=missing,
        runtime_context=runtime_context,
        cache=derived,
    )
    _check_findings(findings, strict=settings.strict)
    artifact, zip_layout = write_artifact(bundle, settings, session.progress, checked)
    report = build_report(
        target=target, lock=lock, resolution=resolution, wheels=wheels, bundle=bundle,
        findings=findings, artifact=artifact, session=session, left_out=left_out,
        runtime_packages=runtime_packages, layers=runtime_context.layers,
    )  # fmt: skip
    if artifact.path and all(
        item.file and item.file.filename.endswith(".whl") for item in selected
    ):
        remember_build(session, key, report, bundle, zip_layout, sources=sources)
    return report


def _has_wheels(packages: Iterable[SelectedPackage], store: Store) -> bool:
    """Whether nothing has to be downloaded: the store has every wheel that is on a server."""
    files = (item.file for item in packages if item.file is not None)
    return all(
        store.has(file.hashes.get("sha256", "").lower())
        for file in files
        if is_http(file.url) and file.filename.endswith(".whl")
    )


def _choose(
    request: Request, runtime_packages: RuntimePackages, session: Session
) -> tuple[Resolution | None, Pylock]:
    """The lock to build, and the resolution that it was made from, unless it was given."""
    if isinstance(request, Lock):
        return None, request.read()
    from crossdeps.pipeline.resolve import resolve_session  # noqa: PLC0415 - one of two ways
    from crossdeps.resolution.lock.writer import to_pylock  # noqa: PLC0415 - as above

    if not session.settings.dry_run:
        session.begin_downloads(runtime_packages)
    resolution = resolve_session(session, runtime_packages)
    return resolution, to_pylock([resolution])


def expected_missing(bundle: Bundle, settings: Settings, inputs: Inputs) -> frozenset[str]:
    """Normalised names of projects that the user asked to leave out.

    Those excluded by name; those that an override replaces; and with ``--no-deps`` every project
    that was not requested itself.
    """
    names: set[str] = set(settings.layout.excluded_projects)
    names.update(override.name for override in inputs.overrides if override.name)
    if settings.policy.no_deps:
        names.update(_required(line for project in bundle.projects for line in project.requires))
    return frozenset(map(canonicalize_name, names))


def _required(lines: Iterable[str]) -> Iterable[str]:
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - for --no-deps only

    from crossdeps.requirements.syntax import parse_requirement  # noqa: PLC0415 - as above

    for line in lines:
        # An invalid line is a finding of its own.
        with contextlib.suppress(InvalidRequirement):
            yield parse_requirement(line).name


def _check_findings(findings: tuple[Finding, ...], *, strict: bool) -> None:
    failing = tuple(f for f in findings if strict or f.severity == "error")
    if failing:
        raise FindingsError(failing)
