"""Which projects of an artifact depend on which others, by their metadata."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from crossdeps.syntax import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from packaging.markers import Environment, Marker

    from crossdeps.bundle import InstalledProject


def dependency_graph(
    projects: Iterable[InstalledProject], environment: Environment | None
) -> dict[str, tuple[str, ...]]:
    """For each project the others of *projects* that it requires, both by normalised name, sorted.

    Requirements under an extra count where another project asks for that extra: what the user
    asked for isn't recorded in an artifact.

    :param environment: of the target, complete; None counts requirements under any other marker
    """
    by_name = {project.name: project for project in projects}
    needed: dict[str, set[str]] = {name: set() for name in by_name}
    waiting = [(name, "") for name in sorted(by_name)]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        for line in by_name[canonicalize_name(name)].requires:
            requirement = _parse(line)
            if requirement is None or not _applies(requirement.marker, extra, environment):
                continue
            wanted = canonicalize_name(requirement.name)
            if wanted not in by_name:
                continue
            if wanted != name:
                needed[name].add(wanted)
            asked = [(wanted, canonicalize_name(text)) for text in sorted(requirement.extras)]
            fresh = [key for key in asked if key not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
    return {name: tuple(sorted(needed[name])) for name in sorted(needed)}


def roots_of(graph: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The projects that lead to all others, sorted: what none requires, and one of each circle."""
    required = {wanted for name in graph for wanted in graph[name]}
    roots = [name for name in sorted(graph) if name not in required]
    reached: set[str] = set()
    _reach(graph, roots, reached)
    for name in sorted(graph):
        if name not in reached:
            roots.append(name)
            _reach(graph, [name], reached)
    return tuple(sorted(roots))


def _reach(graph: Mapping[str, tuple[str, ...]], names: Iterable[str], reached: set[str]) -> None:
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(graph[name])


def _parse(line: str) -> Requirement | None:
    try:
        return parse_requirement(line)
    except InvalidRequirement:
        return None


def _applies(marker: Marker | None, extra: str, environment: Environment | None) -> bool:
    if marker is None:
        return not extra
    if environment is None:
        extras = re.findall(r"\bextra == \"([^\"]+)\"", str(marker))
        return extra in {str(canonicalize_name(e)) for e in extras} if extra else not extras
    without = _evaluate(marker, "", environment)
    return not without and _evaluate(marker, extra, environment) if extra else without


def _evaluate(marker: Marker, extra: str, environment: Environment) -> bool:
    complete: dict[str, str | AbstractSet[str]] = {"extra": extra}
    complete.update((key, str(value)) for key, value in environment.items())
    return marker.evaluate(complete)
