"""The ``[tool.crossdeps]`` table of a pyproject.toml."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.requirements.direct import is_url
from crossdeps.requirements.files import decode, read_bytes, read_toml
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crossdeps.requirements.model import PreReleases

_NOTHING: Mapping[str, str] = MappingProxyType({})
_PRE_RELEASES = ("if-necessary", "allow", "disallow")
_STRATEGIES = ("safe", "first")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectConfiguration:
    """Options of a project, each meaning what the command-line option of its name means.

    In the file, names have dashes. None, empty and missing mean "not said". A list of one may be
    written as plain text. Paths are absolute here, and relative to the file there.

    :param file: where they were read; None for none
    :param project_index: table: project name to the URL of its only index
    :param provided_versions: table: project to the version that the runtime has, unknown or absent
    :param pre_releases: table: project name to if-necessary, allow or disallow
    """

    file: Path | None = None
    # target
    python: str | None = None
    arch: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    abi: str | None = None
    implementation: str | None = None
    # requirements
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    no_deps: bool | None = None
    require_hashes: bool | None = None
    pre: bool | None = None
    pre_releases: Mapping[str, PreReleases] = field(default_factory=dict)
    exclude_newer: str | None = None
    allow_sdist: tuple[str, ...] = ()
    # indexes
    index_url: str | None = None
    extra_index_url: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool | None = None
    index_strategy: str | None = None
    project_index: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    # output
    output: str | None = None
    layer: bool | None = None
    versioned_layer: bool | None = None
    source: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclude_project: tuple[str, ...] = ()
    slim: bool | None = None
    scripts: bool | None = None
    provided: bool | None = None
    provided_versions: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    # checks
    handler: str | None = None
    with_layer: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


_PATHS = frozenset(
    {"requirements", "constraints", "overrides", "source", "output", "find_links", "with_layer"}
)
_CHOICES = {"index_strategy": _STRATEGIES}
_KINDS = {
    one.name: str(one.type).partition("[")[0].partition(" |")[0]
    for one in fields(ProjectConfiguration)
    if one.name != "file"
}


def read_configuration(path: Path) -> ProjectConfiguration:
    """Read the table of a pyproject.toml; a file without it says nothing.

    :raises InputError: if the file can't be read, a key is unknown (names the nearest) or a value
        has the wrong type
    """
    name = str(path)
    document, _ = read_toml(path, name)
    tool = document.get("tool")
    table = tool.get("crossdeps", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise _wrong(name, "", "must be a table")
    values: dict[str, Any] = {}
    for key, value in table.items():
        attribute = key.replace("-", "_")
        if attribute not in _KINDS or "_" in key:
            raise _unknown(name, key)
        read = _read(name, key, _KINDS[attribute], value)
        values[attribute] = _resolved(attribute, read, path.absolute().parent)
        if attribute in _CHOICES and read not in _CHOICES[attribute]:
            raise _wrong(name, key, f"must be one of {', '.join(_CHOICES[attribute])}")
    for project, policy in values.get("pre_releases", {}).items():
        if policy not in _PRE_RELEASES:
            raise _wrong(
                name, f"pre-releases.{project}", f"must be one of {', '.join(_PRE_RELEASES)}"
            )
    return ProjectConfiguration(file=path, **values)


def _read(file: str, key: str, kind: str, value: Any) -> Any:  # noqa: ANN401 - from TOML
    """Check the type of a value; *kind* is the outermost type of its field."""
    if kind == "str":
        if key == "exclude-newer" and hasattr(value, "isoformat"):
            return str(value.isoformat())  # TOML has dates
        if isinstance(value, str):
            return value
        raise _wrong(file, key, "must be a string")
    if kind == "bool":
        if isinstance(value, bool):
            return value
        raise _wrong(file, key, "must be true or false")
    if kind == "tuple":
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
            return tuple(listed)
        raise _wrong(file, key, "must be a string or a list of strings")
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return MappingProxyType({canonicalize_name(name): item for name, item in value.items()})
    raise _wrong(file, key, "must be a table of strings, by project")


def _resolved(attribute: str, value: Any, folder: Path) -> Any:  # noqa: ANN401 - any field's type
    if attribute not in _PATHS:
        return value
    if isinstance(value, str):
        return str(folder / value)
    return tuple(item if is_url(item) else str(folder / item) for item in value)


def _unknown(file: str, key: str) -> InputError:
    known = sorted(attribute.replace("_", "-") for attribute in _KINDS)
    nearest = difflib.get_close_matches(key[:40].replace("_", "-"), known, n=1)
    return InputError(
        f"[tool.crossdeps] has no key {escape(key)}",
        context=(f"{file} (tool.crossdeps)",),
        hint=f"did you mean {nearest[0]}?" if nearest else f"keys are {', '.join(known)}",
    )


def _wrong(file: str, key: str, rule: str) -> InputError:
    place = f"tool.crossdeps.{key}" if key else "tool.crossdeps"
    return InputError(
        f"{escape(place)} {rule}",
        context=(f"{file} ({escape(place)})",),
        hint="correct it there, or leave it out",
    )


_VERSION = re.compile(r"(?:(?:c?python)-?)?(3\.\d{1,2}(?:\.\d{1,2})?)")


def read_python_version(path: Path) -> str | None:
    """Return the first version that a ``.python-version`` names, such as ``3.12`` or ``3.12.4``.

    None where it names nothing. ``python-3.12`` and ``cpython-3.12`` mean the same.

    :raises InputError: if the file can't be read, or its first entry is another implementation or
        the name of an environment
    """
    for number, line in enumerate(decode(read_bytes(path, str(path))).splitlines(), start=1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        if found := _VERSION.fullmatch(said):
            return found[1]
        raise InputError(
            f"{escape(said)} isn't a version of CPython",
            context=(f"{path}:{number}",),
            hint="say which Python the package is for with --python, such as --python 3.12",
        )
    return None
