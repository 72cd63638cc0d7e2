"""What is left to the runtime, and what the rest is resolved against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from crossdeps.bundle.read import read_bundle
from crossdeps.errors import ConflictError, ResolutionError, UsageError
from crossdeps.requirements.model import Inputs, Origin, Requirement
from crossdeps.target.runtimes import RUNTIMES, provided_projects
from crossdeps.verify.model import Handler, RuntimeContext

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from crossdeps.pipeline.request import Settings
    from crossdeps.resolution.model import Resolution, SelectedPackage
    from crossdeps.target.model import Target
    from crossdeps.target.runtimes import ProvidedProject


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimePackages:
    """What the runtime of a target has, and whether it is relied on.

    :param projects: by name; empty where no runtime was named
    :param used: whether the documented part of it is left to the runtime
    """

    target: Target
    projects: Mapping[NormalizedName, ProvidedProject]
    used: bool

    @property
    def sdk(self) -> dict[NormalizedName, ProvidedProject]:
        """What is left to the runtime whoever needs it."""
        items = self.projects.items() if self.used else ()
        return {name: project for name, project in items if project.role == "sdk"}

    @property
    def constraints(self) -> tuple[Requirement, ...]:
        """The known versions, as limits for the search."""
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
        """*inputs* with the runtime's versions among the constraints."""
        return replace(inputs, constraints=(*inputs.constraints, *self.constraints))

    def explain(self, error: ResolutionError) -> ResolutionError:
        """Say what to do where it is the runtime's version that stands in the way."""
        lines = {f"{item.origin}: {item.text}" for item in self.constraints}
        if any(line.startswith(tuple(lines)) for line in error.context if lines):
            error.hint = (
                f"{self.target.runtime_name} brings that version: ask for it, or package your own"
                " by leaving out --provided; if your runtime has another one by now, say so under"
                " [tool.crossdeps.provided-versions]"
            )
        return error

    def find_left_out(
        self, resolution: Resolution | None, plan: Pylock, selected: Sequence[SelectedPackage]
    ) -> frozenset[NormalizedName]:
        """The projects to leave out: the runtime's, and those that nothing else needs.

        :param resolution: None where a lock is built; one that doesn't record dependencies loses
            the runtime's projects alone
        :raises ConflictError: if the lock has another version than the runtime
        """
        if not self.used:
            return frozenset()
        if resolution is None:
            _check_versions(self.sdk, selected)
            needs = _needs_of_lock(plan, {item.name for item in selected})
            roots = needs.keys() - set().union(*needs.values())
        else:
            choices = resolution.choices.items()
            needs = {name: set(choice.dependencies) for name, choice in choices}
            roots = {
                n for n, choice in choices if any(a.parent is None for a in choice.required_by)
            }
        return frozenset(needs.keys() - _reach(roots, needs, stop=self.sdk.keys()))

    def remarks(self, left_out: Collection[NormalizedName]) -> tuple[str, ...]:
        """What the user should know of relying on the runtime: one sentence each."""
        name = self.target.runtime_name
        if not self.used:
            return ()
        if not left_out:
            return (f"--provided left nothing out: nothing that {name} has is needed",)
        needed = [project for name, project in self.sdk.items() if name in left_out]
        known = [project.describe() for project in needed if project.version]
        unknown = [project.name for project in needed if not project.version]
        remarks = []
        if known:
            remarks.append(
                f"left to {name}: {', '.join(known)}; AWS updates it without notice, so package"
                " what you depend on"
            )
        # s3transfer goes with boto3: where that is known, so is what it accepts.
        if unknown and not known:
            remarks.append(
                f"which {', '.join(unknown)} {name} has isn't known: nothing was resolved against"
                " it; say what you see there under [tool.crossdeps.provided-versions]"
            )
        return tuple(remarks)


def find_runtime_packages(settings: Settings, target: Target) -> RuntimePackages:
    """What *target*'s runtime provides under *settings*.

    :raises UsageError: if it is to be relied on, and no runtime was named
    :raises InputError: if a configured version isn't one
    """
    if settings.provided and target.runtime_name is None:
        raise UsageError(
            "what is provided is known of runtimes only, and no runtime was named",
            hint=f"name one with --runtime: {', '.join(RUNTIMES)}",
        )
    projects = provided_projects(target, settings.provided_versions)
    return RuntimePackages(target=target, projects=projects, used=settings.provided)


def _check_versions(
    sdk: Mapping[NormalizedName, ProvidedProject], selected: Sequence[SelectedPackage]
) -> None:
    for item in selected:
        known = sdk.get(item.name)
        if known and known.version and item.version and known.version != item.version:
            raise ConflictError(
                f"the lock has {item.name} {item.version}, and the runtime has {known.describe()}",
                hint="lock anew with --provided; if your runtime has another version by now, say"
                " so under [tool.crossdeps.provided-versions]",
            )


def _needs_of_lock(
    plan: Pylock, names: AbstractSet[NormalizedName]
) -> dict[NormalizedName, set[NormalizedName]]:
    needs: dict[NormalizedName, set[NormalizedName]] = {name: set() for name in names}
    for package in plan.packages:
        if package.name in names:
            needs[package.name] |= {item["name"] for item in package.dependencies or ()} & names
    return needs


def _reach(
    roots: Iterable[NormalizedName],
    needs: Mapping[NormalizedName, AbstractSet[NormalizedName]],
    stop: AbstractSet[NormalizedName],
) -> set[NormalizedName]:
    reached: set[NormalizedName] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached and name not in stop:
            reached.add(name)
            waiting += needs.get(name, ())
    return reached


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

    :param layers: directories and zips, as they are given to the function
    :param prefix: where the artifact's packages lie
    :raises UsageError: if it isn't a handler, or the artifact or the layers can't be such
    :raises ArtifactReadError: if a layer can't be read
    """
    if handler and prefix:
        raise UsageError(
            "a layer has no handler", hint="check the handler on the function: --with-layer PATH"
        )
    if runtime_packages.target.runtime_name and len(layers) > _MOST_LAYERS:
        raise UsageError(
            f"a function has at most {_MOST_LAYERS} layers; {len(layers)} were given",
            hint="put their content together",
        )
    parsed = Handler.parse(handler) if handler else None
    return RuntimeContext(
        layers=tuple(read_bundle(Path(layer)) for layer in layers),
        provided=runtime_packages.projects,
        left_out=frozenset(runtime_packages.sdk),
        handler=parsed,
    )
