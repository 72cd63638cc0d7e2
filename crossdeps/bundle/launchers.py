"""Scripts that start anywhere: launchers for entry points, and portable first lines.

Sources: the entry points specification; the binary distribution format, "Recommended installer
features" (``#!python``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import WheelError
from crossdeps.wheels.entry_points import parse_scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.wheels.entry_points import Script
    from crossdeps.wheels.model import Wheel

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
