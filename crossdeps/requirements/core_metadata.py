"""Read the header fields of METADATA and WHEEL files, and the metadata that a resolver needs.

Every room reads these files here, so that the resolver, the wheel store and the checks of an
artifact agree on what a file says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from crossdeps.requirements.syntax import parse_requirement

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName
    from packaging.version import Version

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Headers:
    """The header fields of a METADATA or WHEEL file (core metadata, RFC 822 style).

    Field names are case-insensitive. The headers end at the first empty line; a line that starts
    with white space continues the one before it; other lines without a colon are skipped. Bytes
    that are not UTF-8 become U+FFFD.
    """

    def __init__(self, data: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        # The description after the headers is often a hundred times their size.
        end = _END_OF_HEADERS.search(data)
        text = data[: end.start() if end else len(data)].decode("utf-8", "replace")
        values: list[str] | None = None
        for line in _LINE_BREAK.split(text.removeprefix("\ufeff")):
            if not line:
                break
            if line[0] in " \t":
                if values:
                    values[-1] += f"\n{line.strip()}"
                continue
            name, colon, value = line.partition(":")
            values = self._values.setdefault(name.strip().lower(), []) if colon else None
            if values is not None:
                values.append(value.strip())

    def get(self, field: str) -> str:
        """The first value of *field* on one line; empty if the field is missing."""
        return next(iter(self.get_all(field)), "")

    def get_all(self, field: str) -> tuple[str, ...]:
        """Every value of *field*, each on one line, in file order."""
        return tuple(value.replace("\n", " ") for value in self._values.get(field.lower(), ()))

    def get_lines(self, field: str) -> tuple[str, ...]:
        """The lines of the first value of *field*, stripped, without empty ones."""
        values = self._values.get(field.lower(), ("",))
        return tuple(line for line in values[0].split("\n") if line)


class CoreMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of METADATA that a resolver reads (core metadata specification).

    :param requires: Requires-Dist, in file order
    :param extras: Provides-Extra, normalised (PEP 685)
    """

    name: NormalizedName
    version: Version
    requires_python: str | None
    requires: tuple[Requirement, ...]
    extras: frozenset[NormalizedName]


class UnusableMetadataError(ValueError):
    """Metadata that cannot be read or that contradicts the file name; the text says how."""


class MetadataReader:
    """Reads METADATA for the resolver, and parses each distinct Requires-Dist line once."""

    def __init__(self) -> None:
        self._requirements: dict[str, Requirement] = {}

    def read(self, data: bytes, *, name: NormalizedName, version: Version) -> CoreMetadata:
        """Read the metadata of the wheel whose file name states *name* and *version*.

        :raises UnusableMetadataError: if it cannot be parsed, or states another name or version
        """
        from packaging.utils import canonicalize_name  # noqa: PLC0415 - headers need no packaging
        from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

        headers = Headers(data)
        stated_name, stated_version = headers.get("Name"), headers.get("Version")
        if not stated_name or not stated_version:
            missing = "Version" if stated_name else "Name"
            raise UnusableMetadataError(f"its metadata has no {missing}")
        if canonicalize_name(stated_name) != name:
            raise UnusableMetadataError(f"its metadata has the name {stated_name!r}")
        try:
            same = Version(stated_version) == version
        except InvalidVersion:
            same = False
        if not same:
            raise UnusableMetadataError(f"its metadata has the version {stated_version!r}")
        return CoreMetadata(
            name=name,
            version=version,
            requires_python=headers.get("Requires-Python") or None,
            requires=tuple(map(self._parse_requirement, headers.get_all("Requires-Dist"))),
            extras=frozenset(map(canonicalize_name, headers.get_all("Provides-Extra"))),
        )

    def _parse_requirement(self, line: str) -> Requirement:
        requirement = self._requirements.get(line)
        if requirement is None:
            from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - as above

            try:
                requirement = self._requirements[line] = parse_requirement(line)
            except InvalidRequirement as error:
                reason = str(error).partition("\n")[0]
                raise UnusableMetadataError(
                    f"its Requires-Dist {line!r} is not a valid requirement: {reason}"
                ) from error
        return requirement
