"""Requirements, each with its origin, and the options that files specify with them."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.errors import InputError
from crossdeps.text import escape, first_lines, redact, redact_urls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName


PROJECT_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
"""Pattern of names of projects and extras (names and normalization specification)."""

_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_WEAK = frozenset({"md5", "sha1", "sha224"})
_MAX_SHOWN = 50  # a file of another format has a problem on every line


class Origin(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Where something was specified.

    :param file: path or URL as the user would recognise it; ``-`` is standard input; None is the
        command line or a library call
    :param line: 1-based line number
    :param note: what else helps to find it, such as a table of a TOML file
    """

    file: str | None = None
    line: int | None = None
    note: str | None = None

    def __str__(self) -> str:
        location = "standard input" if self.file == "-" else self.file or "command line"
        if self.line is not None:
            location = f"{location}:{self.line}"
        return f"{location} ({self.note})" if self.note else location


SourceKind = Literal["wheel", "archive", "directory", "vcs"]


class DirectSource(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a requirement that is not searched on an index.

    :param kind: a built wheel, a source archive, a local directory, or a repository
    :param location: absolute path for local things, else URL (``git+https://...@rev`` for vcs)
    :param editable: specified with ``-e``; the content is packaged all the same
    :param subdirectory: path of the project in the archive or repository
    """

    kind: SourceKind
    location: str
    editable: bool = False
    subdirectory: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether *location* is a local path."""
        return "://" not in self.location

    def __repr__(self) -> str:  # without credentials
        return f"DirectSource(kind={self.kind!r}, location={redact(self.location)!r})"


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement.

    :param name: normalised project name; ``""`` only for a direct source whose name is known
        after it is read (a directory, a repository)
    :param extras: normalised extra names
    :param specifier: version specifiers; empty accepts every version
    :param marker: environment marker, evaluated for the target, never for the host
    :param source: set if the requirement names its file, directory or repository itself
    :param hashes: accepted hashes as ``algorithm:hexdigest``; empty if none were specified
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


class FileOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of requirements files, or merged from the command line.

    None and empty mean that the option was not specified.

    :param only_binary: project names, or ``:all:``; the last option on a name wins
    :param no_binary: the same, for projects whose wheels are not used
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

    def __repr__(self) -> str:
        """Show what was specified, without the credentials of URLs."""
        values = [(name, getattr(self, name)) for name in self.__struct_fields__]
        shown = ", ".join(f"{name}={value!r}" for name, value in values if value)
        return redact_urls(f"FileOptions({shown})")


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All requirements and options, from every file and argument, in the order of reading.

    :param requirements: what must be in the package
    :param constraints: limits on versions, which add nothing to the package
    :param overrides: replace every other requirement on the same project
    :param options: options found in the files
    :param files: path of every file that was read, with the SHA-256 of its content, to detect
        changes; ``-`` is standard input
    :param absent: paths in these files that would be used if they existed
    :param warnings: one sentence each
    :param requires_python: of the projects whose dependencies are required, and where it is written
    """

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    overrides: tuple[Requirement, ...] = ()
    options: FileOptions = FileOptions()
    files: Mapping[str, str] = msgspec.field(default_factory=dict)
    absent: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    requires_python: tuple[tuple[str, Origin], ...] = ()

    @property
    def unconditional_projects(self) -> tuple[NormalizedName, ...]:
        """Projects that are required from an index for every target, sorted."""
        others = {item.name for item in self.overrides}
        others.update(item.name for item in self.requirements if item.source)
        names = {item.name for item in self.requirements if item.marker is None}
        return tuple(sorted(names - others))


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements as the user specified them: single ones, and files that list them.

    :param requirements: specifiers, URLs and paths
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


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One error in the input.

    :param message: as in :class:`~crossdeps.errors.CrossdepsError`
    :param hint: as in :class:`~crossdeps.errors.CrossdepsError`
    :param line: the line as written; None if that does not help
    """

    origin: Origin
    message: str
    hint: str | None = None
    line: str | None = None


class Problems:
    """Collects errors, and raises one :class:`InputError` for all of them."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, error: InputError, origin: Origin, line: str | None = None) -> None:
        """Add *error*, which was found at *origin*."""
        self._found.append(
            Problem(origin=origin, message=error.message, hint=error.hint, line=line)
        )

    @contextlib.contextmanager
    def collect(self, origin: Origin, line: str | None = None) -> Iterator[None]:
        """Add the :class:`InputError` that the block raises, and continue after the block."""
        try:
            yield
        except InputError as error:
            self.add(error, origin, line)

    def check(self) -> None:
        """Raise what was collected, if anything.

        :raises InputError: one problem: its message, with the line in the context; several: one
            line of context for each
        """
        if not self._found:
            return
        first = self._found[0]
        if len(self._found) == 1:
            line = "" if first.line is None else f": {escape(first.line)}"
            raise InputError(first.message, context=(f"{first.origin}{line}",), hint=first.hint)
        hints = {problem.hint for problem in self._found}
        same = len(hints) == 1
        raise InputError(
            f"{len(self._found)} lines are not valid",
            context=self._lines(with_hints=not same),
            hint=hints.pop() if same else "correct each of these lines",
        )

    def _lines(self, *, with_hints: bool) -> tuple[str, ...]:
        lines = []
        for problem in self._found:
            advice = f" ({problem.hint})" if with_hints and problem.hint else ""
            lines.append(f"{problem.origin}: {problem.message}{advice}")
        return first_lines(lines, _MAX_SHOWN)


def is_project_name(text: str) -> bool:
    """Whether *text* is a valid name of a project or an extra."""
    return re.fullmatch(PROJECT_NAME, text) is not None


def is_hash_name(text: str) -> bool:
    """Whether *text* is the name of a hash algorithm, strong or weak."""
    return text in _DIGEST_LENGTHS or text in _WEAK


def parse_hash(text: str) -> str:
    """Return ``algorithm:hexdigest`` in lower case.

    Accepted as pip does in hash-checking mode: SHA-256, SHA-384 and SHA-512.

    :raises InputError: if it is malformed, or its algorithm is weak or unknown
    """
    algorithm, colon, digest = text.partition(":")
    algorithm = algorithm.strip().lower()
    if not colon:
        raise InputError(
            "a hash must have the form algorithm:hexdigest", hint="such as sha256:2cf24dba5fb0a30e…"
        )
    if algorithm in _WEAK:
        raise InputError(
            f"{algorithm} is too weak to verify a file", hint="give its SHA-256: sha256:…"
        )
    length = _DIGEST_LENGTHS.get(algorithm)
    if length is None:
        raise InputError(
            f"unknown hash algorithm {algorithm[:20]!a}",
            hint=f"supported algorithms are {', '.join(_DIGEST_LENGTHS)}",
        )
    if len(digest) != length or not re.fullmatch("[0-9a-fA-F]*", digest):
        raise InputError(
            f"a {algorithm} hash must have {length} hexadecimal digits",
            hint="copy it again: it may be truncated",
        )
    return f"{algorithm}:{digest.lower()}"


def combine_hashes(given: frozenset[str], in_url: str | None) -> frozenset[str]:
    """Return the hashes that satisfy both the ``--hash`` options and the URL's own hash.

    :raises InputError: if there are none
    """
    if in_url is None:
        return given
    if given and in_url not in given:
        raise InputError(
            "the hash in the URL is not among those given by --hash", hint="remove one of them"
        )
    return frozenset({in_url})
