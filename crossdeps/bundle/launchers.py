"""Scripts that start anywhere: launchers for entry points, and portable first lines.

Sources: the entry points specification; the binary distribution format, "Recommended installer
features" (``#!python``).
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.wheels.model import Wheel

SHEBANG = b"#!/usr/bin/env python3"
_GROUPS = ("console_scripts", "gui_scripts")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_RESERVED = re.compile(r"pythonw?[\d.]*(\.exe)?", re.IGNORECASE)
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_REFERENCE = re.compile(rf"({_DOTTED})\s*:\s*({_DOTTED})\s*(?:\[[^\[\]]*\])?")

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


def launchers(wheel: Wheel) -> Iterator[Launcher]:
    """The launchers of *wheel*'s console and GUI scripts, in the order of their names.

    :raises WheelError: if entry_points.txt can't be read, or a name or reference in it is unsafe
    """
    for name, reference in sorted(_scripts(wheel).items()):
        if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
            raise _error(wheel, "entry-point-name", f"{name!r} can't be the name of a script")
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            text = f"the script {name} points to {reference!r}, which isn't module:function"
            raise _error(wheel, "entry-point-reference", text)
        text = _LAUNCHER.format(
            shebang=SHEBANG.decode(),
            module=match[1],
            name=match[2].partition(".")[0],
            attribute=match[2],
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


def _scripts(wheel: Wheel) -> dict[str, str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(wheel.entry_points)
    except configparser.Error as error:
        reason = str(error).splitlines()[0]
        raise _error(wheel, "entry-points-unreadable", f"entry points: {reason}") from error
    return {
        name: reference
        for group in _GROUPS
        if parser.has_section(group)
        for name, reference in parser.items(group)
    }


def _error(wheel: Wheel, rule: str, message: str) -> WheelError:
    return WheelError(
        message,
        context=(wheel.filename, f"{wheel.dist_info}/entry_points.txt"),
        hint="--no-scripts lays out the package without its scripts",
        rule=rule,
    )
