"""What the runtime of a target provides: packages, layers, and the caller of the handler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import ConflictError, ResolutionError, UsageError
from crossdeps.requirements.model import Inputs, Origin, Requirement
from crossdeps.target.runtimes import RUNTIMES, provided_projects
from crossdeps.verify.model import Handler, RuntimeContext, StatedRequirement

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle
    from crossdeps.pipeline.request import Request, Settings
    from crossdeps.resolution.model import Resolution, SelectedPackage
    from crossdeps.target.model import Target
    from crossdeps.target.runtimes import ProvidedProject


class RuntimePackages(msgspec.Struct, frozen=True, kw_only=True):
    """The packages that the runtime of a target provides.

    :param configured: overrides by the user: project -> version
    :param used: whether the artifact leaves the documented ones to the runtime
    """

    target: Target
    configured: Mapping[str, str]
    used: bool

    @property
    def projects(self) -> Mapping[NormalizedName, ProvidedProject]:
        """The packages by name; empty if the target is not a named runtime."""
        return provided_projects(self.target.runtime_name, self.configured)

    @property
    def sdk(self) -> dict[NormalizedName, ProvidedProject]:
        """The packages that are left to the runtime, whichever project requires them."""
        items = self.projects.items() if self.used else ()
        return {name: project for name, project in items if project.role == "sdk"}

    @property
    def constraints(self) -> tuple[Requirement, ...]:
        """The known versions, as constraints for the search."""
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - for --provided only

        return tuple(
            Requirement(
                name=name,
                specifier=SpecifierSet(f"=={project.version}"),
                origin=self._origin(project),
                text=f"{name}=={project.version}",
            )
            for name, project in self.sdk.items()
            if project.version
        )

    def _origin(self, project: ProvidedProject) -> Origin:
        when = f" on {project.seen}" if project.seen else ""
        return Origin(file=self.target.runtime_name, note=f"{project.certainty}{when}")

    def limit(self, inputs: Inputs) -> Inputs:
        """Return *inputs* with the runtime's versions as further constraints."""
        return msgspec.structs.replace(inputs, constraints=(*inputs.constraints, *self.constraints))

    def explain(self, error: ResolutionError) -> ResolutionError:
        """Add a hint if a version of the runtime is part of the conflict."""
        lines = {f"{item.origin}: {item.text}" for item in self.constraints}
        if any(line.startswith(tuple(lines)) for line in error.context if lines):
            error.hint = (
                f"{self.target.runtime_name} provides that version: require it, or package your"
                " own by omitting --provided; if your runtime has another version by now, set it"
                " in [tool.crossdeps.provided-versions]"
            )
        return error

    def find_left_out(
        self, resolution: Resolution | None, plan: Pylock, selected: Sequence[SelectedPackage]
    ) -> frozenset[NormalizedName]:
        """Find the projects to leave out: the runtime's, and those that only these require.

        :param resolution: None if a lock is built; if the lock does not record dependencies, only
            the runtime's own projects are left out
        :raises ConflictError: if the lock has another version than the runtime
        """
        if not self.used:
            return frozenset()
        from crossdeps.verify.projects import find_reachable  # noqa: PLC0415 - for --provided only

        if resolution is None:
            _check_versions(self.sdk, selected)
            dependencies = _read_dependencies(plan, {item.name for item in selected})
            roots = dependencies.keys() - set().union(*dependencies.values())
        else:
            choices = resolution.choices.items()
            dependencies = {name: set(choice.dependencies) for name, choice in choices}
            roots = {
                n for n, choice in choices if any(a.parent is None for a in choice.required_by)
            }
        return frozenset(
            dependencies.keys() - find_reachable(roots, dependencies, stop=self.sdk.keys())
        )

    def remarks(self, left_out: Collection[NormalizedName]) -> tuple[str, ...]:
        """Notes for the user about packages that are left to the runtime, one sentence each."""
        name = self.target.runtime_name
        if not self.used:
            return ()
        if not left_out:
            return (f"--provided had no effect: no package that {name} provides is required",)
        needed = [project for name, project in self.sdk.items() if name in left_out]
        known = [project.describe() for project in needed if project.version]
        unknown = [project.name for project in needed if not project.version]
        remarks = []
        if known:
            remarks.append(
                f"left to {name}: {', '.join(known)}; AWS updates them without notice, so package"
                " what you depend on"
            )
        # s3transfer follows boto3: if that version is known, so are the accepted ones.
        if unknown and not known:
            remarks.append(
                f"the version of {', '.join(unknown)} in {name} is unknown: it did not constrain"
                " the resolution; set it in [tool.crossdeps.provided-versions]"
            )
        return tuple(remarks)


