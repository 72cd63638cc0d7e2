"""What a file of a project must satisfy: the tags of the target, its Python and the user's rules.

A project's page may list thousands of files with a few dozen different tag sets, so each set is
matched once for a target and remembered.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import InvalidTag, Tag, parse_tag
from packaging.version import Version

from crossdeps.resolution.rejections import Mismatch, Reason

if TYPE_CHECKING:
    from crossdeps.index.model import ProjectFile
    from crossdeps.target.model import Target

# PEP 600; the aliases are those of PEP 513, 571 and 599.
_MANYLINUX = re.compile(r"manylinux(?:_(\d+)_(\d+)|(1|2010|2014))_(.+)")
_ALIASES = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}
_MUSLLINUX = re.compile(r"musllinux_(\d+)_(\d+)_(.+)")  # PEP 656


def parse_manylinux(platform: str) -> tuple[tuple[int, int], str] | None:
    """The glibc that a manylinux platform tag requires, and its architecture; else None."""
    match = _MANYLINUX.fullmatch(platform)
    if match is None:
        return None
    return _ALIASES[match[3]] if match[3] else (int(match[1]), int(match[2])), match[4]


def parse_musllinux(platform: str) -> tuple[tuple[int, int], str] | None:
    """The musl that a musllinux platform tag requires, and its architecture; else None."""
    match = _MUSLLINUX.fullmatch(platform)
    return ((int(match[1]), int(match[2])), match[3]) if match else None


_Parser = Callable[[str], tuple[tuple[int, int], str] | None]
_LIBCS: dict[str, tuple[Reason, _Parser]] = {
    "glibc": (Reason.GLIBC, parse_manylinux),
    "musl": (Reason.MUSL, parse_musllinux),
}


def wheel_tags(filename: str) -> str:
    """The compressed tag set of a wheel's file name; empty where it has none."""
    parts = filename.removesuffix(".whl").rsplit("-", 3)
    return "-".join(parts[1:]) if len(parts) == 4 and filename.endswith(".whl") else ""


class TagMatch(msgspec.Struct, frozen=True):
    """The best tag of a compressed tag set that the target accepts.

    :param rank: its position in the target's order; 0 is the best
    """

    tag: Tag
    rank: int


class TagMatcher:
    """Matches compressed tag sets (platform compatibility tags specification) with one target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._ranks = target.tag_ranks
        self._pythons = {tag.interpreter for tag in target.tags if tag.abi != "abi3"}
        self._pairs = {(tag.interpreter, tag.abi) for tag in target.tags}
        self._known: dict[str, TagMatch | Mismatch] = {}

    @property
    def worst(self) -> int:
        """A rank behind that of every tag."""
        return len(self._ranks)

    def match(self, text: str) -> TagMatch | Mismatch:
        """Match a set such as ``cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64``."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._match(text)
        return known

    def _match(self, text: str) -> TagMatch | Mismatch:
        try:
            tags = parse_tag(text)
        except (InvalidTag, ValueError):
            return Mismatch(Reason.BAD_FILENAME, f"tags {text!r}")
        accepted = [(rank, tag) for tag in tags if (rank := self._ranks.get(tag)) is not None]
        if accepted:
            rank, tag = min(accepted, key=lambda pair: pair[0])
            return TagMatch(tag, rank)
        return self._find_mismatch(text.lower(), tags)

    def _find_mismatch(self, text: str, tags: frozenset[Tag]) -> Mismatch:
        """Blame the platform where Python and ABI fit, then the ABI where Python fits."""
        pythons, abis, platforms = text.split("-")
        near = [tag for tag in tags if (tag.interpreter, tag.abi) in self._pairs]
        if near:
            return self._find_libc(near) or Mismatch(Reason.PLATFORM_TAG, platforms)
        if self._target.free_threaded and any(tag.interpreter.startswith("cp3") for tag in tags):
            return Mismatch(Reason.FREE_THREADED, "{}.{}".format(*self._target.python_version))
        if any(self._accepts_python(tag) for tag in tags):
            return Mismatch(Reason.ABI_TAG, abis)
        return Mismatch(Reason.PYTHON_TAG, pythons)

    def _find_libc(self, tags: Iterable[Tag]) -> Mismatch | None:
        """The C library that a Linux of the target's architecture would need; None for others."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for tag in tags:
            for kind, (_, parse) in _LIBCS.items():
                if (parsed := parse(tag.platform)) and parsed[1] == self._target.arch:
                    found[kind].append(parsed[0])
        own = self._target.libc.kind
        for kind in sorted(found, key=lambda kind: kind != own):
            version = "{}.{}".format(*min(found[kind]))
            if kind == own:
                return Mismatch(_LIBCS[kind][0], version)
            return Mismatch(Reason.LIBC, f"{kind} {version}")
        return None

    def _accepts_python(self, tag: Tag) -> bool:
        """Whether the target has the interpreter of *tag*, whatever its ABI."""
        if tag.interpreter in self._pythons:
            return True
        match = re.fullmatch(r"cp3(\d+)", tag.interpreter)
        return bool(match and tag.abi == "abi3" and int(match[1]) <= self._target.python_version[1])


class FileRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of one project must satisfy, besides its tags.

    :param allow_sdist: whether sdists are candidates
    :param exclude_newer: aware moment after which uploads are left out
    :param hashes: allowed, as ``algorithm:hexdigest``; None allows all
    :param pinned: versions that the user pinned exactly; only they may be yanked (PEP 592)
    :param indexes: in the user's order: a file that several indexes have is taken from the first
    """

    allow_sdist: bool = False
    exclude_newer: datetime.datetime | None = None
    hashes: frozenset[str] | None = None
    pinned: frozenset[Version] = frozenset()
    indexes: tuple[str, ...] = ()


def accepts_python(text: str, python: Version) -> bool:
    """Whether Requires-Python *text* admits *python*; an invalid text admits every one."""
    try:
        return SpecifierSet(text).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def check_upload_time(
    file: ProjectFile, exclude_newer: datetime.datetime | None
) -> Mismatch | None:
    """Leave out what was uploaded after the cut-off, and what has no upload time (PEP 700)."""
    if exclude_newer is None:
        return None
    if file.upload_time is None:
        return Mismatch(Reason.NO_UPLOAD_TIME)
    if file.upload_time > exclude_newer:
        time = file.upload_time.astimezone(datetime.timezone.utc)
        return Mismatch(Reason.TOO_NEW, time.isoformat())
    return None


def check_hash(file: ProjectFile, allowed: frozenset[str] | None) -> Mismatch | None:
    """A file needs an allowed hash; one without stated hashes is checked when it is fetched."""
    if allowed is None:
        return None
    stated = {f"{algorithm}:{digest}" for algorithm, digest in file.hashes.items()}
    algorithms = {text.partition(":")[0] for text in allowed}
    if stated & allowed or (allowed and not algorithms & file.hashes.keys()):
        return None
    return Mismatch(Reason.HASH)


def check_yanked(
    reason: str | None, version: Version, pinned: frozenset[Version]
) -> Mismatch | None:
    """A yanked file is used only when the user pinned its version exactly (PEP 592)."""
    if reason is None or version in pinned:
        return None
    if version.local and Version(version.public) in pinned:
        return None
    return Mismatch(Reason.YANKED, reason)
