"""What a project consists of: stubs, sources and other files that it reads at run time.

They look like what other projects ship and never read. What decides is their share of the project,
whether it has a program or modules beside them, and what its code says of them.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crossdeps.bundle.file_uses import FileUses
    from crossdeps.bundle.model import Entry

Rule = Literal["tests", "stubs", "native-sources", "documents"]
"""By which a file can be removed."""
# Patterns are text: ``re`` compiles them on first use.
CODE = r"\.(py|so|pyd|dylib|dll)$|\.so\."
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".cuh")


def parents(path: str) -> Iterator[str]:
    """Yield the directories that *path* is in, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def find_content(
    removable: Mapping[str, Rule], entries: Mapping[str, Entry], uses: FileUses
) -> set[str]:
    """Return those of the *removable* files of a project that it may read at run time.

    :param entries: of the project, by installed path
    """
    reads_sources = _has_program(entries.values()) or _consists_of_sources(removable, entries)
    with_code, modules = _find_code(entries)
    names, endings = set(uses.names), uses.endings
    compiled = {
        posixpath.dirname(path)
        for path, rule in removable.items()
        if rule == "native-sources" and posixpath.basename(path) in names
    }
    content = set()
    for path, rule in removable.items():
        directory, _, name = path.rpartition("/")
        if rule == "native-sources":
            # What is compiled at run time includes headers beside it.
            is_content = (
                reads_sources
                or path.endswith(endings)
                or (path.lower().endswith(_HEADERS) and not compiled.isdisjoint(parents(path)))
            )
        elif rule == "stubs":
            is_content = path.endswith(endings) or not (
                directory in with_code
                or path.partition("/")[0].endswith("-stubs")
                or not modules.isdisjoint(parents(path))
            )
        else:
            is_content = name in names or (rule == "documents" and path.endswith(endings))
        if is_content:
            content.add(path)
    return content


def _has_program(entries: Iterable[Entry]) -> bool:
    """Whether a project has a program, which reads what no Python code of it mentions."""
    return any(
        entry.binary is not None
        and not re.search(CODE, entry.path)
        and (
            entry.binary.kind == "executable"
            or entry.binary.interpreter is not None
            or (entry.binary.format != "elf" and entry.mode & 0o111 != 0)
        )
        for entry in entries
    )


def _consists_of_sources(removable: Mapping[str, Rule], entries: Mapping[str, Entry]) -> bool:
    """Whether sources or headers are what a project is for: most of it, and not compiled in it."""
    if any(entry.binary is not None for entry in entries.values()):
        return False
    sources = sum(
        entries[path].size for path, rule in removable.items() if rule == "native-sources"
    )
    return 2 * sources > sum(entry.size for entry in entries.values())


def _find_code(entries: Mapping[str, Entry]) -> tuple[set[str], set[str]]:
    """Return the directories that have modules, and the paths of modules without their endings."""
    directories, modules = set(), set()
    for path in entries:
        if re.search(CODE, path):
            directory, _, name = path.rpartition("/")
            directories.add(directory)
            modules.add(posixpath.join(directory, name.partition(".")[0]))
    return directories, modules
