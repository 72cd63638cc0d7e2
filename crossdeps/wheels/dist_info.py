"""What a wheel says of itself: .dist-info, WHEEL, METADATA, and the schemes of .data.

Only ``console_scripts`` and ``gui_scripts`` become files; other groups are data for their readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crossdeps.requirements.core_metadata import Headers
from crossdeps.wheels.model import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.utils import NormalizedName

SCHEMES: Final = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
"""Directories that a .data directory may have (binary distribution format)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelFile:
    """What the WHEEL file says; *version* is that of the wheel format, *tags* as written."""

    version: tuple[int, int]
    root_is_purelib: bool
    tags: tuple[str, ...]


def find_dist_info(paths: Iterable[str]) -> str:
    """The name of the only .dist-info directory among *paths*.

    :raises WheelError: if there are none or several
    """
    found = sorted({
        top for top, slash, _ in (path.partition("/") for path in paths)
        if slash and top.endswith(".dist-info")
    })  # fmt: skip
    if len(found) != 1:
        raise refusal(
            "dist-info", f"{len(found)} .dist-info directories: {', '.join(found) or '-'}"
        )
    return found[0]


def is_named(directory: str, suffix: str, name: NormalizedName, version: Version) -> bool:
    """Whether *directory* is ``NAME-VERSION`` + *suffix*, however the two are spelt."""
    own_name, dash, own_version = directory.removesuffix(suffix).rpartition("-")
    try:
        same = Version(own_version.replace("_", "-")) == version
    except InvalidVersion:
        return False
    return bool(dash) and same and canonicalize_name(own_name) == name


def parse_wheel_file(data: bytes, member: str) -> WheelFile:
    """Read a WHEEL file (binary distribution format).

    :raises WheelError: if it can't be read, or is of another major version than 1
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise refusal("wheel-file", "is not UTF-8", member=member) from None
    headers = Headers(data)
    text = headers.get("Wheel-Version")
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal() and text.isascii()):
        raise refusal("wheel-file", f"has no usable Wheel-Version: {text!r}", member=member)
    if int(major) != 1:
        raise refusal("wheel-version", f"is of wheel format {text}; 1 is known", member=member)
    return WheelFile(
        version=(int(major), int(minor)),
        root_is_purelib=headers.get("Root-Is-Purelib").lower() == "true",
        tags=headers.get_all("Tag"),
    )


def parse_identity(data: bytes, member: str) -> tuple[NormalizedName, Version]:
    """Name and version in METADATA (core metadata specification).

    :raises WheelError: if either is missing or invalid
    """
    headers = Headers(data)
    for field in ("Name", "Version"):
        if len(headers.get_all(field)) != 1 or not headers.get(field):
            raise refusal("metadata-file", f"has no {field}, or several", member=member)
    version = headers.get("Version")
    try:
        return canonicalize_name(headers.get("Name")), Version(version)
    except InvalidVersion:
        raise refusal(
            "metadata-file", f"has an invalid Version {version!r}", member=member
        ) from None


def check_data_directories(paths: Iterable[str], name: NormalizedName, version: Version) -> None:
    """Refuse .data directories of others, unknown schemes, and files that are in no scheme.

    :raises WheelError: naming the file
    """
    for path in paths:
        top, slash, rest = path.partition("/")
        if not slash or not top.endswith(".data"):
            continue
        if not is_named(top, ".data", name, version):
            raise refusal("data-scheme", "lies in another project's .data directory", member=path)
        scheme, slash, inner = rest.partition("/")
        if scheme not in SCHEMES or not slash or not inner:
            raise refusal(
                "data-scheme",
                f"lies in no known scheme ({', '.join(sorted(SCHEMES))})",
                member=path,
            )


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
