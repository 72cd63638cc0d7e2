"""Projects as their own metadata tells of them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name

from crossdeps.bundle.model import InstalledProject

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata


def installed_project(
    dist_info: str, metadata: bytes | None, wheel: bytes | None
) -> InstalledProject:
    """The project of a .dist-info directory; what can't be read is taken from its name.

    Sources: core metadata; the binary distribution format, "File contents" (WHEEL).

    :param dist_info: path of the directory
    :param metadata: bytes of METADATA, if there is one
    :param wheel: bytes of WHEEL, if there is one
    """
    stem = posixpath.basename(dist_info).removesuffix(".dist-info")
    name, _, version = stem.partition("-")
    raw: RawMetadata = parse_email(_headers(metadata))[0] if metadata else {}
    return InstalledProject(
        name=canonicalize_name(raw.get("name") or name),
        version=raw.get("version") or version,
        dist_info=dist_info,
        wheel_tags=_tags(wheel or b""),
        requires=tuple(raw.get("requires_dist", ())),
        requires_python=raw.get("requires_python"),
        provides_extras=tuple(raw.get("provides_extra", ())),
    )


def _headers(metadata: bytes) -> bytes:
    """METADATA without its description, which takes most of the time to parse and isn't used."""
    end = re.search(rb"\n\r?\n", metadata)
    return metadata[: end.end()] if end else metadata


def _tags(wheel: bytes) -> tuple[str, ...]:
    lines = re.findall(r"^Tag:[ \t]*(\S+)", wheel.decode("utf-8", "replace"), re.MULTILINE)
    return tuple(sorted(set(lines)))
