"""The artifact as a sorted list of entries, before anything is written or after it was read.

pathspec is the library that black, hatch and DVC match gitignore patterns with: the rules about
slashes, ``**``, negation and escapes are many, and users notice each that differs from git's.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from crossdeps.errors import UsageError
from crossdeps.requirements.core_metadata import Headers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName
    from pathspec import GitIgnoreSpec

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.target.model import Target
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
    headers = Headers(metadata or b"")
    return InstalledProject(
        name=canonicalize_name(headers.get("Name") or name),
        version=headers.get("Version") or version,
        dist_info=dist_info,
        wheel_tags=tuple(sorted(set(Headers(wheel or b"").get_all("Tag")))),
        requires=headers.get_all("Requires-Dist"),
        requires_python=headers.get("Requires-Python") or None,
        provides_extras=headers.get_all("Provides-Extra"),
    )


def compile_globs(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A predicate on POSIX paths, true where any of *patterns* matches.

    :raises UsageError: if a pattern can't be understood
    """
    if not patterns:
        return lambda _: False
    return parse_patterns(patterns).match_file


def parse_patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    """The patterns of a gitignore file.

    :raises UsageError: if a pattern can't be understood
    """
    from pathspec import GitIgnoreSpec  # noqa: PLC0415

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(
            f"a glob can't be understood: {error}",
            hint="patterns are those of gitignore, such as tests/, *.pyi or pkg/data/**",
        ) from error


_VERSIONED = re.compile(r"python/lib/python(3\.\d+)/site-packages/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The shape of the artifact.

    Globs are gitignore patterns on paths relative to *prefix*; an included path is kept whatever
    else would leave it out.

    :param prefix: where packages lie: ``""`` for a function, ``python/`` or
        ``python/lib/python3.X/site-packages/`` for a layer
    :param scripts: whether console scripts go to ``bin/``; None leaves them out of zips and layers,
        which no hosted runtime starts programs from
    :param sources: the user's own directories (their contents) and files, put next to the packages
    :param exclude: globs left out, of packages and sources alike
    :param include: globs kept
    :param slim: whether tests, stubs, native sources and documents of packages are left out
    :param excluded_projects: projects left out wholly
    :param output: where the artifact will be, which is never part of itself
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
        """Whether console scripts are laid out."""
        if self.scripts is None:
            return self.kind == "directory" and not self.prefix
        return self.scripts

    def check(self, target: Target) -> None:
        """Check that the prefix is one, and fits *target*.

        :raises UsageError: if it doesn't
        """
        major, minor = target.python_version
        fitting = ("", "python/", layer_prefix(target, versioned=True))
        if self.prefix not in fitting:
            versioned = _VERSIONED.fullmatch(self.prefix)
            reason = (
                f"is for Python {versioned[1]}, the target is {major}.{minor}"
                if versioned
                else "isn't one that a hosted runtime looks in"
            )
            raise UsageError(
                f"the prefix {self.prefix!r} {reason}", hint=f"one of {', '.join(fitting[1:])}"
            )


def layer_prefix(target: Target, *, versioned: bool = False) -> str:
    """The folder of a Lambda layer that is on ``sys.path`` of *target*.

    Source: the AWS Lambda developer guide, "Layer paths for each Lambda runtime".
    """
    major, minor = target.python_version
    return f"python/lib/python{major}.{minor}/site-packages/" if versioned else "python/"
