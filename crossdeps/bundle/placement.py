"""Placing the files of a wheel in an artifact, with the scripts that start them.

Scripts start on any machine: their first line doesn't name the Python of this one.

Sources: the binary distribution format, "Recommended installer features" (``#!python``); the entry
points specification.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from crossdeps.bundle.model import Entry, InlineContent, WheelContent
from crossdeps.errors import WheelError
from crossdeps.wheels.facts import SCRIPTS, is_bytecode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.wheels.model import ExclusionReason, Member, MovedMember, Wheel

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
_MAX_SCRIPT_SIZE = 1 << 20


class PlacedWheel(msgspec.Struct, frozen=True, kw_only=True):
    """What one wheel contributes to an artifact, before patterns exclude anything of it.

    :param entries: the files that its facts list
    :param scripts: the scripts of its .data directory, and launchers
    :param removed: bytes of the files that aren't part of it, by reason
    :param unused_scripts: names of scripts that aren't part of it
    """

    wheel: Wheel
    entries: Sequence[Entry]
    scripts: Sequence[Entry]
    removed: Mapping[str, int]
    warnings: Sequence[str]
    unused_scripts: Collection[str]


def place_wheel(wheel: Wheel, *, prefix: str, scripts: bool) -> PlacedWheel:
    """Place every file of *wheel* and the launchers of its entry points.

    :param scripts: whether scripts are part of the artifact
    :raises WheelError: if entry points are unsafe
    :raises IntegrityError: if the wheel has changed since it was verified
    """
    owner = wheel.name
    members = list(wheel.members)
    moved = wheel.installation.moved
    for item in reversed(moved):
        del members[item.index]
    entries = [_entry(wheel, member, prefix + member.path, owner) for member in members]
    programs: list[Entry] = []
    removed: dict[str, int] = defaultdict(int)
    warnings: list[str] = []
    unused: set[str] = set()
    for item in moved:
        member, reason = wheel.members[item.index], _exclusion(item, scripts=scripts)
        if reason is None:
            entry = _entry(wheel, member, prefix + item.path, owner)
            (programs if item.excluded else entries).append(entry)
        elif reason in {"bytecode", "headers", "scripts"}:
            removed[reason] += member.size
        if reason == "scripts":
            unused.add(item.path.removeprefix(SCRIPTS))
        if reason == "bytecode" and not _has_source(wheel, item.path):
            warnings.append(
                f"{wheel.filename} has {item.path} without its source: bytecode suits only one"
                " Python and is excluded"
            )
    launchers = [
        inline_entry(f"{prefix}{SCRIPTS}{launcher.name}", launcher.data, owner, mode=0o755)
        for launcher in (make_launchers(wheel) if wheel.entry_points else ())
    ]
    if not scripts:
        unused.update(launcher.path.removeprefix(prefix + SCRIPTS) for launcher in launchers)
    return PlacedWheel(
        wheel=wheel,
        entries=entries,
        scripts=[*map(_place_script, programs), *launchers] if scripts else (),
        removed=removed,
        warnings=warnings,
        unused_scripts=unused,
    )


def _exclusion(item: MovedMember, *, scripts: bool) -> ExclusionReason | None:
    """Why a moved member isn't part of the artifact; None if it is."""
    if item.excluded == "scripts" and scripts:
        return "bytecode" if is_bytecode(item.path) else None
    return item.excluded


def _entry(wheel: Wheel, member: Member, path: str, owner: NormalizedName) -> Entry:
    return Entry(
        path=path,
        mode=0o755 if member.executable else 0o644,
        size=member.size,
        sha256=member.sha256,
        content=WheelContent(wheel=wheel, member=member),
        owner=owner,
        binary=member.binary,
    )


def _has_source(wheel: Wheel, path: str) -> bool:
    """Whether *wheel* has the source of the bytecode at *path*, or it is a cache."""
    if "__pycache__/" in path:
        return True
    moved = wheel.installation.moved
    paths = {member.path for member in wheel.members}
    paths -= {wheel.members[item.index].path for item in moved}
    paths |= {item.path for item in moved}
    return f"{path.rpartition('.')[0]}.py" in paths


def inline_entry(
    path: str, data: bytes, owner: NormalizedName | None, *, mode: int = 0o644
) -> Entry:
    """Make the entry of a file that crossdeps writes itself."""
    return Entry(
        path=path,
        mode=mode,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=InlineContent(data=data),
        owner=owner,
    )


def _place_script(entry: Entry) -> Entry:
    """Return a script that wheels have in their .data directory as a program for any machine.

    :raises IntegrityError: if the wheel has changed since it was verified
    """
    if entry.binary is None and entry.size <= _MAX_SCRIPT_SIZE:
        from crossdeps.bundle.content import read_content  # noqa: PLC0415 - for few wheels

        data = make_portable(read_content(entry.content))
        if data is not None:
            sha256 = hashlib.sha256(data).hexdigest()
            content = InlineContent(data=data)
            entry = replace(entry, size=len(data), sha256=sha256, content=content)
    return replace(entry, mode=0o755)


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
    from crossdeps.wheels.dist_info import (  # noqa: PLC0415 - for wheels with entry points
        SCRIPT_GROUPS,
        parse_scripts,
    )

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
