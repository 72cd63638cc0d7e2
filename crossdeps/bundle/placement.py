"""Where the files of a wheel go, the scripts that start them, and collisions between wheels.

As with ``pip install --target``, one directory takes purelib, platlib and data. Scripts start on
any machine: their first line doesn't name the Python of this one.

Sources: the binary distribution format, "Installing a wheel 'distribution-1.0-py32-none-any.whl'",
"The .data directory" and "Recommended installer features" (``#!python``); the entry points
specification.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.bundle.content import read_content
from crossdeps.bundle.model import InlineContent, WheelContent
from crossdeps.errors import CollisionError, WheelError
from crossdeps.text import first_lines, join_words, plural
from crossdeps.wheels.dist_info import SCRIPT_GROUPS, parse_scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crossdeps.bundle.model import Entry
    from crossdeps.wheels.model import Member, Wheel

SCRIPTS = "bin/"
SHEBANG = b"#!/usr/bin/env python3"
# The packages are in the directory above bin/, wherever that is on the machine that runs it.
_LAUNCHER = """\
{shebang}
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from {module} import {name}

if __name__ == "__main__":
    sys.exit({attribute}())
"""
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_REWRITTEN = ("RECORD", "INSTALLER")
_BYTECODE = re.compile(r"(^|/)__pycache__/|\.py[co]$")
_MAX_SCRIPT_SIZE = 1 << 20
_MAX_SHOWN = 20

ExclusionReason = Literal["bytecode", "headers", "scripts", "signature", "rewritten"]


class PlacedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a wheel and where it goes.

    :param path: relative to the layout's prefix
    :param excluded: why it isn't part of the artifact; None if it is
    """

    path: str
    content: WheelContent | InlineContent
    executable: bool = False
    excluded: ExclusionReason | None = None

    @property
    def size(self) -> int:
        """Bytes, inflated."""
        content = self.content
        return content.member.size if isinstance(content, WheelContent) else len(content.data)


def place_files(wheel: Wheel, *, scripts: bool) -> Iterator[PlacedFile]:
    """Yield every file of *wheel* and the launchers of its entry points, in no particular order.

    :param scripts: whether scripts are part of the artifact
    :raises WheelError: if a scheme of the .data directory is unknown, or entry points are unsafe
    """
    data_directory = f"{wheel.dist_info.removesuffix('.dist-info')}.data/"
    for member in wheel.members:
        if member.path.startswith(data_directory):
            yield _place_data(wheel, member, member.path[len(data_directory) :], scripts=scripts)
        else:
            yield _place_in_root(wheel, member, member.path)
    if wheel.entry_points and scripts:
        for launcher in make_launchers(wheel):
            content = InlineContent(data=launcher.data)
            yield PlacedFile(path=SCRIPTS + launcher.name, content=content, executable=True)


def _place_in_root(wheel: Wheel, member: Member, path: str) -> PlacedFile:
    excluded: ExclusionReason | None = None
    directory, _, name = path.rpartition("/")
    if directory == wheel.dist_info and name in _SIGNATURES:
        excluded = "signature"
    elif directory == wheel.dist_info and name in _REWRITTEN:
        excluded = "rewritten"
    elif is_bytecode(path):
        excluded = "bytecode"
    return PlacedFile(
        path=path,
        content=WheelContent(wheel=wheel, member=member),
        executable=member.executable,
        excluded=excluded,
    )


def is_bytecode(path: str) -> bool:
    """Whether *path* is compiled Python, which suits only the Python that compiled it."""
    return _BYTECODE.search(path) is not None


def _place_data(wheel: Wheel, member: Member, path: str, *, scripts: bool) -> PlacedFile:
    scheme, _, rest = path.partition("/")
    if rest and scheme in {"purelib", "platlib", "data"}:
        return _place_in_root(wheel, member, rest)
    content = WheelContent(wheel=wheel, member=member)
    if rest and scheme == "headers":
        return PlacedFile(path=rest, content=content, excluded="headers")
    if rest and scheme == "scripts":
        return _place_script(content, SCRIPTS + rest, scripts=scripts)
    raise WheelError(
        f"{scheme!r} isn't a valid scheme of the .data directory",
        context=(wheel.filename, member.path),
        hint="valid schemes are purelib, platlib, scripts, data and headers",
        rule="unknown-data-scheme",
    )


def _place_script(content: WheelContent, path: str, *, scripts: bool) -> PlacedFile:
    if not scripts or is_bytecode(path):
        reason: ExclusionReason = "bytecode" if scripts else "scripts"
        return PlacedFile(path=path, content=content, excluded=reason)
    if content.member.binary is None and content.member.size <= _MAX_SCRIPT_SIZE:
        portable = make_portable(read_content(content))
        if portable is not None:
            return PlacedFile(path=path, content=InlineContent(data=portable), executable=True)
    return PlacedFile(path=path, content=content, executable=True)


