"""A wheel under the name it was published with, held against its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from crossdeps.errors import WheelError
from crossdeps.fs import hash_stream
from crossdeps.requirements.core_metadata import Headers
from crossdeps.wheels.contents import WheelContents, read_contents
from crossdeps.wheels.dist_info import is_named
from crossdeps.wheels.model import Wheel, refusal

if TYPE_CHECKING:
    from pathlib import Path


def read_wheel(path: Path, filename: str | None = None) -> Wheel:
    """Read the wheel at *path* from its first byte to its last, strictly.

    Structure, checksums, RECORD, WHEEL, METADATA, entry points and names are checked; what breaks
    a rule is refused with the rule's id (:data:`crossdeps.wheels.model.RULES`).

    :param path: a regular file; every file of the wheel may be read from it later
    :param filename: the name under which it was published; that of *path* by default
    :raises WheelError: with ``rule`` set, the file name and the member in its context
    :raises OSError: if *path* can't be read
    """
    filename = path.name if filename is None else filename
    try:
        with path.open("rb") as file:
            sha256 = hash_stream(file)["sha256"]
            contents = read_contents(file, size=file.tell(), sha256=sha256)
        return name_wheel(contents, path, filename)
    except WheelError as error:
        error.within(filename)
        raise


def name_wheel(contents: WheelContents, path: Path, filename: str) -> Wheel:
    """The wheel at *path*, once its published name is known to say what it contains.

    The version in the name may leave out nothing: both are compared as PEP 440 versions.

    :raises WheelError: if project or version differ
    """
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise refusal("filename", f"not a wheel's file name: {error}") from None
    member = f"{contents.dist_info}/METADATA"
    if contents.name != name:
        raise refusal("metadata-name", f"is of {contents.name!r}, not of {name!r}", member=member)
    if Version(contents.version) != version:
        raise refusal("metadata-version", f"is {contents.version}, not {version}", member=member)
    if not is_named(contents.dist_info, ".dist-info", name, version):
        raise refusal("dist-info", f"{contents.dist_info!r} isn't named after {name} {version}")
    texts = tuple(sorted(str(tag) for tag in tags))
    warnings = contents.warnings
    inner = {str(tag) for text in contents.wheel_tags for tag in _parse_tags(text)}
    if inner != set(texts):
        told = ", ".join(sorted(inner)) or "none"
        warnings = (*warnings, f"its WHEEL file has other tags than its name: {told}")
    return Wheel(
        file=path,
        filename=filename,
        name=name,
        version=version,
        sha256=contents.sha256,
        size=contents.size,
        dist_info=contents.dist_info,
        members=contents.members,
        tags=texts,
        metadata=contents.metadata,
        entry_points=contents.entry_points,
        root_is_purelib=contents.root_is_purelib,
        warnings=warnings,
    )


def _parse_tags(text: str) -> frozenset[object]:
    try:
        return frozenset(parse_tag(text))
    except ValueError:
        return frozenset({text})


def check_metadata_agrees(wheel: Wheel, metadata: bytes) -> None:
    """Refuse *wheel* if its METADATA isn't what the resolver worked with.

    Compared are name, version, Requires-Python and Requires-Dist, as PEP 658 has it that the two
    files be the same, while some indexes normalise line ends or the description.

    :param metadata: core metadata that the index offered beside the wheel
    :raises WheelError: naming the field that differs
    """
    if metadata == wheel.metadata:
        return
    inner, outer = _fields(wheel.metadata), _fields(metadata)
    for field, value in inner.items():
        if value != outer[field]:
            error = refusal(
                "metadata-mismatch",
                f"{field} is {_show(value)} in the wheel, {_show(outer[field])} on the index",
                member=f"{wheel.dist_info}/METADATA",
            )
            error.within(wheel.filename)
            raise error


def _fields(data: bytes) -> dict[str, object]:
    headers = Headers(data)
    return {
        "Name": canonicalize_name(headers.get("Name")),
        "Version": _parse_version(headers.get("Version")),
        "Requires-Python": "".join(headers.get("Requires-Python").split()),
        "Requires-Dist": sorted(
            " ".join(text.split()) for text in headers.get_all("Requires-Dist")
        ),
    }


def _parse_version(text: str) -> Version | str:
    try:
        return Version(text)
    except InvalidVersion:
        return text


def _show(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "-")