def find_runtime_packages(settings: Settings, target: Target) -> RuntimePackages:
    """Find the packages that the runtime of *target* provides.

    :raises UsageError: if *settings* rely on them and the target is not a named runtime
    :raises InputError: if a configured version is invalid
    """
    if settings.provided and target.runtime_name is None:
        raise UsageError(
            "--provided requires a named runtime",
            hint=f"name one with --runtime: {', '.join(RUNTIMES)}",
        )
    if settings.provided_versions:
        provided_projects(target.runtime_name, settings.provided_versions)  # raises
    return RuntimePackages(
        target=target, configured=settings.provided_versions, used=settings.provided
    )


def _check_versions(
    sdk: Mapping[NormalizedName, ProvidedProject], selected: Sequence[SelectedPackage]
) -> None:
    for item in selected:
        known = sdk.get(item.name)
        if known and known.version and item.version and known.version != item.version:
            raise ConflictError(
                f"the lock has {item.name} {item.version}, and the runtime has {known.describe()}",
                hint="lock again with --provided; if your runtime has another version by now, set"
                " it in [tool.crossdeps.provided-versions]",
            )


def _read_dependencies(
    plan: Pylock, names: AbstractSet[NormalizedName]
) -> dict[NormalizedName, set[NormalizedName]]:
    dependencies: dict[NormalizedName, set[NormalizedName]] = {name: set() for name in names}
    for package in plan.packages:
        if package.name in names:
            dependencies[package.name] |= {
                item["name"] for item in package.dependencies or ()
            } & names
    return dependencies


# AWS Lambda quotas: "Function layers: five layers".
_MOST_LAYERS = 5


def read_runtime_context(
    runtime_packages: RuntimePackages,
    *,
    layers: Sequence[str | os.PathLike[str]] = (),
    handler: str | None = None,
    prefix: str = "",
) -> RuntimeContext:
    """Read the layers and the handler.

    :param layers: directories and zips, in the order in which the function lists them
    :param prefix: folder of the packages within the artifact
    :raises UsageError: if the handler is invalid or given for a layer, or layers are too many
    :raises ArtifactReadError: if a layer cannot be read
    """
    if handler and prefix:
        raise UsageError(
            "a layer has no handler", hint="check the handler of the function: --with-layer PATH"
        )
    if runtime_packages.target.runtime_name and len(layers) > _MOST_LAYERS:
        raise UsageError(
            f"a function has at most {_MOST_LAYERS} layers; {len(layers)} were given",
            hint="merge their content",
        )
    parsed = Handler.parse(handler) if handler else None
    return RuntimeContext(
        layers=tuple(_read_layer(path, runtime_packages.target) for path in layers),
        provided=runtime_packages.projects if runtime_packages.configured else None,
        left_out=frozenset(runtime_packages.sdk),
        handler=parsed,
    )


def state_requirements(
    runtime_context: RuntimeContext,
    request: Request,
    inputs: Inputs,
    selected: Sequence[SelectedPackage],
    target: Target,
) -> RuntimeContext:
    """Return *runtime_context* with what the user requires, to compare it with the layers.

    :param selected: the pins of the request if it is a lock
    """
    from crossdeps.pipeline.request import Lock  # noqa: PLC0415 - few functions have layers
    from crossdeps.requirements.requires_dist import (  # noqa: PLC0415 - as above
        Conditions,
        take_apart,
    )

    if isinstance(request, Lock):
        lines = [
            (f"{item.name}=={item.version}", str(request.path)) for item in selected if item.version
        ]
    else:
        replaced = {item.name for item in inputs.overrides}
        others = (*inputs.requirements, *inputs.constraints)
        items = (*inputs.overrides, *(item for item in others if item.name not in replaced))
        lines = [
            (f"{item.name}{item.specifier}" + (f"; {item.marker}" if item.marker else ""),
             str(item.origin))
            for item in items
            if item.name and item.source is None
        ]  # fmt: skip
    conditions = Conditions(target.environment)
    stated = [
        StatedRequirement(required=required, origin=origin)
        for line, origin in lines
        if conditions.hold(required := take_apart(line), "")
    ]
    return msgspec.structs.replace(
        runtime_context,
        stated=tuple(stated),
        overridden=frozenset(item.name for item in inputs.overrides),
    )


def _read_layer(path: str | os.PathLike[str], target: Target) -> Bundle:
    from crossdeps.bundle.read import read_bundle  # noqa: PLC0415 - few functions have layers

    return read_bundle(Path(path), python=target.python_version, is_layer=True)
