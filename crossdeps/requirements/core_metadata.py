"""The few fields of a wheel's core metadata that a resolver reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crossdeps.requirements.syntax import parse_requirement

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

_FIELDS = ("name", "version", "requires-python", "requires-dist", "provides-extra")


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreMetadata:
    """Fields of METADATA (core metadata specification).

    :param requires: Requires-Dist, in file order
    :param extras: Provides-Extra, normalised (PEP 685)
    """

    name: NormalizedName
    version: Version
    requires_python: str | None
    requires: tuple[Requirement, ...]
    extras: frozenset[NormalizedName]


class UnusableMetadataError(ValueError):
    """Metadata that can't be read or contradicts its file; the text says how."""


class MetadataReader:
    """Reads METADATA; remembers the Requires-Dist lines that it has parsed."""

    def __init__(self) -> None:
        self._requirements: dict[str, Requirement] = {}

    def read(self, data: bytes, *, name: NormalizedName, version: Version) -> CoreMetadata:
        """Read the metadata of the wheel whose file name states *name* and *version*.

        :raises UnusableMetadataError: if it can't be parsed, or states another name or version
        """
        fields = read_fields(data)
        stated_name = fields["name"][0] if fields["name"] else ""
        stated_version = fields["version"][0] if fields["version"] else ""
        if not stated_name or not stated_version:
            missing = "Version" if stated_name else "Name"
            raise UnusableMetadataError(f"its metadata states no {missing}")
        if canonicalize_name(stated_name) != name:
            raise UnusableMetadataError(f"its metadata is that of {stated_name!r}")
        try:
            same = Version(stated_version) == version
        except InvalidVersion:
            same = False
        if not same:
            raise UnusableMetadataError(f"its metadata states version {stated_version!r}")
        python = fields["requires-python"]
        return CoreMetadata(
            name=name,
            version=version,
            requires_python=python[0] if python and python[0] else None,
            requires=tuple(self._requirement(line) for line in fields["requires-dist"]),
            extras=frozenset(canonicalize_name(extra) for extra in fields["provides-extra"]),
        )

    def _requirement(self, line: str) -> Requirement:
        try:
            return self._requirements[line]
        except KeyError:
            pass
        try:
            requirement = parse_requirement(line)
        except InvalidRequirement as error:
            reason = str(error).partition("\n")[0]
            raise UnusableMetadataError(
                f"its Requires-Dist {line!r} can't be read: {reason}"
            ) from error
        self._requirements[line] = requirement
        return requirement


def read_fields(data: bytes) -> dict[str, list[str]]:
    """The header fields that matter here, each with its values in file order.

    The headers end at the first empty line; a line that starts with white space continues the one
    before it (RFC 822, as the core metadata specification has it).
    """
    fields: dict[str, list[str]] = {field: [] for field in _FIELDS}
    values: list[str] | None = None
    for line in data.decode("utf-8", "replace").removeprefix("\ufeff").split("\n"):
        text = line.rstrip("\r")
        if not text:
            break
        if text[0] in " \t":
            if values:
                values[-1] = f"{values[-1]} {text.strip()}"
            continue
        key, _, value = text.partition(":")
        values = fields.get(key.strip().lower())
        if values is not None:
            values.append(value.strip())
    return fields
