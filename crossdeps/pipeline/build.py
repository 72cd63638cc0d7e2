"""Projects that an artifact does without because its user said so."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from crossdeps.bundle.plan import plan_bundle
from crossdeps.pipeline.artifact import check_output, describe_build, lay_out, write_artifact
from crossdeps.pipeline.request import RequirementsLike, Settings, build_request, lock_beside
from crossdeps.pipeline.runtime import find_runtime_packages, read_runtime_context
from crossdeps.pipeline.session import open_session
from crossdeps.progress import Progress
from crossdeps.requirements.pylock import read_pylock
from crossdeps.requirements.syntax import parse_requirement
from crossdeps.resolution.lock.selection import check_hashes, select
from crossdeps.resolution.lock.writer import to_pylock
from crossdeps.verify.model import FindingsError
from crossdeps.verify.registry import verify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.bundle.model import Bundle
    from crossdeps.report.model import Report
    from crossdeps.requirements.model import Inputs
    from crossdeps.target.model import Target
    from crossdeps.verify.model import Finding


def expected_missing(bundle: Bundle, settings: Settings, inputs: Inputs) -> frozenset[str]:
    """Normalised names of projects whose absence is no fault.

    Those left out by name; those on which an override has the last word; and without dependencies,
    all that was not asked for itself.
    """
    named: set[str] = set(settings.layout.excluded_projects)
    named.update(override.name for override in inputs.overrides if override.name)
    if settings.policy.no_deps:
        named.update(_required(line for project in bundle.projects for line in project.requires))
    return frozenset(map(canonicalize_name, named))


def _required(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        # A line that can't be understood is a finding of its own.
        with contextlib.suppress(InvalidRequirement):
            yield parse_requirement(line).name


Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def build(
    asked: RequirementsLike,
    target: Target,
    output: str | os.PathLike[str] = "package",
    *,
    source: Paths = (),
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Report:
    """Make a directory, or a zip where *output* ends in ``.zip``, that runs on *target*.

    :param asked: a request; the path of a requirements file, project or lock; or requirements one
        by one. A lock is built without resolving
    :param source: your own code: the content of directories, and files, placed at the root
    :raises FindingsError: if the artifact would fail on the target; nothing is written
    :raises CrossdepsError: see :mod:`crossdeps.errors`; nothing is written
    """
    settings = lay_out(settings or Settings(), Path(output), source, target)
    check_output(settings)
    runtime_packages = find_runtime_packages(settings, target)
    runtime_context = read_runtime_context(
        runtime_packages,
        layers=settings.layers,
        handler=settings.handler,
        prefix=settings.layout.prefix,
    )
    request = build_request(asked)
    locked = lock_beside(request)
    with open_session(request, settings, progress or Progress()) as session:
        resolution = None if locked else session.resolve(target)
        plan = to_pylock([resolution]) if resolution else read_pylock(locked or Path())
        selected = select(plan, target)
        if locked:
            check_hashes(selected, str(locked))
        left_out = runtime_packages.find_left_out(resolution, plan, selected)
        wheels = session.fetch([item for item in selected if item.name not in left_out])
        session.check_metadata(resolution, wheels)
        bundle = plan_bundle(wheels, target, settings.layout)
        absent = expected_missing(bundle, settings, session.inputs) | left_out
        findings = verify(
            bundle, target, ignore=settings.ignore, assumed=absent, runtime_context=runtime_context
        )
        _refuse(findings, strict=settings.strict)
        artifact = write_artifact(bundle, settings, session.progress)
        return describe_build(
            target=target, plan=plan, resolution=resolution, wheels=wheels, bundle=bundle,
            findings=findings, artifact=artifact, session=session, left_out=left_out,
            runtime_packages=runtime_packages, layers=runtime_context.layers,
        )  # fmt: skip


def _refuse(findings: tuple[Finding, ...], *, strict: bool) -> None:
    failing = tuple(f for f in findings if strict or f.severity == "error")
    if failing:
        raise FindingsError(failing)
