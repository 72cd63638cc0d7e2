"""lock() and build(): each a straight row of calls."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle import plan_bundle
from crossdeps.inputs import read_pylock
from crossdeps.pipeline.absences import expected_absences
from crossdeps.pipeline.artifact import check_output, lay_out, write_artifact
from crossdeps.pipeline.asking import Asked, lock_beside, request_of, requirements_of
from crossdeps.pipeline.locking import plan_lock
from crossdeps.pipeline.placing import surroundings_of
from crossdeps.pipeline.providing import provision_of
from crossdeps.pipeline.reporting import describe_build
from crossdeps.pipeline.settings import Settings
from crossdeps.pipeline.workshop import open_workshop
from crossdeps.progress import Progress
from crossdeps.resolution import check_hashes, select, to_pylock
from crossdeps.verify import FindingsError, verify

if TYPE_CHECKING:
    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.report import Report
    from crossdeps.resolution import Resolution
    from crossdeps.target import Target
    from crossdeps.verify import Finding

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def resolve(
    asked: Asked,
    target: Target,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Resolution:
    """Choose a version of every project needed, with the reasons.

    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    request = requirements_of(asked)
    with open_workshop(request, settings or Settings(), progress or Progress()) as workshop:
        return workshop.resolve(target)


def lock(
    asked: Asked,
    target: Target | Sequence[Target],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    preferences: Mapping[NormalizedName, Version] | None = None,
) -> Pylock:
    """Choose a version of every project needed, and the wheels for each target.

    :param asked: a request; the path of a requirements file or project; or requirements one by one
    :param preferences: versions to keep where they still fit, such as those of an older lock
    :returns: a valid lock (PEP 751), the plan that :func:`build` works from
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    targets = target if isinstance(target, Sequence) else (target,)
    return plan_lock(
        asked, targets, settings=settings, progress=progress, preferences=preferences
    ).lock


def build(
    asked: Asked,
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
    provision = provision_of(settings, target)
    surroundings = surroundings_of(
        provision, layers=settings.layers, handler=settings.handler, prefix=settings.layout.prefix
    )
    request = request_of(asked)
    locked = lock_beside(request)
    with open_workshop(request, settings, progress or Progress()) as workshop:
        resolution = None if locked else workshop.resolve(target)
        plan = to_pylock([resolution]) if resolution else read_pylock(locked or Path())
        selected = select(plan, target)
        if locked:
            check_hashes(selected, str(locked))
        left_out = provision.left_out_of(resolution, plan, selected)
        wheels = workshop.fetch([one for one in selected if one.name not in left_out])
        workshop.check_metadata(resolution, wheels)
        bundle = plan_bundle(wheels, target, settings.layout)
        absent = expected_absences(bundle, settings, workshop.inputs) | left_out
        findings = verify(
            bundle, target, ignore=settings.ignore, assumed=absent, surroundings=surroundings
        )
        _refuse(findings, strict=settings.strict)
        artifact = write_artifact(bundle, settings, workshop.progress)
        return describe_build(
            target=target, plan=plan, resolution=resolution, wheels=wheels, bundle=bundle,
            findings=findings, artifact=artifact, workshop=workshop, left_out=left_out,
            provision=provision, layers=surroundings.layers,
        )  # fmt: skip


def _refuse(findings: tuple[Finding, ...], *, strict: bool) -> None:
    failing = tuple(f for f in findings if strict or f.severity == "error")
    if failing:
        raise FindingsError(failing)
