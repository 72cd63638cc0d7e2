"""From the results of each step to one report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.inputs import redact
from crossdeps.pipeline.budget import upload_remarks
from crossdeps.report import Artifact, LayerLine, PackageLine, Report
from crossdeps.target import ProvidedProject

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from crossdeps.bundle import Bundle
    from crossdeps.pipeline.providing import Provision
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
    provision: Provision,
    left_out: Collection[NormalizedName] = (),
    layers: Sequence[Bundle] = (),
) -> Report:
    """The report of a build.

    :param resolution: None where a lock was built
    :param left_out: to the runtime
    """
    choices = resolution.choices if resolution else {}
    sizes = {project.name: project.size for project in bundle.projects}
    lines = [_package(wheel, sizes.get(wheel.name, 0), choices.get(wheel.name)) for wheel in wheels]
    warnings = (
        *workshop.warnings,
        *(resolution.warnings if resolution else ()),
        *(f"{wheel.filename}: {warning}" for wheel in wheels for warning in wheel.warnings),
        *bundle.warnings,
        *provision.remarks(left_out),
    )
    options = workshop.options
    return Report(
        target=target,
        artifact=artifact,
        lock=plan,
        packages=tuple(sorted(lines, key=lambda line: line.name)),
        findings=findings,
        removed=bundle.removed,
        provided=tuple(
            provision.projects.get(name, ProvidedProject(name=name, role="dependency"))
            for name in sorted(left_out)
        ),
        layers=tuple(
            LayerLine(path=str(path), size=layer.size)
            for path, layer in zip(workshop.settings.layers, layers, strict=True)
        ),
        indexes=tuple(redact(url) for url in (*options.index_urls, *options.find_links)),
        warnings=tuple(dict.fromkeys(warnings)),
        notes=(*bundle.notes, *upload_remarks(bundle, artifact, target)),
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
