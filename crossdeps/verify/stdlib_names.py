"""What the standard library has below its top level, by version of Python.

The table ``stdlib.txt`` was made by importing every module of CPython 3.8 to 3.13. Of later
versions only what was removed until 3.13 is known to be missing, of earlier ones nothing.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING

import msgspec

from crossdeps.verify.module_names import iterate_parents, stdlib_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

_OLDEST, _NEWEST = 8, 13

# Modules that are no files: their parents put them into sys.modules.
_MADE_BY_PARENTS = {
    "os.path": (_OLDEST, _NEWEST),
    "pyexpat.errors": (_OLDEST, _NEWEST),
    "pyexpat.model": (_OLDEST, _NEWEST),
    "typing.io": (_OLDEST, 12),
    "typing.re": (_OLDEST, 12),
    "xml.parsers.expat.errors": (_OLDEST, _NEWEST),
    "xml.parsers.expat.model": (_OLDEST, _NEWEST),
}


class StdlibTable(msgspec.Struct, frozen=True):
    """The table, read.

    :param unlisted: packages whose modules are not listed
    :param modules: package -> module -> the minor versions that have it
    :param names: module -> name -> the minor versions that have it
    """

    unlisted: frozenset[str]
    modules: dict[str, dict[str, frozenset[int]]]
    names: dict[str, dict[str, frozenset[int]]]


@functools.cache
def read_table() -> StdlibTable:
    """Read ``stdlib.txt``."""
    text = resources.files("crossdeps.verify").joinpath("stdlib.txt").read_text("utf-8")
    _, rest = text.split("[unlisted]\n")
    unlisted, rest = rest.split("[modules]\n")
    modules, names = rest.split("[names]\n")
    return StdlibTable(frozenset(unlisted.split()), _read_section(modules), _read_section(names))


def _read_section(text: str) -> dict[str, dict[str, frozenset[int]]]:
    section: dict[str, dict[str, frozenset[int]]] = {}
    for line in text.splitlines():
        start, _, names = line.partition(": ")
        module, versions = start.split(" ")
        minors = frozenset(_read_versions(versions))
        section.setdefault(module, {}).update(dict.fromkeys(names.split(), minors))
    return section


def _read_versions(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, dash, last = part.partition("-")
        yield from range(int(first or _OLDEST), int(last or (_NEWEST if dash else first)) + 1)


def find_missing_stdlib(module: str, python: tuple[int, int]) -> str | None:
    """Return the first of *module* and its parents that the standard library lacks for sure.

    >>> find_missing_stdlib("asyncio.taskgroups.x", (3, 9))
    'asyncio.taskgroups'

    :param module: dotted name; its top level is a module of the standard library
    :param python: (major, minor)
    """
    table, minor = read_table(), python[1]
    parent = module.partition(".")[0]
    if minor < _OLDEST or parent in table.unlisted or parent not in stdlib_modules(python):
        return None
    for name in iterate_parents(module):
        if name == parent:
            continue
        modules, last = table.modules.get(parent, {}), name.rpartition(".")[2]
        first, newest = _MADE_BY_PARENTS.get(name, (_NEWEST, 0))
        if last in {"__main__", "test", "tests"} or first <= min(minor, _NEWEST) <= newest:
            return None
        if last in modules:
            if min(minor, _NEWEST) not in modules[last]:
                return name
        else:
            return name if minor <= _NEWEST else None
        parent = name
    return None


def lacks_name(module: str, name: str, python: tuple[int, int]) -> bool:
    """Whether *module* of the standard library lacks a name or module for sure.

    >>> lacks_name("datetime", "UTC", (3, 10)), lacks_name("datetime", "UTC", (3, 11))
    (True, False)
    """
    table, minor = read_table(), python[1]
    versions = table.names.get(module, {}).get(name) or table.modules.get(module, {}).get(name)
    return versions is not None and minor >= _OLDEST and min(minor, _NEWEST) not in versions
