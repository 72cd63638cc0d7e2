"""Scripts that start anywhere: launchers for entry points, and portable first lines.

Sources: the entry points specification; the binary distribution format, "Recommended installer
features" (``#!python``).

Source: the binary distribution format, "Installing a wheel 'distribution-1.0-py32-none-any.whl'"
and "The .data directory". Like ``pip install --target``, one folder takes purelib, platlib and
data alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossdeps.bundle.content import read_content
from crossdeps.bundle.model import InlineContent, WheelContent
from crossdeps.errors import CollisionError, WheelError
from crossdeps.text import first_lines, join_words, plural
from crossdeps.wheels.dist_info import parse_scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crossdeps.bundle.model import Entry
    from crossdeps.wheels.dist_info import Script
    from crossdeps.wheels.model import Member, Wheel

SHEBANG = b"#!/usr/bin/env python3"

# The folder above bin/ is where the packages lie, wherever that is on the machine that runs it.
_LAUNCHER = """\
{shebang}
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from {module} import {name}

if __name__ == "__main__":
    sys.exit({attribute}())
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Launcher:
    """A program that calls an entry point.

    :param name: file name in ``bin/``
    """

    name: str
    data: bytes


def script_names(wheel: Wheel) -> tuple[str, ...]:
    """The names of *wheel*'s console and GUI scripts, sorted.

    :raises WheelError: if entry_points.txt can't be read, or a name or reference in it is unsafe
    """
    return tuple(launcher.name for launcher in launchers(wheel))


def launchers(wheel: Wheel) -> Iterator[Launcher]:
    """The launchers of *wheel*'s console and GUI scripts, in the order of their names.

    A console script wins over a GUI script of its name: on Linux both start alike.

    :raises WheelError: if entry_points.txt can't be read, or a name or reference in it is unsafe
    """
    try:
        scripts = parse_scripts(wheel.entry_points, f"{wheel.dist_info}/entry_points.txt")
    except WheelError as error:
        error.within(wheel.filename)
        raise
    by_name = {script.name: script for script in sorted(scripts, key=_console_last)}
    for name, script in sorted(by_name.items()):
        text = _LAUNCHER.format(
            shebang=SHEBANG.decode(),
            module=script.module,
            name=script.attribute.partition(".")[0],
            attribute=script.attribute,
        )
        yield Launcher(name=name, data=text.encode())


def portable_script(data: bytes) -> bytes | None:
    """A script whose first line asks for the installer's Python, with one that asks for any.

    :returns: None where the first line isn't ``#!python``
    """
    first, newline, rest = data.partition(b"\n")
    if not re.match(rb"#!pythonw?(\s|$)", first):
        return None
    return SHEBANG + (newline or b"\n") + rest


def _console_last(script: Script) -> bool:
    return script.group == "console_scripts"


SCRIPTS = "bin/"
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_REWRITTEN = ("RECORD", "INSTALLER")
_BYTECODE = re.compile(r"(^|/)__pycache__/|\.py[co]$")
_LARGEST_SCRIPT = 1 << 20

