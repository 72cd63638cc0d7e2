"""What is asked: requirements, each with its origin, and the options that came with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Origin:
    """Where something was said.

    :param file: path or URL as the user would recognise it; ``-`` is standard input; None is the
        command line or a library call
    :param line: 1-based line number
    :param note: what else helps to find it, such as a table of a TOML file
    """

    file: str | None = None
    line: int | None = None
    note: str | None = None

    def __str__(self) -> str:
        place = self.file or "command line"
        if self.file == "-":
            place = "standard input"
        if self.line is not None:
            place = f"{place}:{self.line}"
        return f"{place} ({self.note})" if self.note else place


SourceKind = Literal["wheel", "archive", "directory", "vcs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectSource:
    """Where a requirement that isn't looked up on an index comes from.

    :param kind: a built wheel, a source archive, a local directory, or a repository
    :param location: absolute path for local things, else URL (``git+https://...@rev`` for vcs)
    :param editable: asked for with ``-e``; the content is packaged all the same
    :param subdirectory: where in the archive or repository the project lies
    """

    kind: SourceKind
    location: str
    editable: bool = False
    subdirectory: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether *location* is a path of this machine."""
        return "://" not in self.location


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """One thing asked for.

    :param name: normalised project name; ``""`` only for a direct source whose name is known once
        it is read (a directory, a repository)
    :param extras: normalised extra names
    :param specifier: version specifiers; empty accepts every version
    :param marker: environment marker, evaluated for the target, never for the host
    :param source: set where the requirement names its file, directory or repository itself
    :param hashes: accepted hashes as ``algorithm:hexdigest``; empty where none were given
    :param text: as the user wrote it, for messages (credentials removed)
    """

    name: NormalizedName
    extras: frozenset[NormalizedName] = frozenset()
    specifier: SpecifierSet
    marker: Marker | None = None
    source: DirectSource | None = None
    hashes: frozenset[str] = frozenset()
    origin: Origin
    text: str


PreReleases = Literal["if-necessary", "allow", "disallow"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileOptions:
    """Options that stand in requirements files, or are merged from the command line.

    None and empty mean "not said".

    :param only_binary: project names, or ``:all:``; the latest word on a name is the one kept
    :param no_binary: the same, for projects whose wheels aren't wanted
    :param all_releases: projects (or ``:all:``) whose pre-releases are allowed
    :param only_final: projects (or ``:all:``) whose pre-releases are not
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    pre: bool = False
    require_hashes: bool = False
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    all_releases: tuple[str, ...] = ()
    only_final: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Everything asked for, from every file and argument, in the order of reading.

    :param requirements: what must be in the package
    :param constraints: limits on what is there anyway
    :param overrides: replace every other requirement on the same project
    :param options: options found in the files
    :param files: every file that was read, for "did anything change?"
    :param warnings: what the user should know, one sentence each
    """

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    overrides: tuple[Requirement, ...] = ()
    options: FileOptions = field(default_factory=FileOptions)
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class InputRequest:
    """What to gather, as the user named it.

    :param requirements: given one by one: specifiers, URLs, paths
    :param requirement_files: requirements.txt or pyproject.toml; ``-`` is standard input
    :param constraint_files: requirements files whose entries only limit
    :param override_files: requirements files whose entries replace all others on their project
    :param extras: of every pyproject.toml among the files
    :param groups: dependency groups (PEP 735), ``NAME`` or ``FILE:NAME``
    """

    requirements: tuple[str, ...] = ()
    requirement_files: tuple[str, ...] = ()
    constraint_files: tuple[str, ...] = ()
    override_files: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
