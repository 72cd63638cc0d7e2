"""Read the header fields of METADATA and WHEEL files, and the metadata that a resolver needs.

Every room reads these files here, so that the resolver, the wheel store and the checks of an
artifact agree on what a file says. That of a source is read where a build must give the same.

Sources: core metadata specification, "Dynamic" (PEP 643): what PKG-INFO does not mark as dynamic is
the same in every wheel, from Metadata-Version 2.2 on; pyproject.toml specification (PEP 621): a
build backend must take a key of ``[project]`` as it is, and leave out one that is missing, unless
it is listed in ``dynamic``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crossdeps.errors import InputError
from crossdeps.requirements.files import parse_toml, read_utf8
from crossdeps.requirements.syntax import parse_marker, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName
    from packaging.version import Version

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_LARGEST: Final = 16 << 20  # bytes
_FIELDS: Final = frozenset({"version", "requires-dist", "requires-python", "provides-extra"})
_KEYS: Final = frozenset({"version", "dependencies", "optional-dependencies", "requires-python"})


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


class StaticMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says of itself.

    :param metadata: core metadata with all that a resolver needs; None if only a build can tell
    :param requires_python: which Pythons the project admits, as far as is known; empty if it isn't
    """

    metadata: bytes | None = None
    requires_python: str = ""


def read_directory_metadata(directory: Path) -> StaticMetadata:
    """Read the metadata of a project from its pyproject.toml. What is invalid is left to the build.

    :param directory: of the project
    """
    path = directory / "pyproject.toml"
    try:
        return _read_pyproject(read_utf8(path, str(path)))
    except (InputError, TypeError, ValueError):
        return StaticMetadata()


def read_archive_metadata(path: Path, subdirectory: str | None) -> StaticMetadata:
    """Read the metadata of a source archive, from its PKG-INFO, or else its pyproject.toml.

    :param path: of a tar archive or a zip
    :param subdirectory: POSIX path of the project in it
    """
    top = f"[^/]+/{re.escape(subdirectory.strip('/'))}/" if subdirectory else "[^/]+/"
    wanted = re.compile(rf"(?:\./)?{top}(PKG-INFO|pyproject\.toml)")
    files = {match[1]: data for match, data in _read_members(path, wanted)}
    found = StaticMetadata()
    # That of another directory than an sdist's own would be of another project.
    if "PKG-INFO" in files and not subdirectory:
        found = _read_pkg_info(files["PKG-INFO"])
    if found.metadata is None and "pyproject.toml" in files:
        try:
            declared = _read_pyproject(files["pyproject.toml"].decode())
        except (InputError, TypeError, ValueError):
            return found
        python = declared.requires_python or found.requires_python
        found = StaticMetadata(metadata=declared.metadata, requires_python=python)
    return found


def _read_pkg_info(data: bytes) -> StaticMetadata:
    headers = Headers(data)
    version = re.fullmatch(r"(\d+)\.(\d+)", headers.get("Metadata-Version"), re.ASCII)
    dynamic = {field.lower() for field in headers.get_all("Dynamic")}
    is_static = (
        version is not None
        and (int(version[1]), int(version[2])) >= (2, 2)
        and not dynamic & _FIELDS
        and _is_version(headers.get("Version"))
        and bool(headers.get("Name"))
    )
    return StaticMetadata(
        metadata=data if is_static else None, requires_python=headers.get("Requires-Python")
    )


def _read_pyproject(text: str) -> StaticMetadata:
    """Read the ``[project]`` table.

    :raises ValueError: if a value is invalid; likewise *TypeError*, and *InputError* without TOML
    """
    document = parse_toml(text, "pyproject.toml")
    project = document.get("project")
    if not isinstance(project, dict):
        return StaticMetadata()
    dynamic = _KEYS & set(_texts(project.get("dynamic", [])))
    tool = document.get("tool")
    # poetry-core takes them from its own table then, whatever the standard says.
    if "dependencies" not in project and isinstance(tool, dict) and "poetry" in tool:
        dynamic |= {"dependencies"}
    python = project.get("requires-python", "")
    python = python if isinstance(python, str) and "requires-python" not in dynamic else ""
    metadata = None
    if not dynamic:
        metadata = "".join(f"{line}\n" for line in _write_headers(project)).encode()
    return StaticMetadata(metadata=metadata, requires_python=python)


def _write_headers(project: dict[str, Any]) -> Iterator[str]:
    """Yield the core metadata of a ``[project]`` table.

    :raises ValueError: if a value is invalid
    :raises TypeError: if it has the wrong type
    """
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - headers need no packaging
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above

    name, version = project.get("name"), project.get("version")
    if not (isinstance(name, str) and isinstance(version, str) and _is_version(version)):
        raise ValueError("a project has a name and a version")
    yield "Metadata-Version: 2.2"
    yield f"Name: {canonicalize_name(name, validate=True)}"
    yield f"Version: {version}"
    for python in _texts([project.get("requires-python", "")]):
        yield f"Requires-Python: {SpecifierSet(python)}"
    for text in _texts(project.get("dependencies", [])):
        yield f"Requires-Dist: {parse_requirement(text)}"
    extras = project.get("optional-dependencies", {})
    if not isinstance(extras, dict):
        raise TypeError("a table is expected")
    for extra, lines in extras.items():
        normalized = canonicalize_name(extra, validate=True)
        yield f"Provides-Extra: {normalized}"
        for text in _texts(lines):
            requirement = parse_requirement(text)
            condition = f'extra == "{normalized}"'
            if requirement.marker is not None:
                condition = f"({requirement.marker}) and {condition}"
            requirement.marker = parse_marker(condition)
            yield f"Requires-Dist: {requirement}"


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("a list of strings is expected")
    return value


def _is_version(text: str) -> bool:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _read_members(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[re.Match[str], bytes]]:
    """Yield members of an archive whose names match; none if it is damaged."""
    import tarfile  # noqa: PLC0415 - archives are rare
    import zipfile  # noqa: PLC0415 - as above

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    match = wanted.fullmatch(info.filename)
                    if match and info.file_size <= _LARGEST:
                        yield match, archive.read(info)
            return
        with tarfile.open(path) as tar:
            for member in tar:
                match = wanted.fullmatch(member.name)
                file = tar.extractfile(member) if match and member.size <= _LARGEST else None
                if match and file:
                    yield match, file.read()
    except Exception:  # noqa: BLE001 - each compression has errors of its own
        return  # whatever is wrong with the archive, pip says when it builds it
