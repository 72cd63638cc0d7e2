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
        reader.take_project()
    for extra in extras:
        reader.take_extra(canonicalize_name(extra))
    for group in groups:
        reader.take_group(canonicalize_name(group))
    return tuple(reader.found)


class _Reader:
    """Follows entries to those that they refer to.

    Where something is asked for again within itself, under whatever marker, nothing is added.
    """

    def __init__(self, tables: DependencyTables, problems: Problems) -> None:
        self.found: list[Requirement] = []
        self._tables = tables
        self._problems = problems
        self._followed: set[tuple[str, str]] = set()

    def take_project(self, marker: Marker | None = None, chain: tuple[str, ...] = ()) -> None:
        """Take the project's own dependencies.

        :param marker: under which they are asked for
        :param chain: what led here
        :raises InputError: if the file doesn't list them
        """
        if self._enter("project", marker, chain):
            self._take(self._tables.dependencies(), marker, (*chain, "project"))

    def take_extra(
        self, extra: NormalizedName, marker: Marker | None = None, chain: tuple[str, ...] = ()
    ) -> None:
        """Take what an extra adds.

        :raises InputError: if there is no such extra
        """
        key = f"extra {extra}"
        if self._enter(key, marker, chain):
            self._take(self._tables.extra_list(extra), marker, (*chain, key))

    def take_group(self, group: NormalizedName, chain: tuple[NormalizedName, ...] = ()) -> None:
        """Take what a dependency group lists, with the groups that it includes.

        :raises InputError: if there is no such group, or groups include each other
        """
        if group in chain:
            raise InputError(
                f"dependency groups include each other: {' -> '.join((*chain, group))}",
                context=(self._tables.file,),
                hint="remove one of these include-group entries",
            )
        if not self._enter(f"group {group}", None, ()):
            return
        for item in self._tables.group_list(group):
            if isinstance(item, Entry):
                self._take((item,), None, ())
            else:
                self.take_group(item, (*chain, group))

    def _take(
        self, entries: Iterable[Entry], marker: Marker | None, chain: tuple[str, ...]
    ) -> None:
        for entry in entries:
            with self._problems.collect(entry.origin, entry.text):
                requirement = and_marker(parse_requirement(entry.text, origin=entry.origin), marker)
                if requirement.name != self._tables.project_name or requirement.source:
                    self.found.append(requirement)
                    continue
                self.take_project(requirement.marker, chain)
                for extra in sorted(requirement.extras):
                    self.take_extra(extra, requirement.marker, chain)

    def _enter(self, key: str, marker: Marker | None, chain: tuple[str, ...]) -> bool:
        """Whether *key* is still to be taken under *marker*."""
        if key in chain or self._followed & {(key, "None"), (key, str(marker))}:
            return False
        self._followed.add((key, str(marker)))
        return True
