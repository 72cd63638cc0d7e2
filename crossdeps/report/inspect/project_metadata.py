"""The licence of a project, as its metadata and its files tell."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from crossdeps.requirements.syntax import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.markers import Environment, Marker

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.requirements.core_metadata import Headers

LicenceSource = Literal["License-Expression", "License", "Classifier", ""]

# The names that setuptools takes for licence files where a project names none.
_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
_CLASSIFIER = "License :: "
_NO_LICENCE = {"", "UNKNOWN", "NONE"}
_LONGEST = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Licence:
    """What a project says of its licence.

    :param text: an expression, a name, or the first line of what stands in ``License``
    :param expression: the SPDX expression in its canonical form, where *text* is one; else empty
    :param source: the field of the metadata that says so; empty where none does
    :param files: paths of the licence files in the artifact, sorted
    :param missing: values of ``License-File`` that aren't in the artifact, sorted
    """

    text: str = ""
    expression: str = ""
    source: LicenceSource = ""
    files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read_licence(metadata: Headers, dist_info: str, paths: Collection[str]) -> Licence:
    """The licence of a project.

    Sources: core metadata, License-Expression, License-File, License and Classifier; PEP 639 for
    where licence files lie.

    :param dist_info: path of its .dist-info directory in the artifact
    :param paths: of the project's files in the artifact
    """
    text, source = _declared(metadata)
    files, missing = _files(metadata.get_all("License-File"), dist_info, paths)
    return Licence(
        text=text, expression=_expression(text), source=source, files=files, missing=missing
    )


def _declared(metadata: Headers) -> tuple[str, LicenceSource]:
    if expression := _line(metadata.get("License-Expression")):
        return expression, "License-Expression"
    lines = metadata.get_lines("License")
    if len(lines) == 1 and lines[0].upper() not in _NO_LICENCE and len(lines[0]) <= _LONGEST:
        return lines[0], "License"
    classified = [
        _line(text.rpartition(" :: ")[2])
        for text in metadata.get_all("Classifier")
        if text.startswith(_CLASSIFIER) and not text.endswith("OSI Approved")
    ]
    if classified:
        return "; ".join(sorted(set(classified))), "Classifier"
    # The whole text of a licence: its first line is its name, more often than not.
    if lines and lines[0].upper() not in _NO_LICENCE:
        return _line(lines[0])[:_LONGEST], "License"
    return "", ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _expression(text: str) -> str:
    try:
        return str(canonicalize_license_expression(text)) if text else ""
    except InvalidLicenseExpression:
        return ""


def _files(
    named: Sequence[str], dist_info: str, paths: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = set()
    missing = set()
    for value in named:
        # PEP 639 has them in licenses/; older tools beside METADATA.
        places = (f"{dist_info}/licenses/{value}", f"{dist_info}/{value}")
        there = [place for place in places if place in paths]
        found.update(there)
        if not there:
            basename = posixpath.basename(value)
            others = [f"{dist_info}/licenses/{basename}", f"{dist_info}/{basename}"]
            there = [place for place in others if place in paths]
            found.update(there)
            missing.update([] if there else [value])
    for path in paths:
        folder, name = posixpath.split(path)
        if f"{folder}/".startswith(f"{dist_info}/licenses/") or (
            folder in {dist_info, f"{dist_info}/license_files"} and _FILE.match(name)
        ):
            found.add(path)
    return tuple(sorted(found)), tuple(sorted(missing))


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


def find_roots(graph: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
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
