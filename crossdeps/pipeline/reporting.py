"""From the results of each step to one report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.inputs import redact
from crossdeps.report import Artifact, PackageLine, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.pylock import Pylock

    from crossdeps.bundle import Bundle
    from crossdeps.pipeline.workshop import Workshop
    from crossdeps.resolution import Choice, Resolution
    from crossdeps.target import Target
    from crossdeps.verify import Finding
    from crossdeps.wheels import Wheel


def describe_build(
    *,
    target: Target,
    plan: Pylock,
    resolution: Resolution | None,
    wheels: Sequence[Wheel],
    bundle: Bundle,
    findings: tuple[Finding, ...],
    artifact: Artifact,
    workshop: Workshop,
) -> Report:
    """The report of a build.

    :param resolution: None where a lock was built
    """
    choices = resolution.choices if resolution else {}
    sizes = {project.name: project.size for project in bundle.projects}
    lines = [_package(wheel, sizes.get(wheel.name, 0), choices.get(wheel.name)) for wheel in wheels]
    warnings = (
        *workshop.warnings,
        *(resolution.warnings if resolution else ()),
        *(f"{wheel.filename}: {warning}" for wheel in wheels for warning in wheel.warnings),
        *bundle.warnings,
    )
    options = workshop.options
    return Report(
        target=target,
        artifact=artifact,
        lock=plan,
        packages=tuple(sorted(lines, key=lambda line: line.name)),
        findings=findings,
        removed=bundle.removed,
        indexes=tuple(redact(url) for url in (*options.index_urls, *options.find_links)),
        warnings=tuple(dict.fromkeys(warnings)),
        notes=bundle.notes,
    )


def _package(wheel: Wheel, size: int, choice: Choice | None) -> PackageLine:
    return PackageLine(
        name=wheel.name,
        version=str(wheel.version),
        wheel=wheel.filename,
        sha256=wheel.sha256,
        tags=wheel.tags,
        size=size,
        requested=any(asker.parent is None for asker in choice.askers) if choice else False,
        passed_over=choice.passed_over if choice else (),
    )
