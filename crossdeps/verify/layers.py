"""Rules on what the layers of a function have together with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify.model import Rule
from crossdeps.verify.projects import WRONG_VERSION, accepts_version, iterate_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext

LAYER_VERSION = Rule(
    id="layer-version",
    severity="error",
    title="a version that the function or a layer requires, and the other does not have",
    symptom="`ImportError`, `AttributeError` or wrong behaviour in the dependent project.",
    cause=(
        "The function and its layers were resolved separately. On the import path the function"
        " precedes its layers, so a requirement is met by the function's copy if it has one, and"
        " otherwise by that of a layer."
    ),
    remedy=(
        "Build the function and the layer from one lock, or package the project with the function."
    ),
)


def check_layer_versions(context: CheckContext) -> Iterator[Finding]:
    """Check that requirements are met by the copy that is imported, where layers are involved.

    Those of the function that a layer meets, those of a layer that the function or another layer
    meets, and those that the user stated. One that a layer alone gets wrong is a warning, as it is
    for a function; so is one that the user has overridden.
    """
    layers = context.located_layer_projects
    if not layers:
        return
    everything = {**context.layer_projects, **context.projects}
    overridden = context.runtime_context.overridden
    for project, required, _ in iterate_requirements(
        tuple(everything.values()), context.requirements, context.conditions.hold
    ):
        found = everything.get(required.project)
        inside = [name in context.projects for name in (project.name, required.project)]
        if found is None or all(inside) or accepts_version(required, found.version):
            continue
        homes = [
            context.bundle if own else layers[name][1]
            for own, name in zip(inside, (project.name, required.project), strict=True)
        ]
        accepted = homes[0] is homes[1] or required.project in overridden
        source = "" if inside[0] else f" in {context.describe(homes[0])}"
        copy = context.describe(homes[1])
        yield (WRONG_VERSION if accepted else LAYER_VERSION).project_finding(
            project if inside[0] else found,
            f"{project.name} {project.version}{source} requires {required.name}"
            f"{required.specifier}; {copy} has {found.version}, which is imported",
            hint="build the function and its layers from one lock",
        )
    for stated in context.runtime_context.stated:
        name = stated.required.project
        if name in context.projects or name not in layers:
            continue
        found, layer = layers[name]
        if not accepts_version(stated.required, found.version):
            yield LAYER_VERSION.project_finding(
                found,
                f"{stated.required.line} is required ({stated.origin});"
                f" {context.describe(layer)} has {found.version}, which is imported",
                hint=f"build the layer from the same versions, or package {name} with the function",
            )
