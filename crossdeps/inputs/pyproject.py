"""What a pyproject.toml asks for: dependencies, extras and dependency groups.

Sources: pyproject.toml specification (``dependencies``, ``optional-dependencies``, ``dynamic``),
dependency groups specification (PEP 735), extras normalised (PEP 685).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.inputs.dependency_tables import DependencyTables, Entry
from crossdeps.inputs.requirement import and_marker, parse_requirement
from crossdeps.inputs.toml import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from crossdeps.inputs.model import Requirement
    from crossdeps.inputs.problems import Problems


def read_pyproject(
    path: Path,
    name: str,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    project: bool = True,
    problems: Problems,
) -> tuple[Requirement, ...]:
    """Read what a pyproject.toml asks for.

    :param name: the path as the user would recognise it
    :param extras: of ``[project.optional-dependencies]``
    :param groups: of ``[dependency-groups]``
    :param project: whether ``[project] dependencies`` are wanted
    :param problems: takes entries that can't be read
    :raises InputError: if the file as a whole can't be used, or lacks what was asked of it
    """
    document, text = read_toml(path, name)
    tables = DependencyTables(document, text, name)
    reader = _Reader(tables, problems)
    if project:
        reader.take(tables.dependencies(), None)
    for extra in extras:
        reader.take_extra(canonicalize_name(extra), None)
    for group in groups:
        reader.take_group(canonicalize_name(group), ())
    return tuple(reader.found)


class _Reader:
    """Follows entries to those that they refer to."""

    def __init__(self, tables: DependencyTables, problems: Problems) -> None:
        self.found: list[Requirement] = []
        self._tables = tables
        self._problems = problems
        self._followed: set[tuple[str, str]] = set()

    def take(self, entries: Iterable[Entry], marker: Marker | None) -> None:
        """Take entries that hold under *marker*."""
        for entry in entries:
            try:
                requirement = parse_requirement(entry.text, origin=entry.origin)
            except InputError as error:
                self._problems.add(error, entry.origin, entry.text)
                continue
            requirement = and_marker(requirement, marker)
            if requirement.name == self._tables.project_name and requirement.source is None:
                self._follow(requirement)
            else:
                self.found.append(requirement)

    def take_extra(self, extra: NormalizedName, marker: Marker | None) -> None:
        """Take what an extra adds, once for each marker it is asked under.

        :raises InputError: if there is no such extra
        """
        key = (f"extra {extra}", str(marker))
        if key not in self._followed:
            self._followed.add(key)
            self.take(self._tables.extra_list(extra), marker)

    def take_group(self, group: NormalizedName, chain: tuple[str, ...]) -> None:
        """Take what a dependency group lists, with the groups that it includes.

        :raises InputError: if there is no such group, or groups include each other
        """
        if group in chain:
            raise InputError(
                f"dependency groups include each other: {' -> '.join((*chain, group))}",
                context=(self._tables.file,),
                hint="remove one of these include-group entries",
            )
        if (key := (f"group {group}", "")) in self._followed:
            return
        for item in self._tables.group_list(group):
            if isinstance(item, Entry):
                self.take((item,), None)
            else:
                self.take_group(item, (*chain, group))
        self._followed.add(key)

    def _follow(self, requirement: Requirement) -> None:
        """A project that asks for itself asks for its own dependencies, and those of the extras."""
        key = ("project", str(requirement.marker))
        if key not in self._followed and requirement.origin.note != "project.dependencies":
            self._followed.add(key)
            self.take(self._tables.dependencies(), requirement.marker)
        for extra in sorted(requirement.extras):
            self.take_extra(extra, requirement.marker)
