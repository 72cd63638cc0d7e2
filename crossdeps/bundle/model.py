"""The artifact as a sorted list of entries, before anything is written or after it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.wheels.model import Member, Wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelContent:
    """The bytes of a member of a verified wheel."""

    wheel: Wheel
    member: Member


@dataclass(frozen=True, kw_only=True, slots=True)
class InlineContent:
    """Bytes made here: a launcher, an INSTALLER, a RECORD."""

    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class FileContent:
    """The bytes of a file on disk: the user's source, or an artifact that was read."""

    file: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveContent:
    """The bytes of a member of a zip that was read.

    :param name: the member's name in the archive
    """

    archive: Path
    name: str


Content = WheelContent | InlineContent | FileContent | ArchiveContent


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file of the artifact.

    :param path: POSIX path relative to the artifact's root, prefix included
    :param mode: 0o644 or 0o755 in what we write; as found in what we read
    :param size: bytes, inflated
    :param sha256: hex digest of the inflated bytes; empty where it isn't known yet
    :param owner: normalised project name; None for the user's source and for files that no
        project claims
    :param binary: facts, if it is a native binary
    """

    path: str
    mode: int
    size: int
    sha256: str
    content: Content
    owner: NormalizedName | None
    binary: BinaryFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledProject:
    """A project in the bundle, as its own metadata tells.

    :param dist_info: path of its .dist-info directory in the bundle, prefix included
    :param wheel_tags: the Tag lines of its WHEEL file
    :param requires: Requires-Dist lines as written
    :param size: bytes of all its entries, inflated
    :param compressed: bytes of all its entries in a zip; 0 where it isn't known
    """

    name: NormalizedName
    version: str
    dist_info: str
    wheel_tags: tuple[str, ...]
    requires: tuple[str, ...]
    requires_python: str | None
    provides_extras: tuple[str, ...] = ()
    size: int = 0
    compressed: int = 0


BundleKind = Literal["planned", "directory", "zip"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """The artifact.

    :param entries: sorted by path, no two alike
    :param prefix: where packages lie, ``""`` or ``python/`` or
        ``python/lib/python3.12/site-packages/``
    :param projects: sorted by name
    :param removed: what trimming left out: (rule, owner, bytes)
    :param warnings: what the user should know, one sentence each
    :param notes: what was decided for the user, one sentence each
    """

    kind: BundleKind
    entries: tuple[Entry, ...]
    prefix: str = ""
    projects: tuple[InstalledProject, ...] = ()
    removed: tuple[tuple[str, str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes, inflated."""
        return sum(entry.size for entry in self.entries)
