"""Requirements of a pyproject.toml: dependencies, extras and dependency groups.

Sources: pyproject.toml specification (``dependencies``, ``optional-dependencies``, ``dynamic``),
dependency groups specification (PEP 735), extras normalised (PEP 685).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.requirements.files import read_toml
from crossdeps.requirements.model import Origin
from crossdeps.requirements.parser import and_marker, parse_requirement
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from crossdeps.requirements.model import Problems, Requirement


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One dependency as written in a table."""

    text: str
    origin: Origin


class DependencyTables:
    """The lists of dependencies in a file.

    :param document: the whole file
    :param text: the same, to find line numbers
    :param file: its path as the user specified it
    """

    def __init__(self, document: dict[str, Any], text: str, file: str) -> None:
        self.file = file
        self._text = text
        self._project = self._table(document, "project")
        self._groups = self._table(document, "dependency-groups")
        self._has_project = "project" in document
        tool = document.get("tool")
        self._is_poetry = isinstance(tool, dict) and "poetry" in tool
        name = self._project.get("name", "")
        self.project_name = canonicalize_name(name) if isinstance(name, str) else ""

    def dependencies(self) -> list[Entry]:
        """``[project] dependencies``.

        :raises InputError: if there is no such table, or its dependencies are dynamic
        """
        if not self._has_project:
            raise InputError(
                f"{self.file} has no [project] table",
                context=(self.file,),
                hint="export them first: poetry export -o requirements.txt"
                if self._is_poetry
                else "add one, or specify a --group",
            )
        self._check_static("dependencies")
        return self._entries(self._project.get("dependencies", []), "project.dependencies")

    def requires_python(self) -> tuple[tuple[str, Origin], ...]:
        """``[project] requires-python`` and where it is; empty where it is missing or dynamic.

        :raises InputError: if it is not a version specifier
        """
        text, note = self._project.get("requires-python"), "project.requires-python"
        if text is None:
            return ()
        try:
            SpecifierSet(text if isinstance(text, str) else "not text")
        except InvalidSpecifier:
            raise self._wrong_type(note, 'a version specifier such as ">=3.12"') from None
        found = re.search(r"^[ \t]*requires-python[ \t]*=", self._text, re.MULTILINE)
        line = self._text.count("\n", 0, found.start()) + 1 if found else None
        return ((text, Origin(file=self.file, line=line, note=note)),)

    def extra_entries(self, name: NormalizedName) -> list[Entry]:
        """The requirements of an extra, from ``[project.optional-dependencies]``.

        :raises InputError: if there is no such extra
        """
        self._check_static("optional-dependencies")
        lists = self._by_name(
            self._table(self._project, "optional-dependencies"), "project.optional-dependencies"
        )
        if name not in lists:
            raise self._unknown("extra", name, lists)
        key, value = lists[name]
        return self._entries(value, f"project.optional-dependencies.{key}")

    def group_entries(self, name: NormalizedName) -> list[Entry | NormalizedName]:
        """The items of a group in ``[dependency-groups]``; a name is that of an included group.

        :raises InputError: if there is no such group, or an item is neither text nor an include
        """
        lists = self._by_name(self._groups, "dependency-groups")
        if name not in lists:
            raise self._unknown("group", name, lists)
        key, value = lists[name]
        note = f"dependency-groups.{key}"
        if not isinstance(value, list):
            raise self._wrong_type(note, "a list")
        items: list[Entry | NormalizedName] = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                included = item.get("include-group")
                if not isinstance(included, str) or len(item) > 1:
                    raise self._wrong_type(
                        f"{note}[{index}]", 'a requirement or {include-group = "NAME"}'
                    )
                items.append(canonicalize_name(included))
            else:
                items += self._entries([item], note)
        return items

    def _check_static(self, key: str) -> None:
        dynamic = self._project.get("dynamic", [])
        if isinstance(dynamic, list) and key in dynamic:
            raise InputError(
                f"{self.file} declares {key} as dynamic, so that only a build determines them",
                context=(f"{self.file} (project.dynamic)",),
                hint="require the project itself, which is then built: crossdeps build .",
            )

    def _entries(self, value: Any, note: str) -> list[Entry]:  # noqa: ANN401 - from TOML
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong_type(note, "a list of strings")
        return [
            Entry(text=item, origin=Origin(file=self.file, line=self._line_of(item), note=note))
            for item in value
        ]

    def _line_of(self, text: str) -> int | None:
        """The line of the string *text*, if it occurs only once."""
        found = [
            start
            for quote in "\"'"
            if (start := self._text.find(f"{quote}{text}{quote}")) >= 0
            and self._text.find(f"{quote}{text}{quote}", start + 1) < 0
        ]
        return self._text.count("\n", 0, found[0]) + 1 if len(found) == 1 else None

    def _table(self, outer: dict[str, Any], key: str) -> dict[str, Any]:
        table = outer.get(key, {})
        if not isinstance(table, dict):
            raise self._wrong_type(key, "a table")
        return table

    def _by_name(self, table: dict[str, Any], note: str) -> dict[str, tuple[str, Any]]:
        """The lists of *table* by normalised name, with the name as written.

        :raises InputError: if two names are the same once normalised
        """
        lists: dict[str, tuple[str, Any]] = {}
        for key, value in table.items():
            name = canonicalize_name(key)
            if name in lists:
                raise InputError(
                    f"{escape(lists[name][0])} and {escape(key)} are the same name once normalised",
                    context=(f"{self.file} ({note})",),
                    hint="case, and dots, hyphens and underscores make no difference in names",
                )
            lists[name] = (key, value)
        return lists

    def _wrong_type(self, note: str, expected: str) -> InputError:
        return InputError(
            f"{note} is not {expected}",
            context=(f"{self.file} ({note})",),
            hint=f"write it as {expected}",
        )

    def _unknown(self, kind: str, name: str, known: Iterable[str]) -> InputError:
        import difflib  # noqa: PLC0415 - only for errors

        names = sorted(known)
        nearest = difflib.get_close_matches(name, names, n=1)
        if nearest:
            hint = f"did you mean {nearest[0]}?"
        else:
            hint = f"it has {', '.join(map(escape, names))}" if names else f"it has no {kind}s"
        return InputError(
            f"{self.file} has no {kind} {escape(name)}", context=(self.file,), hint=hint
        )