Leftover = Literal["bytecode", "headers", "scripts", "signature", "rewritten"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A file of a wheel and where it goes.

    :param path: relative to the layout's prefix
    :param leftover: why it isn't laid out; None where it is
    """

    path: str
    content: WheelContent | InlineContent
    executable: bool = False
    leftover: Leftover | None = None


def is_bytecode(path: str) -> bool:
    """Whether the path is that of compiled Python, which is of the machine that compiled it."""
    return _BYTECODE.search(path) is not None


def place(wheel: Wheel, *, scripts: bool) -> Iterator[Placed]:
    """Every file of *wheel* and the launchers of its entry points, in no particular order.

    :param scripts: whether scripts are laid out
    :raises WheelError: if a scheme of the .data directory is unknown, or entry points are unsafe
    """
    data_directory = f"{wheel.dist_info.removesuffix('.dist-info')}.data/"
    for member in wheel.members:
        if member.path.startswith(data_directory):
            yield _place_data(wheel, member, member.path[len(data_directory) :], scripts=scripts)
        else:
            yield _place_root(wheel, member, member.path)
    if wheel.entry_points and scripts:
        for launcher in launchers(wheel):
            content = InlineContent(data=launcher.data)
            yield Placed(path=SCRIPTS + launcher.name, content=content, executable=True)


def _place_root(wheel: Wheel, member: Member, path: str) -> Placed:
    leftover: Leftover | None = None
    directory, _, name = path.rpartition("/")
    if directory == wheel.dist_info and name in _SIGNATURES:
        leftover = "signature"
    elif directory == wheel.dist_info and name in _REWRITTEN:
        leftover = "rewritten"
    elif is_bytecode(path):
        leftover = "bytecode"
    return Placed(
        path=path,
        content=WheelContent(wheel=wheel, member=member),
        executable=member.executable,
        leftover=leftover,
    )


def _place_data(wheel: Wheel, member: Member, path: str, *, scripts: bool) -> Placed:
    scheme, _, rest = path.partition("/")
    if rest and scheme in {"purelib", "platlib", "data"}:
        return _place_root(wheel, member, rest)
    content = WheelContent(wheel=wheel, member=member)
    if rest and scheme == "headers":
        return Placed(path=rest, content=content, leftover="headers")
    if rest and scheme == "scripts":
        return _place_script(content, rest, scripts=scripts)
    raise WheelError(
        f"{scheme!r} isn't a scheme of the .data directory",
        context=(wheel.filename, member.path),
        hint="purelib, platlib, scripts, data and headers are",
        rule="unknown-data-scheme",
    )


def _place_script(content: WheelContent, name: str, *, scripts: bool) -> Placed:
    path = SCRIPTS + name
    if not scripts:
        return Placed(path=path, content=content, leftover="scripts")
    if is_bytecode(path):
        return Placed(path=path, content=content, leftover="bytecode")
    if content.member.binary is None and content.member.size <= _LARGEST_SCRIPT:
        portable = portable_script(read_content(content))
        if portable is not None:
            return Placed(path=path, content=InlineContent(data=portable), executable=True)
    return Placed(path=path, content=content, executable=True)


_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A wish to lay out an entry.

    :param claimant: the wheel's file name, or the source file's path, for people
    :param foreign: whether the path lies in another project's .dist-info directory
    """

    entry: Entry
    claimant: str
    foreign: bool = False


def settle(claims: Iterable[Claim]) -> tuple[Entry, ...]:
    """One entry for each path, sorted; two claims of the same bytes are one.

    The first owner by name keeps a shared path, so that the order of claims never matters.

    :raises CollisionError: with every collision there is
    """
    by_path: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_path[claim.entry.path].append(claim)
    collisions = [
        *(f"{path}: {_names(wanted)} have different files" for path, wanted in _unlike(by_path)),
        *_files_against_directories(by_path),
        *(
            f"{claim.entry.path}: {claim.claimant} writes into another project's metadata"
            for path in sorted(by_path)
            for claim in by_path[path]
            if claim.foreign
        ),
    ]
    if collisions:
        raise _collision(sorted(collisions))
    return tuple(_chosen(by_path[path]) for path in sorted(by_path))


def case_collisions(paths: Iterable[str]) -> tuple[str, ...]:
    """Warnings about paths that differ only in case or in Unicode composition."""
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


def _unlike(by_path: Mapping[str, Sequence[Claim]]) -> Iterable[tuple[str, Sequence[Claim]]]:
    for path, wanted in by_path.items():
        if len({claim.entry.sha256 for claim in wanted}) > 1:
            yield path, wanted


def _files_against_directories(by_path: Mapping[str, Sequence[Claim]]) -> Iterable[str]:
    found: dict[str, list[Claim]] = {}
    for path, claims in by_path.items():
        parent = path.rpartition("/")[0]
        while parent:
            if parent in by_path:
                found.setdefault(parent, list(by_path[parent])).extend(claims)
            parent = parent.rpartition("/")[0]
    for path, claims in found.items():
        yield f"{path}: a file of one and a directory of another: {_names(claims)}"


def _chosen(claims: Sequence[Claim]) -> Entry:
    first = min(claims, key=lambda claim: (claim.entry.owner or "~", claim.claimant)).entry
    mode = max(claim.entry.mode for claim in claims)
    if mode == first.mode:
        return first
    # The other claim has the same bytes: the one that may be executed serves both.
    return min(
        (claim for claim in claims if claim.entry.mode == mode),
        key=lambda claim: (claim.entry.owner or "~", claim.claimant),
    ).entry


def _names(claims: Sequence[Claim]) -> str:
    names = sorted({claim.claimant for claim in claims})
    return join_words(names) if len(names) > 1 else f"{names[0]} twice"


def _collision(lines: Sequence[str]) -> CollisionError:
    return CollisionError(
        f"{plural(len(lines), 'path is', 'paths are')} wanted by more than one project",
        context=first_lines(lines, _SHOWN),
        hint="leave one of them out (--exclude), or ask for versions that agree",
    )
