"""What was chosen and what was passed over, with the reasons as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag
    from packaging.utils import BuildTag, NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.requirements.model import DirectSource, Origin, PreReleases, Requirement
    from crossdeps.target.model import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A file that fits the target.

    :param tag: the best of its tags, by the target's order
    :param tag_rank: the place of that tag; 0 is the best
    """

    name: NormalizedName
    version: Version
    file: ProjectFile
    tag: Tag
    tag_rank: int
    build: BuildTag = ()


RejectionReason = Literal[
    "sdist",  # a source distribution; detail: its suffix
    "not-a-distribution",  # neither wheel nor sdist; detail: what it is
    "bad-filename",  # not a valid wheel file name or version
    "other-project",  # a file of another project on the page
    "python-tag",  # for another Python; detail: its Python tags
    "abi-tag",  # for another ABI; detail: its ABI tags
    "platform-tag",  # for another platform; detail: its platform tags
    "glibc",  # right platform, but needs a newer C library; detail: MAJOR.MINOR
    "requires-python",  # detail: the specifier
    "yanked",  # detail: the reason given
    "hash",  # not among the hashes allowed
    "too-new",  # uploaded after --exclude-newer; detail: the time
    "no-upload-time",  # --exclude-newer was given, and the file has no time
    "pre-release",
    "specifier",  # the version isn't asked for; detail: the specifier
    "metadata",  # its metadata can't be read or contradicts the file name; detail: how
    "backtracked",  # fits alone, but not with what else is asked; detail: what stood against it
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """A file that doesn't fit, and why: the first check of the column that it failed.

    :param version: None where even the version couldn't be read
    """

    file: ProjectFile
    version: Version | None
    reason: RejectionReason
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What is allowed, beside the target.

    :param pre_releases: for all projects; *pre_releases_of* overrides it for single ones
    :param exclude_newer: files uploaded after this (aware) moment are left out
    :param allow_sdist: projects whose sdists may be built
    :param index_strategy: ``safe`` refuses a project that two indexes offer with different
        candidates; ``first`` takes the first index that knows the project
    :param no_deps: take exactly what is named
    :param require_hashes: everything must be pinned and hashed
    :param max_rounds: bound of the search
    """

    pre_releases: PreReleases = "if-necessary"
    pre_releases_of: Mapping[NormalizedName, PreReleases] = field(default_factory=dict)
    exclude_newer: datetime.datetime | None = None
    allow_sdist: frozenset[NormalizedName] = frozenset()
    index_strategy: Literal["safe", "first"] = "safe"
    no_deps: bool = False
    require_hashes: bool = False
    max_rounds: int = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class RequiredBy:
    """Who asked for a project.

    :param parent: None for the user, else the project and version that depends on it
    :param origin: where the user said so; None for a dependency
    :param text: the requirement as written
    """

    parent: NormalizedName | None
    parent_version: Version | None
    origin: Origin | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SkippedVersion:
    """A newer version than the chosen one, and the first reason why it wasn't taken.

    :param forced_by_target: whether another target would have had it
    """

    version: Version
    reason: RejectionReason
    detail: str
    forced_by_target: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The chosen version of one project.

    :param candidate: the wheel chosen on an index; None for a direct source
    :param source: where a direct requirement came from
    :param extras: those asked for, by anyone
    :param required_by: everyone who asked, sorted
    :param dependencies: normalised names of what it needs under the target's markers, sorted
    :param skipped_versions: newer versions, newest first
    :param rejections: all files of this project that didn't fit the target
    :param built: the wheel that a direct source or an allowed sdist was made into
    """

    name: NormalizedName
    version: Version
    candidate: Candidate | None
    source: DirectSource | None = None
    extras: frozenset[NormalizedName] = frozenset()
    required_by: tuple[RequiredBy, ...]
    dependencies: tuple[NormalizedName, ...]
    skipped_versions: tuple[SkippedVersion, ...] = ()
    rejections: Sequence[Rejection] = ()
    requires_python: str | None = None
    built: BuiltWheel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """The answer: one choice a project, sorted by name.

    :param warnings: what the user should know, one sentence each
    """

    target: Target
    requirements: tuple[Requirement, ...]
    choices: Mapping[NormalizedName, Choice]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedPackage:
    """One project of a lock, as the target takes it: exactly one of *file* and *source* is set.

    :param version: None where the lock doesn't say (directories and repositories may leave it out)
    :param file: the wheel to fetch, or the sdist to build; its ``url`` is a ``file:`` URL for a
        path of the lock
    :param source: a directory, repository or archive to build, or a wheel named by URL or path
    :param hashes: expected of what *source* names, as ``algorithm:hexdigest``; those of *file* are
        in its own field
    """

    name: NormalizedName
    version: Version | None
    file: ProjectFile | None = None
    source: DirectSource | None = None
    hashes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltWheel:
    """A wheel that a direct source or an allowed sdist was made into, already in the store.

    :param metadata: bytes of its METADATA
    :param sha256: hex digest of the wheel file
    :param source_hashes: hashes of the archive that it was built from, algorithm -> hex digest;
        empty where there was none (a directory, a repository)
    :param commit_id: the exact revision, where it came from a repository
    """

    name: NormalizedName
    version: Version
    filename: str
    metadata: bytes
    sha256: str
    source_hashes: Mapping[str, str] = field(default_factory=dict)
    commit_id: str | None = None


class Builder(Protocol):
    """What the resolver asks about requirements that no index page describes.

    The wheels room implements it: downloads of wheels that a requirement names by URL, and pip in
    a subprocess for directories, repositories, archives and allowed sdists.
    """

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        """Read or build the wheel of a requirement with a ``source``.

        :raises SdistBuildError: if the build fails or gives a native wheel
        :raises WheelError: if a named wheel breaks the rules
        """

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        """Build the wheel of an sdist from an index; asked only for projects allowed by name.

        :raises SdistBuildError: if the build fails or gives a native wheel
        """


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Dependency:
    """One requirement, its marker found true for the target.

    :param text: as written, for messages
    :param origin: where the user said so; None for a dependency
    :param pinned: whether it admits one version only
    :param bounded: whether it has an upper bound
    """

    name: NormalizedName
    specifier: SpecifierSet
    extras: frozenset[NormalizedName]
    text: str
    origin: Origin | None = None
    pinned: bool = False
    bounded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Unusable:
    """A version asks for something that can't be had, whatever else is chosen.

    :param name: the project whose version it is
    :param reason: as of a rejection
    :param detail: what is wrong, to be read after the version's name
    """

    name: NormalizedName
    version: Version
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pin:
    """A version of a project, with the extras that it was asked for.

    Extras belong to the pin: when another one is asked for later, the project is pinned anew with
    both, so that the versions of a project and of its extras can never differ.
    """

    name: NormalizedName
    version: Version
    extras: frozenset[NormalizedName]
    candidate: Candidate | None = None
    source: DirectSource | None = None
    built: BuiltWheel | None = None


def exact_version(specifier: SpecifierSet) -> Version | None:
    """The one version that ``==`` or ``===`` pins, or None where nothing is pinned.

    A wildcard such as ``==1.*`` pins nothing (version specifiers specification).
    """
    for clause in specifier:
        if clause.operator in ("==", "===") and not clause.version.endswith(".*"):
            try:
                return Version(clause.version)
            except InvalidVersion:
                return None
    return None


def is_bounded(specifier: SpecifierSet) -> bool:
    """Whether *specifier* has an upper bound."""
    return any(clause.operator in ("<", "<=", "~=", "==", "===") for clause in specifier)
