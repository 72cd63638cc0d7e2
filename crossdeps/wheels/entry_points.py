"""entry_points.txt: parsed, and its scripts' names and references held to be harmless.

Only ``console_scripts`` and ``gui_scripts`` become files; other groups are data for their readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crossdeps.wheels.faults import refusal

SCRIPT_GROUPS: Final = ("console_scripts", "gui_scripts")
_INTERPRETER = re.compile(r"(?:python|pypy)[0-9.]*[dmtuw]*(?:\.exe)?", re.IGNORECASE)
_REFERENCE = re.compile(r"([\w.]+)\s*:\s*([\w.]+)\s*(?:\[[\w\s,.-]*\])?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """A command that an entry point asks for.

    :param module: dotted name
    :param attribute: dotted name of the callable in it
    """

    group: str
    name: str
    module: str
    attribute: str


def parse_scripts(text: str, member: str = "entry_points.txt") -> tuple[Script, ...]:
    """The scripts of an entry_points.txt (entry points specification), in its order.

    :raises WheelError: if it can't be parsed, or a script's name or reference isn't plain
    """
    scripts: dict[tuple[str, str], Script] = {}
    group = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
            continue
        name, equals, reference = (part.strip() for part in line.partition("="))
        if not group or ((not equals or not name) and group in SCRIPT_GROUPS):
            raise refusal("entry-points-unreadable", f"line {number}: {line!r}", member=member)
        if group in SCRIPT_GROUPS:
            check_script_name(name, member)
            if (group, name) in scripts:
                raise refusal("entry-points-unreadable", f"{name!r} is there twice", member=member)
            scripts[group, name] = _parse_script(group, name, reference, member)
    return tuple(scripts.values())


def check_script_name(name: str, member: str) -> None:
    """Refuse names that are paths, that hide, or that would stand before a Python.

    :raises WheelError: with rule ``entry-point-name``
    """
    if (
        name in ("", ".", "..")
        or any(char in '/\\:"<>|?*' or not char.isprintable() for char in name)
        or name != name.strip()
    ):
        raise refusal("entry-point-name", f"script name {name!r} isn't a file name", member=member)
    if _INTERPRETER.fullmatch(name):
        raise refusal("entry-point-name", f"script {name!r} would replace Python", member=member)


def _parse_script(group: str, name: str, reference: str, member: str) -> Script:
    match = _REFERENCE.fullmatch(reference)
    parts = match.group(1).split(".") + match.group(2).split(".") if match else [""]
    if match is None or not all(part.isidentifier() for part in parts):
        raise refusal(
            "entry-point-reference",
            f"script {name!r} refers to {reference!r}, not MODULE:CALLABLE",
            member=member,
        )
    return Script(group=group, name=name, module=match.group(1), attribute=match.group(2))
