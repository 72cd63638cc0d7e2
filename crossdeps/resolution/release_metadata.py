"""The metadata of a version as a search needs it for a target, kept from run to run.

METADATA says what a version requires on any machine. Reading it means parsing a requirement and a
marker for each line, of which few hold for a target. What they mean for the target is kept under
the hash of the wheel.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import packaging
from packaging.utils import canonicalize_name

from crossdeps.requirements.core_metadata import MetadataReader
from crossdeps.requirements.syntax import Markers, parse_marker, reads_unknowable
from crossdeps.text import is_http
from crossdeps.version import __version__

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.derived import DerivedCache
    from crossdeps.index.model import ProjectFile
    from crossdeps.target.model import Target

_KIND = "dependencies2"


class RequirementLine(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A Requires-Dist line.

    :param name: as written
    :param extras: as written, sorted
    :param specifier: as ``packaging`` writes it
    :param url: of a direct reference; empty if there is none
    :param holds: whether its marker is true for the target without an extra
    :param mentioned: the extras, normalised, with which the marker may have another value; None
        means any
    """

    name: str
    extras: tuple[str, ...]
    specifier: str
    url: str
    marker: str
    holds: bool
    mentioned: tuple[str, ...] | None = ()

    @property
    def text(self) -> str:
        """The requirement without its marker."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{f' @ {self.url}' if self.url else self.specifier}"


class ReleaseMetadata(msgspec.Struct, array_like=True, frozen=True):
    """The metadata of a version.

    :param requires_python: as written
    :param extras: Provides-Extra, normalised
    :param requires: in file order
    :param unknowable: requirements whose markers read what is unknown for another machine
    """

    requires_python: str | None
    extras: tuple[str, ...]
    requires: tuple[RequirementLine, ...]
    unknowable: tuple[str, ...]


# Created at import time: msgspec inspects a type when it first meets it, and two threads that have
# it inspect the same type at once crash the process.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ReleaseMetadata)


class ReleaseReader:
    """Reads metadata for one target. Thread-safe: its caches only grow."""

    def __init__(self, target: Target, derived: DerivedCache) -> None:
        self._derived = derived
        self._markers = Markers(target)
        self._reader = MetadataReader()
        self._lines: dict[int, tuple[Requirement, RequirementLine]] = {}
        environment = sorted((name, str(value)) for name, value in target.environment.items())
        self._key = repr((__version__, packaging.__version__, environment))

    def read_kept(self, file: ProjectFile) -> ReleaseMetadata | None:
        """The metadata of a wheel, if an earlier run has read it."""
        key = self._find_key(file)
        data = self._derived.read(_KIND, key) if key is not None else None
        if data is None:
            return None
        try:
            return _DECODER.decode(data)
        except msgspec.MsgspecError:
            return None

    def read(
        self,
        data: bytes,
        *,
        name: NormalizedName,
        version: Version,
        file: ProjectFile | None = None,
    ) -> ReleaseMetadata:
        """Read METADATA, and keep it.

        :param file: the wheel from which it is; None if it is not to be kept
        :raises UnusableMetadataError: if it cannot be parsed, or states another name or version
        """
        metadata = self._reader.read(data, name=name, version=version)
        read = ReleaseMetadata(
            metadata.requires_python,
            tuple(sorted(metadata.extras)),
            tuple(map(self._read_line, metadata.requires)),
            tuple(str(item) for item in metadata.requires if reads_unknowable(item.marker)),
        )
        key = self._find_key(file) if file is not None else None
        if key is not None:
            self._derived.write(_KIND, key, _ENCODER.encode(read))
        return read

    def _find_key(self, file: ProjectFile) -> str | None:
        """Everything that kept metadata depends on; None if no hash vouches for it."""
        digest = file.hashes.get("sha256", "")
        if not (is_http(file.url) and re.fullmatch(r"[0-9a-f]{64}", digest)):
            return None
        # An origin can vouch only for its own files.
        origin = file.url.split("/", 3)[:3]
        return f"{self._key} {origin} {file.filename} {digest}"

    def _read_line(self, item: Requirement) -> RequirementLine:
        # Lines with the same text are mostly the same object. It is kept with what was made of it:
        # another object would get its identity once it is gone.
        known = self._lines.get(id(item))
        if known is None:
            marker = str(item.marker) if item.marker is not None else ""
            line = RequirementLine(
                item.name,
                tuple(sorted(item.extras)),
                str(item.specifier),
                item.url or "",
                marker,
                self._markers.hold(item.marker),
                find_extras(marker),
            )
            known = self._lines[id(item)] = (item, line)
        return known[1]


def find_extras(marker: str) -> tuple[str, ...] | None:
    """The extras, normalised, with which a marker may have another value than without any.

    :param marker: as ``packaging`` writes it
    :returns: None if it can be any extra
    """
    variables = re.findall(r"\bextra\b", re.sub(r"\"[^\"]*\"|'[^']*'", "", marker))
    if not variables:
        return ()
    quoted = r"(?:\"([^\"]+)\"|'([^']+)')"
    found = re.findall(rf"\bextra [=!]= {quoted}|{quoted} [=!]= extra\b", marker)
    if len(found) != len(variables):
        return None
    return tuple(sorted({canonicalize_name("".join(texts)) for texts in found}))


class ExtraMarkers:
    """Evaluates the markers of lines with extras. Thread-safe: its cache only grows."""

    def __init__(self, markers: Markers) -> None:
        self._markers = markers
        self._known: dict[tuple[str, str], bool] = {}

    def hold(self, line: RequirementLine, extra: str) -> bool:
        """Whether the marker of *line* is true for the target and *extra*."""
        if not extra or (line.mentioned is not None and extra not in line.mentioned):
            return line.holds
        key = (line.marker, extra)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._markers.hold(parse_marker(line.marker), extra)
        return known
