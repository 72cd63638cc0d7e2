"""What a smaller artifact could do without, measured on the artifact itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.bundle.slimming import find_removable
from crossdeps.verify.requirements import applying_requirements

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from crossdeps.verify.scene import Scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """One way to a smaller artifact.

    :param how: an option of the command line
    :param size: bytes that it saves, beyond what the ways before it save
    """

    how: str
    size: int


def find_savings(scene: Scene) -> tuple[Saving, ...]:
    """Every way that saves anything; their sizes add up.

    Reads all code of the bundle, because trimming depends on what is imported.
    """
    gone: set[str] = set()
    savings = []
    duplicates = sorted(scene.projects.keys() & scene.layered.keys())
    if duplicates:
        how = " ".join(f"--exclude-project {name}" for name in duplicates)
        savings.append(Saving(how=f"{how} (a layer has it)", size=_size(scene, set(duplicates))))
        gone |= set(duplicates)
    provided = left_to_runtime(scene) - gone
    if provided:
        savings.append(Saving(how="--provided", size=_size(scene, provided)))
        gone |= provided
    removable = find_removable(scene.bundle.entries, scene.bundle.prefix)
    trimmed = sum(scene.entries[path].size for path in removable if _owner(scene, path) not in gone)
    savings.append(Saving(how="--slim", size=trimmed))
    return tuple(saving for saving in savings if saving.size)


def left_to_runtime(scene: Scene) -> set[str]:
    """The projects that ``--provided`` would leave out: the SDK, and what nothing else needs."""
    sdk = {
        name for name, one in scene.provided.items() if one.role == "sdk"
    } & scene.projects.keys()
    if not sdk:
        return set()
    needs: dict[str, set[str]] = {name: set() for name in scene.projects}
    for project, requirement, _ in applying_requirements(scene):
        needs[project.name].add(canonicalize_name(requirement.name))
    needed = set().union(*needs.values())
    # What nobody needs was asked for; a bundle doesn't record it otherwise.
    roots = {name for name in scene.projects if name not in needed} - sdk
    return set(scene.projects) & _reach(sdk, needs) - _reach(roots, needs, stop=sdk)


def _reach(
    roots: Iterable[str], needs: Mapping[str, set[str]], stop: Container[str] = ()
) -> set[str]:
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached and name not in stop:
            reached.add(name)
            waiting += needs.get(name, ())
    return reached


def _size(scene: Scene, names: set[str]) -> int:
    return sum(entry.size for entry in scene.bundle.entries if entry.owner in names)


def _owner(scene: Scene, path: str) -> str | None:
    return scene.entries[path].owner
