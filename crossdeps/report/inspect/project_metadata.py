"""The licence of a project and the dependencies between projects, from their metadata."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Literal

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.requirements.requires_dist import Conditions, take_apart
from crossdeps.verify.projects import find_reachable, iterate_requirements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.requirements.core_metadata import Headers
    from crossdeps.requirements.requires_dist import RequiresDist
    from crossdeps.target.model import Target

LicenceSource = Literal["License-Expression", "License", "Classifier", ""]

_CLASSIFIER = "License :: "
_UNDECLARED = {"", "UNKNOWN", "NONE"}
_LONGEST_NAME = 100


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """The licence that a project declares.

    :param text: an expression, a name, or the first line of the ``License`` field
    :param expression: *text* as a canonical SPDX expression; empty if it isn't one
    :param source: the metadata field of *text*; empty if none declares a licence
    :param files: paths of the licence files in the artifact, sorted
    :param missing: values of ``License-File`` that aren't in the artifact, sorted
    """

    text: str = ""
    expression: str = ""
    source: LicenceSource = ""
    files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read_licence(metadata: Headers, dist_info: str, paths: Collection[str]) -> Licence:
    """Read the licence of a project.

    Sources: core metadata, License-Expression, License-File, License and Classifier; PEP 639 for
    the location of licence files.

    :param dist_info: path of its .dist-info directory in the artifact
    :param paths: of the project's files in the artifact
    """
    text, source = _read_declaration(metadata)
    files, missing = _find_files(metadata.get_all("License-File"), dist_info, paths)
    return Licence(
        text=text,
        expression=_canonicalize_expression(text),
        source=source,
        files=files,
        missing=missing,
    )


def _read_declaration(metadata: Headers) -> tuple[str, LicenceSource]:
    if expression := _normalize_space(metadata.get("License-Expression")):
        return expression, "License-Expression"
    lines = metadata.get_lines("License")
    is_declared = bool(lines) and lines[0].upper() not in _UNDECLARED
    if is_declared and len(lines) == 1 and len(lines[0]) <= _LONGEST_NAME:
        return lines[0], "License"
    classifiers = {
        _normalize_space(text.rpartition(" :: ")[2])
        for text in metadata.get_all("Classifier")
        if text.startswith(_CLASSIFIER) and not text.endswith("OSI Approved")
    }
    if classifiers:
        return "; ".join(sorted(classifiers)), "Classifier"
    # The text of a whole licence: its first line is usually its name.
    return (_normalize_space(lines[0])[:_LONGEST_NAME], "License") if is_declared else ("", "")


def _normalize_space(text: str) -> str:
    return " ".join(text.split())


def _canonicalize_expression(text: str) -> str:
    # Loads the list of SPDX licences.
    from packaging.licenses import (  # noqa: PLC0415
        InvalidLicenseExpression,
        canonicalize_license_expression,
    )

    try:
        return str(canonicalize_license_expression(text)) if text else ""
    except InvalidLicenseExpression:
        return ""


def _find_files(
    names: Sequence[str], dist_info: str, paths: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the licence files among *paths*, and those of *names* that aren't there."""
    found = set()
    missing = set()
    for name in names:
        # PEP 639 puts them into licenses/, older tools beside METADATA, some without their folder.
        for candidate in (name, posixpath.basename(name)):
            locations = (f"{dist_info}/licenses/{candidate}", f"{dist_info}/{candidate}")
            if present := [location for location in locations if location in paths]:
                found.update(present)
                break
        else:
            missing.add(name)
    # The names that setuptools takes for licence files if a project declares none.
    is_licence = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE).match
    for path in paths:
        folder, basename = posixpath.split(path)
        if f"{folder}/".startswith(f"{dist_info}/licenses/") or (
            folder in {dist_info, f"{dist_info}/license_files"} and is_licence(basename)
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
    holds = Conditions(target.environment).hold if target else _holds_somewhere
    for project, required, _ in iterate_requirements(projects, _take_apart, holds):
        name = required.project
        if name in graph and name != project.name:
            graph[project.name].add(name)
    return {name: tuple(sorted(graph[name])) for name in sorted(graph)}


def _take_apart(project: InstalledProject) -> Iterable[RequiresDist]:
    return map(take_apart, project.requires)


def _holds_somewhere(required: RequiresDist, extra: str) -> bool:
    """Whether a requirement may apply on some target when *extra* is required."""
    extras = re.findall(r"\bextra == \"([^\"]+)\"", required.marker)
    if required.extra:
        extras.append(required.extra)
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
