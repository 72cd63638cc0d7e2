"""Whether everything that a project requires is there, in a version that it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crossdeps.syntax import parse_requirement
from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.projects import UNREADABLE_METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from packaging.markers import Marker

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.verify.scene import Scene

UNMET_REQUIREMENT = Rule(
    id="unmet-requirement",
    severity="error",
    title="a required project is missing",
    symptom="`ModuleNotFoundError` when the requiring project is imported, or later.",
    cause="The package was installed with `--no-deps`, for other markers, or trimmed by hand.",
    remedy="Build from requirements, so that dependencies are resolved for the target.",
)
WRONG_VERSION = Rule(
    id="wrong-version",
    severity="warning",
    title="a required project is there in a version that isn't accepted",
    symptom="`ImportError`, `AttributeError` or wrong behaviour in the requiring project.",
    cause="Several installs into one directory, an override, or a copy by hand.",
    remedy="Build from requirements in one run.",
)


def check_requirements(scene: Scene) -> Iterator[Finding]:
    """Every Requires-Dist that applies to the target is met (core metadata).

    Requirements under an extra count where another project of the bundle asks for that extra: what
    the user asked for isn't recorded in a bundle.
    """
    for project, requirement, extras in applying_requirements(scene):
        name = canonicalize_name(requirement.name)
        found = scene.projects.get(name) or scene.layered.get(name)
        wanted = f"{project.name} {project.version} requires {_text(requirement)}{extras}"
        if found is not None:
            if not _accepts(requirement, found.version):
                place = "the package" if name in scene.projects else "a layer"
                yield _finding(
                    scene, WRONG_VERSION, project, f"{wanted}; {found.version} is in {place}"
                )
        elif known := scene.provided.get(name):
            if known.version and not _accepts(requirement, str(known.version)):
                yield _finding(
                    scene, WRONG_VERSION, project, f"{wanted}; the runtime has {known.describe()}"
                )
        elif name not in scene.assumed:
            yield _finding(
                scene, UNMET_REQUIREMENT, project, f"{wanted}, which isn't in the package"
            )


def _finding(scene: Scene, rule: Rule, project: InstalledProject, message: str) -> Finding:
    return rule.finding(
        message,
        path=project.dist_info,
        owner=project.name,
        hint=f"build from requirements: {scene.build_command}",
    )


def check_requirement_lines(scene: Scene) -> Iterator[Finding]:
    """Every Requires-Dist can be understood."""
    for project in scene.bundle.projects:
        for line in project.requires:
            if _parse(line) is None:
                yield UNREADABLE_METADATA.finding(
                    f"{project.name} {project.version} has the requirement {line!r},"
                    " which can't be understood",
                    path=project.dist_info,
                    owner=project.name,
                )


def applying_requirements(scene: Scene) -> Iterator[tuple[InstalledProject, Requirement, str]]:
    """Each requirement that applies on the target, once, with the extra that brings it."""
    waiting = [(project, "") for project in reversed(scene.bundle.projects)]
    seen = {(project.name, "") for project in scene.bundle.projects}
    told: set[tuple[str, str]] = set()
    while waiting:
        project, extra = waiting.pop()
        for line in project.requires:
            requirement = _parse(line)
            if requirement is None or not _applies(scene, requirement, extra):
                continue
            if (project.name, line) not in told:
                told.add((project.name, line))
                yield project, requirement, f" (for its extra {extra})" if extra else ""
            wanted = scene.projects.get(canonicalize_name(requirement.name))
            for name in sorted(requirement.extras) if wanted else ():
                key = (wanted.name, canonicalize_name(name)) if wanted else None
                if wanted and key and key not in seen:
                    seen.add(key)
                    waiting.append((wanted, key[1]))


def _applies(scene: Scene, requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return not extra
    without = _evaluate(scene, requirement.marker, "")
    return not without and _evaluate(scene, requirement.marker, extra) if extra else without


def _evaluate(scene: Scene, marker: Marker, extra: str) -> bool:
    environment: dict[str, str | AbstractSet[str]] = {"extra": extra}
    environment.update((key, str(value)) for key, value in scene.target.environment.items())
    return marker.evaluate(environment)


def _accepts(requirement: Requirement, version: str) -> bool:
    if requirement.url:
        return True
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _parse(line: str) -> Requirement | None:
    try:
        return parse_requirement(line)
    except InvalidRequirement:
        return None


def _text(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"
