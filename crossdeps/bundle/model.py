"""The artifact as a sorted list of entries: planned and not yet written, or read; and its layout.

Patterns are those of gitignore. pathspec matches them, as in black, hatch and DVC: there are many
rules about slashes, ``**``, negation and escapes, and users notice every difference from git's.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName
    from pathspec import GitIgnoreSpec

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Member, Wheel


class WheelContent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The bytes of a member of a verified wheel."""

    wheel: Wheel
    member: Member


class InlineContent(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that crossdeps writes itself: a launcher, an INSTALLER, a RECORD."""

    data: bytes


class FileContent(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a file on disk: the user's source, or an artifact that was read."""

    file: Path


class ArchiveContent(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a member of a zip that was read.

    :param name: the member's name in the archive
    :param offset: of the first byte of its data; -1 if only ``zipfile`` can read it
    :param compressed_size: bytes
    :param size: bytes, inflated
    :param method: 0 stored, 8 deflated
    """

    archive: Path
    name: str
    offset: int = -1
    compressed_size: int = 0
    size: int = 0
    method: int = 0
    crc32: int = 0


Content = WheelContent | InlineContent | FileContent | ArchiveContent


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One file of the artifact.

    :param path: POSIX path relative to the artifact's root, prefix included
    :param mode: 0o644 or 0o755 in what we write; as found in what we read
    :param size: bytes, inflated
    :param sha256: hex digest of the inflated bytes; empty if it isn't known yet
    :param owner: normalised project name; None for the user's source and for files that belong to
        no project
    :param binary: facts, if it is a native binary
    """

    path: str
    mode: int
    size: int
    sha256: str
    content: Content
    owner: NormalizedName | None
    binary: BinaryFacts | None = None


class InstalledProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project in the bundle, as its metadata describes it.

    :param dist_info: path of its .dist-info directory in the bundle, prefix included
    :param wheel_tags: the Tag lines of its WHEEL file
    :param requires: Requires-Dist lines as written
    :param size: bytes of all its entries, inflated
    :param compressed: bytes of all its entries in a zip; 0 if it isn't known
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


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """The artifact.

    :param entries: sorted by path, which is unique
    :param prefix: where packages are: ``""``, ``python/`` or
        ``python/lib/python3.12/site-packages/``
    :param projects: sorted by name
    :param removed: what was excluded: (rule, owner, bytes)
    :param warnings: what the user should know, one sentence each
    :param notes: what was decided for the user, one sentence each
    :param source_left_out: of the user's source, what isn't meant for deployment: (reason, path)
    :param wheels: of what is planned, the wheel of each project, with all that is known of it
    :param path: where it was read, as the user wrote it; empty if it is planned
    :param closed_folders: paths and modes of folders that not everyone can list and search
    """

    kind: BundleKind
    entries: tuple[Entry, ...]
    prefix: str = ""
    projects: tuple[InstalledProject, ...] = ()
    removed: tuple[tuple[str, str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source_left_out: tuple[tuple[str, str], ...] = ()
    wheels: Mapping[NormalizedName, Wheel] = msgspec.field(default_factory=dict)
    path: str = ""
    closed_folders: tuple[tuple[str, int], ...] = ()

    @property
    def size(self) -> int:
        """Bytes, inflated."""
        return sum(entry.size for entry in self.entries)


def read_project(dist_info: str, metadata: bytes, wheel_tags: Iterable[str]) -> InstalledProject:
    """Read the project of a .dist-info directory; if need be, its name is used.

    :param dist_info: path of the directory
    :param metadata: bytes of METADATA; empty if it is missing
    :param wheel_tags: the Tag lines of WHEEL
    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - a layout needs neither

    from crossdeps.requirements.core_metadata import Headers  # noqa: PLC0415 - as above

    stem = posixpath.basename(dist_info).removesuffix(".dist-info")
    name, _, version = stem.partition("-")
    headers = Headers(metadata)
    return InstalledProject(
        name=canonicalize_name(headers.get("Name") or name),
        version=headers.get("Version") or version,
        dist_info=dist_info,
        wheel_tags=tuple(sorted(set(wheel_tags))),
        requires=headers.get_all("Requires-Dist"),
        requires_python=headers.get("Requires-Python") or None,
        provides_extras=headers.get_all("Provides-Extra"),
    )


def add_sizes(
    projects: Iterable[InstalledProject],
    entries: Iterable[Entry],
    compressed_size: Callable[[Entry], int],
) -> tuple[InstalledProject, ...]:
    """Return *projects* with the sizes of their *entries*, in addition to those they have."""
    sizes: dict[NormalizedName | None, int] = defaultdict(int)
    compressed: dict[NormalizedName | None, int] = defaultdict(int)
    for entry in entries:
        sizes[entry.owner] += entry.size
        compressed[entry.owner] += compressed_size(entry)
    return tuple(
        msgspec.structs.replace(
            project,
            size=project.size + sizes[project.name],
            compressed=project.compressed + compressed[project.name],
        )
        for project in projects
    )


def compile_globs(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a predicate on POSIX paths: whether any of *patterns* matches.

    :raises UsageError: if a pattern is invalid
    """
    if not patterns:
        return lambda _: False
    return parse_patterns(patterns).match_file


def parse_patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    """Parse the patterns of a gitignore file.

    :raises UsageError: if a pattern is invalid
    """
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - slow to load, for patterns only

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(
            f"invalid pattern: {error}",
            hint="use gitignore patterns, such as tests/, *.pyi or pkg/data/**",
        ) from error


# Of a layer, for one Python each; a pattern.
VERSIONED_ROOT = r"python/lib/python(3\.\d+)/site-packages/"


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of the artifact.

    Patterns apply to paths relative to *prefix*; an included path is never excluded.

    :param prefix: where packages are: ``""`` for a function, ``python/`` or
        ``python/lib/python3.X/site-packages/`` for a layer
    :param scripts: whether console scripts go to ``bin/``; None excludes them from zips and layers,
        from which no hosted runtime starts programs
    :param sources: the user's directories (their contents) and files, put next to the packages
    :param exclude: patterns of excluded paths, of packages and sources
    :param include: patterns of included paths
    :param slim: whether tests, stubs, native sources and documents of packages are excluded
    :param excluded_projects: projects that are excluded completely
    :param output: the path of the artifact, which is never part of itself
    """

    kind: Literal["directory", "zip"] = "directory"
    prefix: str = ""
    scripts: bool | None = None
    sources: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    slim: bool = False
    excluded_projects: tuple[NormalizedName, ...] = ()
    output: Path | None = None

    @property
    def has_scripts(self) -> bool:
        """Whether console scripts are included."""
        if self.scripts is None:
            return self.kind == "directory" and not self.prefix
        return self.scripts

    def check(self, target: Target) -> None:
        """Check that a runtime of *target* imports from the prefix.

        :raises UsageError: if it doesn't
        """
        major, minor = target.python_version
        valid = ("", "python/", layer_prefix(target, versioned=True))
        if self.prefix not in valid:
            versioned = re.fullmatch(VERSIONED_ROOT, self.prefix)
            problem = (
                f"is for Python {versioned[1]}, but the target is {major}.{minor}"
                if versioned
                else "isn't one that a hosted runtime imports from"
            )
            raise UsageError(
                f"the prefix {self.prefix!r} {problem}", hint=f"use {' or '.join(valid[1:])}"
            )


def layer_prefix(target: Target, *, versioned: bool = False) -> str:
    """Return the directory of a Lambda layer that is on ``sys.path`` of *target*.

    Source: the AWS Lambda developer guide, "Layer paths for each Lambda runtime".
    """
    major, minor = target.python_version
    return f"python/lib/python{major}.{minor}/site-packages/" if versioned else "python/"


def import_roots(prefix: str, python: tuple[int, int]) -> tuple[str, ...]:
    """Return the directories of an artifact that are on ``sys.path``, in order; a layer has two.

    :param prefix: where its packages are
    :param python: (major, minor)
    """
    if not prefix:
        return ("",)
    major, minor = python
    return f"python/lib/python{major}.{minor}/site-packages/", "python/"
