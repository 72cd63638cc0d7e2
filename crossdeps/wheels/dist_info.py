"""What a wheel declares: .dist-info, METADATA, WHEEL, the schemes of .data, and its scripts.

Sources: the binary distribution format, core metadata and entry points specifications on
packaging.python.org. Only ``console_scripts`` and ``gui_scripts`` become files; other groups of
entry points are data for their readers.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crossdeps.requirements.core_metadata import Headers
from crossdeps.wheels.model import invalid_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.utils import NormalizedName

    from crossdeps.wheels.model import Wheel

SCHEMES: Final = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
"""Directories that a .data directory may have."""
SCRIPT_GROUPS: Final = ("console_scripts", "gui_scripts")


class WheelFile(msgspec.Struct, frozen=True, kw_only=True):
    """The WHEEL file; *version* is that of the wheel format, *tags* are as written."""

    version: tuple[int, int]
    root_is_purelib: bool
    tags: tuple[str, ...]


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A script that an entry point declares.

    :param module: dotted name
    :param attribute: dotted name of the callable in it
    """

    group: str
    name: str
    module: str
    attribute: str


def find_dist_info(paths: Iterable[str]) -> str:
    """Return the name of the only .dist-info directory among *paths*.

    :raises WheelError: if there is none, or several
    """
    found = sorted({
        top for top, slash, _ in (path.partition("/") for path in paths)
        if slash and top.endswith(".dist-info")
    })  # fmt: skip
    if len(found) != 1:
        raise invalid_wheel(
            "dist-info", f"there are {len(found)} .dist-info directories: {', '.join(found) or '-'}"
        )
    return found[0]


def is_named_after(directory: str, suffix: str, name: NormalizedName, version: Version) -> bool:
    """Whether *directory* is ``NAME-VERSION`` + *suffix*, however they are spelled."""
    own_name, dash, own_version = directory.removesuffix(suffix).rpartition("-")
    try:
        same = Version(own_version.replace("_", "-")) == version
    except InvalidVersion:
        return False
    return bool(dash) and same and canonicalize_name(own_name) == name


def parse_wheel_file(data: bytes, member: str) -> WheelFile:
    """Parse a WHEEL file.

    :raises WheelError: if it cannot be parsed, or its major version isn't 1
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid_wheel("wheel-file", "it isn't UTF-8", member) from None
    headers = Headers(data)
    text = headers.get("Wheel-Version")
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal() and text.isascii()):
        raise invalid_wheel("wheel-file", f"it has no valid Wheel-Version: {text!r}", member)
    if int(major) != 1:
        raise invalid_wheel(
            "wheel-version", f"its wheel format is {text}; only version 1 is supported", member
        )
    return WheelFile(
        version=(int(major), int(minor)),
        root_is_purelib=headers.get("Root-Is-Purelib").lower() == "true",
        tags=headers.get_all("Tag"),
    )


def parse_identity(data: bytes, member: str) -> tuple[NormalizedName, Version]:
    """Return the name and version in METADATA.

    :raises WheelError: if either is missing or invalid
    """
    headers = Headers(data)
    for field in ("Name", "Version"):
        if len(headers.get_all(field)) != 1 or not headers.get(field):
            raise invalid_wheel("metadata-file", f"it has no {field}, or several", member)
    version = headers.get("Version")
    try:
        return canonicalize_name(headers.get("Name")), Version(version)
    except InvalidVersion:
        raise invalid_wheel(
            "metadata-file", f"its Version is invalid: {version!r}", member
        ) from None


def check_metadata_agrees(wheel: Wheel, metadata: bytes) -> None:
    """Refuse *wheel* if its METADATA differs from the metadata that was resolved with.

    By PEP 658 the two files are the same, but some indexes normalise line ends or descriptions: so
    name, version, Requires-Python and Requires-Dist are compared.

    :param metadata: core metadata that the index offered beside the wheel
    :raises WheelError: naming the field that differs
    """
    if metadata == wheel.metadata:
        return
    offered = _comparable_fields(metadata)
    for field, value in _comparable_fields(wheel.metadata).items():
        if value != offered[field]:
            error = invalid_wheel(
                "metadata-mismatch",
                f"{field} is {_show(value)} in the wheel, and {_show(offered[field])} on the index",
                f"{wheel.dist_info}/METADATA",
            )
            error.within(wheel.filename)
            raise error


def _comparable_fields(metadata: bytes) -> dict[str, object]:
    headers = Headers(metadata)
    version: Version | str = headers.get("Version")
    with contextlib.suppress(InvalidVersion):
        version = Version(headers.get("Version"))
    return {
        "Name": canonicalize_name(headers.get("Name")),
        "Version": version,
        "Requires-Python": "".join(headers.get("Requires-Python").split()),
        "Requires-Dist": sorted(
            " ".join(text.split()) for text in headers.get_all("Requires-Dist")
        ),
    }


def _show(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "-")


def check_data_directories(paths: Iterable[str], name: NormalizedName, version: Version) -> None:
    """Refuse .data directories of other projects, unknown schemes, and files without a scheme.

    :raises WheelError: naming the file
    """
    for path in paths:
        top, slash, rest = path.partition("/")
        if not slash or not top.endswith(".data"):
            continue
        if not is_named_after(top, ".data", name, version):
            raise invalid_wheel("data-scheme", "it is in another project's .data directory", path)
        scheme, slash, inner = rest.partition("/")
        if scheme not in SCHEMES or not slash or not inner:
            raise invalid_wheel(
                "data-scheme", f"it isn't in a valid scheme ({', '.join(sorted(SCHEMES))})", path
            )


def parse_scripts(text: str, member: str = "entry_points.txt") -> tuple[Script, ...]:
    """Parse the scripts of an entry_points.txt, in its order.

    :raises WheelError: if it cannot be parsed, or a script has an invalid name or reference
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
            raise invalid_wheel(
                "entry-points-unreadable", f"line {number} is invalid: {line!r}", member
            )
        if group in SCRIPT_GROUPS:
            check_script_name(name, member)
            if (group, name) in scripts:
                raise invalid_wheel("entry-points-unreadable", f"it lists {name!r} twice", member)
            scripts[group, name] = _parse_script(group, name, reference, member)
    return tuple(scripts.values())


def check_script_name(name: str, member: str) -> None:
    """Refuse names that are paths, have invisible characters, or would shadow an interpreter.

    :raises WheelError: with rule ``entry-point-name``
    """
    if (
        name in ("", ".", "..")
        or any(char in '/\\:"<>|?*' or not char.isprintable() for char in name)
        or name != name.strip()
    ):
        raise invalid_wheel(
            "entry-point-name", f"the script name {name!r} isn't a file name", member
        )
    if re.fullmatch(r"(?i)(?:python|pypy)[0-9.]*[dmtuw]*(?:\.exe)?", name):
        raise invalid_wheel("entry-point-name", f"the script {name!r} would shadow Python", member)


def _parse_script(group: str, name: str, reference: str, member: str) -> Script:
    match = re.fullmatch(r"([\w.]+)\s*:\s*([\w.]+)\s*(?:\[[\w\s,.-]*\])?", reference, re.ASCII)
    parts = match.group(1).split(".") + match.group(2).split(".") if match else [""]
    if match is None or not all(part.isidentifier() for part in parts):
        raise invalid_wheel(
            "entry-point-reference",
            f"the script {name!r} refers to {reference!r}, not to MODULE:CALLABLE",
            member,
        )
    return Script(group=group, name=name, module=match.group(1), attribute=match.group(2))
