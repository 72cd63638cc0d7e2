"""What the resolver takes and gives: policy, candidates, dependencies, pins and the resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Mapping

    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag
    from packaging.utils import BuildTag, NormalizedName
    from packaging.version import Version

    from crossdeps.index.model import ProjectFile
    from crossdeps.requirements.model import DirectSource, Origin, PreReleases, Requirement
    from crossdeps.resolution.rejections import Reason, SkippedVersion
    from crossdeps.target.model import Target


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A file that fits the target.

    :param tag: the best of its tags, by the target's order
    :param tag_rank: its position in that order; 0 is the best
    """

    name: NormalizedName
    version: Version
    file: ProjectFile
    tag: Tag
    tag_rank: int
    build: BuildTag = ()

    @property
    def is_wheel(self) -> bool:
        """Whether the file is a wheel; else it is an sdist that may be built."""
        return self.file.filename.endswith(".whl")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which files and versions may be chosen, besides what the target accepts.

    :param pre_releases: for all projects; *pre_releases_of* overrides it for single ones
    :param exclude_newer: files uploaded after this (aware) moment are left out
    :param allow_sdist: projects whose sdists may be built
    :param index_strategy: ``safe`` refuses a project that two indexes offer with different
        candidates; ``first`` takes the first index that knows the project
    :param no_deps: ignore dependencies: choose only what the user requires
    :param require_hashes: every requirement must have a pin and a hash
    :param max_rounds: limit of the search
    """

    pre_releases: PreReleases = "if-necessary"
    pre_releases_of: Mapping[NormalizedName, PreReleases] = msgspec.field(default_factory=dict)
    exclude_newer: datetime.datetime | None = None
    allow_sdist: frozenset[NormalizedName] = frozenset()
    index_strategy: Literal["safe", "first"] = "safe"
    no_deps: bool = False
    require_hashes: bool = False
    max_rounds: int = 20_000


class RequiredBy(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement on a project, with the dependent that has it.

    :param parent: the project that depends on it; None for a requirement of the user
    :param origin: where the user's requirement was read; None for a dependency
    :param text: the requirement as written
    """

    parent: NormalizedName | None
    parent_version: Version | None
    origin: Origin | None
    text: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The chosen version of one project.

    :param candidate: the file chosen on an index; None for a direct source
    :param extras: all that some requirement on it names
    :param required_by: sorted by dependent
    :param dependencies: normalised names of its dependencies for the target, sorted
    :param skipped_versions: newer versions, newest first
    :param built: the wheel built from a direct source or an allowed sdist
    """

    name: NormalizedName
    version: Version
    candidate: Candidate | None
    source: DirectSource | None = None
    extras: frozenset[NormalizedName] = frozenset()
    required_by: tuple[RequiredBy, ...]
    dependencies: tuple[NormalizedName, ...]
    skipped_versions: tuple[SkippedVersion, ...] = ()
    requires_python: str | None = None
    built: BuiltWheel | None = None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """The result: one choice for each project, sorted by name.

    :param warnings: one sentence each
    """

    target: Target
    requirements: tuple[Requirement, ...]
    choices: Mapping[NormalizedName, Choice]
    warnings: tuple[str, ...] = ()


class SelectedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package of a lock, selected for the target: exactly one of *file* and *source* is set.

    :param version: None where the lock omits it, as it may for directories and repositories
    :param file: the wheel to fetch, or the sdist to build; its ``url`` is a ``file:`` URL for a
        path in the lock
    :param source: a directory, repository or archive to build, or a wheel given by URL or path
    :param hashes: expected of *source*, as ``algorithm:hexdigest``; *file* has its own
    :param size: bytes of the file that *source* names, if the lock states them
    :param direct_url: content of the direct_url.json of a *source* that is not of this machine
    """

    name: NormalizedName
    version: Version | None
    file: ProjectFile | None = None
    source: DirectSource | None = None
    hashes: frozenset[str] = frozenset()
    size: int | None = None
    direct_url: bytes = b""

    @property
    def stated_size(self) -> int | None:
        """Bytes of the file, as the lock states them."""
        return self.size if self.file is None else self.file.size


class BuiltWheel(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel built from a direct source or an allowed sdist, already in the store.

    It may also be one that was not built yet, since its metadata could be read from its source.

    :param filename: empty without a wheel
    :param metadata: bytes of its METADATA
    :param sha256: hex digest of the wheel file; empty without a wheel
    :param source_hashes: hashes of the archive that it was built from, algorithm -> hex digest;
        empty for a directory or a repository
    :param source_size: bytes of that archive
    :param commit_id: the exact revision of a repository
    """

    name: NormalizedName
    version: Version
    filename: str = ""
    metadata: bytes
    sha256: str = ""
    source_hashes: Mapping[str, str] = msgspec.field(default_factory=dict)
    source_size: int | None = None
    commit_id: str | None = None


class Builder(Protocol):
    """Provides the wheels of requirements that no index page describes.

    Implemented by the wheels room: it downloads wheels given by URL, and runs pip in a subprocess
    for directories, repositories, archives and allowed sdists.
    """

    def read_source(self, requirement: Requirement) -> BuiltWheel:
        """Read the metadata of a requirement with a ``source``, and build it only if it must be.

        :raises CrossdepsError: as :meth:`from_source`
        """

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        """Read or build the wheel of a requirement with a ``source``.

        :raises SdistBuildError: if the build fails or gives a native wheel
        :raises WheelError: if a wheel given by URL or path is invalid
        """

    def read_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        """Read the metadata of an sdist from an index; only for projects allowed by name.

        :raises CrossdepsError: as :meth:`from_sdist`
        """

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        """Build the wheel of an sdist from an index; only for projects allowed by name.

        :raises SdistBuildError: if the build fails or gives a native wheel
        """


class Dependency(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A requirement on a project, of the user or of another project, that holds for the target.

    :param text: as written, for messages
    :param origin: where the user's requirement was read; None for another project's
    :param pinned: whether it admits a single version
    :param bounded: whether it has an upper bound
    """

    name: NormalizedName
    specifier: SpecifierSet
    extras: frozenset[NormalizedName]
    text: str
    origin: Origin | None = None
    pinned: bool = False
    bounded: bool = False


class Unusable(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A version whose metadata rules it out, whatever else is chosen.

    It takes the place of the version's dependencies.

    :param name: the project of the version
    """

    name: NormalizedName
    version: Version
    reason: Reason
    detail: str


class Pin(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A version of a project with extras.

    Extras belong to the pin: when a later dependency names another one, the project is pinned again
    with both, so that a project and its extras never differ in version.
    """

    name: NormalizedName
    version: Version
    extras: frozenset[NormalizedName]
    candidate: Candidate | None = None
    source: DirectSource | None = None
    built: BuiltWheel | None = None


class PinObserver(Protocol):
    """Is told of the pins of a search while it goes on."""

    def pinned(self, pin: Pin) -> None:
        """Called for each pin, which replaces an earlier one of its project."""

    def kept(self, pins: Iterable[Pin]) -> None:
        """Called after backtracking, with all pins that are left, and at the end of a search."""


def exact_version(specifier: SpecifierSet) -> Version | None:
    """The version that ``==`` or ``===`` pins, or None.

    A wildcard such as ``==1.*`` pins nothing (version specifiers specification).
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - a policy needs neither

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