def make_portable(script: bytes) -> bytes | None:
    """Replace the placeholder ``#!python`` in the first line with a line for any Python.

    :returns: None if the first line is a different one
    """
    first, newline, rest = script.partition(b"\n")
    if not re.match(rb"#!pythonw?(\s|$)", first):
        return None
    return SHEBANG + (newline or b"\n") + rest


class Launcher(msgspec.Struct, frozen=True, kw_only=True):
    """A program that calls an entry point.

    :param name: file name in ``bin/``
    """

    name: str
    data: bytes


def make_launchers(wheel: Wheel) -> Iterator[Launcher]:
    """Yield the launchers of *wheel*'s console and GUI scripts, by name.

    A console script overrides a GUI script of its name: on Linux both start alike.

    :raises WheelError: if entry_points.txt cannot be parsed, or a name or reference in it is unsafe
    """
    try:
        scripts = parse_scripts(wheel.entry_points, f"{wheel.dist_info}/entry_points.txt")
    except WheelError as error:
        error.within(wheel.filename)
        raise
    by_group = sorted(scripts, key=lambda script: script.group == SCRIPT_GROUPS[0])
    by_name = {script.name: script for script in by_group}
    for name, script in sorted(by_name.items()):
        text = _LAUNCHER.format(
            shebang=SHEBANG.decode(),
            module=script.module,
            name=script.attribute.partition(".")[0],
            attribute=script.attribute,
        )
        yield Launcher(name=name, data=text.encode())


class PlannedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, and what it comes from.

    :param origin: the wheel's file name, or the path of the source file, for messages
    :param in_foreign_metadata: whether its path is in the .dist-info directory of another project
    """

    entry: Entry
    origin: str
    in_foreign_metadata: bool = False


def resolve_collisions(planned: Iterable[PlannedEntry]) -> tuple[Entry, ...]:
    """Return one entry for each path, sorted; entries with the same bytes don't collide.

    The first owner by name keeps a shared path, so that the order of *planned* doesn't matter.

    :raises CollisionError: with all collisions
    """
    by_path: dict[str, list[PlannedEntry]] = defaultdict(list)
    for each in planned:
        by_path[each.entry.path].append(each)
    collisions = [
        *(
            f"{path}: {_join_origins(group)} have different files"
            for path, group in by_path.items()
            if len({each.entry.sha256 for each in group}) > 1
        ),
        *_find_files_as_directories(by_path),
        *(
            f"{path}: {each.origin} writes into another project's metadata"
            for path, group in by_path.items()
            for each in group
            if each.in_foreign_metadata
        ),
    ]
    if collisions:
        raise CollisionError(
            f"{plural(len(collisions), 'path collides', 'paths collide')} between projects",
            context=first_lines(sorted(collisions), _MAX_SHOWN),
            hint="exclude one of the files (--exclude), or require versions that don't collide",
        )
    return tuple(_choose(by_path[path]) for path in sorted(by_path))


def _find_files_as_directories(by_path: Mapping[str, Sequence[PlannedEntry]]) -> Iterable[str]:
    found: dict[str, list[PlannedEntry]] = {}
    for path, group in by_path.items():
        parent = path
        while parent := parent.rpartition("/")[0]:
            if parent in by_path:
                found.setdefault(parent, list(by_path[parent])).extend(group)
    for path, group in found.items():
        yield f"{path}: a file of one and a directory of another: {_join_origins(group)}"


def _join_origins(group: Sequence[PlannedEntry]) -> str:
    origins = sorted({each.origin for each in group})
    return join_words(origins) if len(origins) > 1 else f"{origins[0]} twice"


def _choose(group: Sequence[PlannedEntry]) -> Entry:
    """Return the first entry by owner; since their bytes are the same, an executable one."""
    return min(
        group, key=lambda each: (-each.entry.mode, each.entry.owner or "~", each.origin)
    ).entry


def find_case_collisions(paths: Iterable[str]) -> tuple[str, ...]:
    """Return warnings about paths that differ only in case or in Unicode composition."""
    spellings: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for path in paths:
        part = path
        while part and part not in seen:
            seen.add(part)
            spellings[unicodedata.normalize("NFC", part).casefold()].add(part)
            part = part.rpartition("/")[0]
    return tuple(
        f"{join_words(sorted(alike))} are one file where case doesn't matter (macOS, Windows)"
        for _, alike in sorted(spellings.items())
        if len(alike) > 1
    )