def read_pyproject(
    path: Path,
    name: str,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    project: bool = True,
    problems: Problems,
) -> tuple[tuple[Requirement, ...], tuple[tuple[str, Origin], ...]]:
    """Read the requirements of a pyproject.toml, and the Pythons that its project admits.

    :param name: the path as the user specified it
    :param extras: of ``[project.optional-dependencies]``
    :param groups: of ``[dependency-groups]``
    :param project: whether to read ``[project]``: a dependency group is of no project, and may
        be for another Python
    :param problems: collects errors in single entries
    :raises InputError: if the file is not valid, or has no such extra or group
    """
    document, text = read_toml(path, name)
    tables = DependencyTables(document, text, name)
    reader = _Reader(tables, problems)
    if project:
        reader.add_project()
    for extra in extras:
        reader.add_extra(canonicalize_name(extra))
    for group in groups:
        reader.add_group(canonicalize_name(group))
    return tuple(reader.found), tables.requires_python() if project else ()


class _Reader:
    """Collects entries, and those of the extras and groups that they refer to.

    A list that refers to itself, under any marker, is read only once.
    """

    def __init__(self, tables: DependencyTables, problems: Problems) -> None:
        self.found: list[Requirement] = []
        self._tables = tables
        self._problems = problems
        self._followed: set[tuple[str, str]] = set()

    def add_project(self, marker: Marker | None = None, chain: tuple[str, ...] = ()) -> None:
        """Add the dependencies of the project itself.

        :param marker: additional condition
        :param chain: the lists that refer to them
        :raises InputError: if the file does not have them
        """
        if self._is_new("project", marker, chain):
            self._add(self._tables.dependencies(), marker, (*chain, "project"))

    def add_extra(
        self, extra: NormalizedName, marker: Marker | None = None, chain: tuple[str, ...] = ()
    ) -> None:
        """Add the requirements of an extra.

        :raises InputError: if there is no such extra
        """
        key = f"extra {extra}"
        if self._is_new(key, marker, chain):
            self._add(self._tables.extra_entries(extra), marker, (*chain, key))

    def add_group(self, group: NormalizedName, chain: tuple[NormalizedName, ...] = ()) -> None:
        """Add the requirements of a dependency group, and of the groups that it includes.

        :raises InputError: if there is no such group, or groups include each other
        """
        if group in chain:
            raise InputError(
                f"dependency groups include each other: {' -> '.join((*chain, group))}",
                context=(self._tables.file,),
                hint="remove one of these include-group entries",
            )
        if not self._is_new(f"group {group}", None, ()):
            return
        for item in self._tables.group_entries(group):
            if isinstance(item, Entry):
                self._add((item,), None, ())
            else:
                self.add_group(item, (*chain, group))

    def _add(self, entries: Iterable[Entry], marker: Marker | None, chain: tuple[str, ...]) -> None:
        for entry in entries:
            with self._problems.collect(entry.origin, entry.text):
                requirement = and_marker(parse_requirement(entry.text, origin=entry.origin), marker)
                if requirement.name != self._tables.project_name or requirement.source:
                    self.found.append(requirement)
                    continue
                self.add_project(requirement.marker, chain)
                for extra in sorted(requirement.extras):
                    self.add_extra(extra, requirement.marker, chain)

    def _is_new(self, key: str, marker: Marker | None, chain: tuple[str, ...]) -> bool:
        """Whether the list *key* was not read under *marker* yet; marks it as read."""
        if key in chain or self._followed & {(key, "None"), (key, str(marker))}:
            return False
        self._followed.add((key, str(marker)))
        return True
