"""The licence of a project, as its metadata and its files tell."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

from crossdeps.requirements.syntax import Markers
from crossdeps.verify.projects import find_reachable, iterate_requirements

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from packaging.markers import Marker

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.requirements.core_metadata import Headers
    from crossdeps.target.model import Target

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
    projects: Sequence[InstalledProject], target: Target | None
) -> dict[str, tuple[str, ...]]:
    """Map each project to the others of *projects* that it requires, by normalized name, sorted.

    Requirements of an extra count if another project requires that extra: an artifact doesn't
    record the extras that the user required.

    :param target: None ignores markers other than those on extras
    """
    graph: dict[str, set[str]] = {project.name: set() for project in projects}
    holds = Markers(target).hold if target else _holds_somewhere
    for project, requirement, _ in iterate_requirements(projects, holds):
        name = canonicalize_name(requirement.name)
        if name in graph and name != project.name:
            graph[project.name].add(name)
    return {name: tuple(sorted(graph[name])) for name in sorted(graph)}


def _holds_somewhere(marker: Marker | None, extra: str) -> bool:
    """Whether *marker* may be true on some target when *extra* is required."""
    extras = re.findall(r"\bextra == \"([^\"]+)\"", str(marker))
    return not extras or extra in {canonicalize_name(name) for name in extras}


def find_roots(graph: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Find the projects that lead to all others: those not required, and one of each cycle."""
    required = {dependency for dependencies in graph.values() for dependency in dependencies}
    roots = graph.keys() - required
    reached = find_reachable(roots, graph)
    for name in sorted(graph):
        if name not in reached:
            roots.add(name)
            reached |= find_reachable([name], graph, stop=reached)
    return tuple(sorted(roots))
