"""Whether a wheel's tag text fits the target, and if not, what stands in the way.

A project's page may list thousands of files with a few dozen different tag texts, so each text is
judged once a target and remembered.

A page may have tens of thousands of them, of which a report shows those of newer versions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from packaging.tags import InvalidTag, Tag, parse_tag

from crossdeps.resolution.model import Rejection

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.version import Version

    from crossdeps.index.model import ProjectFile
    from crossdeps.resolution.model import RejectionReason
    from crossdeps.target.model import Target

# PEP 600; the aliases are those of PEP 513, 571 and 599.
_GLIBC = re.compile(r"manylinux_(\d+)_(\d+)_(.+)")
_GLIBC_ALIAS = re.compile(r"manylinux(1|2010|2014)_(.+)")
_ALIASED = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}


@dataclass(frozen=True, kw_only=True, slots=True)
class TagMatch:
    """The best tag of a compressed tag set that the target accepts.

    :param rank: its place in the target's order; 0 is the best
    """

    tag: Tag
    rank: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """Why no tag of a compressed tag set fits."""

    reason: RejectionReason
    detail: str


def needed_glibc(platform: str, arch: str) -> tuple[int, int] | None:
    """The glibc that a manylinux platform tag of *arch* asks for (PEP 600), else None."""
    if (match := _GLIBC.fullmatch(platform)) and match[3] == arch:
        return int(match[1]), int(match[2])
    if (match := _GLIBC_ALIAS.fullmatch(platform)) and match[2] == arch:
        return _ALIASED[match[1]]
    return None


class TagMatcher:
    """Judges compressed tag sets (platform compatibility tags specification) for one target."""

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

    def judge(self, text: str) -> TagMatch | Mismatch:
        """Judge a text such as ``cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64``."""
        try:
            return self._known[text]
        except KeyError:
            verdict = self._known[text] = self._judge(text)
            return verdict

    def _judge(self, text: str) -> TagMatch | Mismatch:
        try:
            tags = parse_tag(text)
        except (InvalidTag, ValueError):
            return Mismatch(reason="bad-filename", detail=f"its tags are {text!r}")
        fitting = [(rank, tag) for tag in tags if (rank := self._ranks.get(tag)) is not None]
        if fitting:
            rank, tag = min(fitting, key=lambda pair: pair[0])
            return TagMatch(tag=tag, rank=rank)
        return self._misfit(text.lower(), tags)

    def _misfit(self, text: str, tags: frozenset[Tag]) -> Mismatch:
        pythons, abis, platforms = text.split("-")
        # Where Python and ABI would do, the platform is what stands in the way, and the other way
        # round; a file that misses both is told to be for another Python, the larger step.
        near = [tag for tag in tags if (tag.interpreter, tag.abi) in self._pairs]
        if near:
            needed = [
                version
                for tag in near
                if (version := needed_glibc(tag.platform, self._target.arch)) is not None
            ]
            if needed and self._target.libc.kind == "glibc":
                major, minor = min(needed)
                return Mismatch(reason="glibc", detail=f"{major}.{minor}")
            return Mismatch(reason="platform-tag", detail=platforms)
        if any(self._is_for_python(tag) for tag in tags):
            return Mismatch(reason="abi-tag", detail=abis)
        return Mismatch(reason="python-tag", detail=pythons)

    def _is_for_python(self, tag: Tag) -> bool:
        """Whether the interpreter would do, were it not for the ABI."""
        if tag.interpreter in self._pythons:
            return True
        match = re.fullmatch(r"cp3(\d+)", tag.interpreter)
        return bool(match and tag.abi == "abi3" and int(match[1]) <= self._target.python_version[1])


Failure = tuple["RejectionReason", str]
"""The first check that a file failed, and what it found."""


class Rejections(Sequence[Rejection]):
    """The rejected ones among *files*, in page order.

    :param failures: place of each among *files*, and why it fell
    :param names: file name of every file, in the order of *files*
    :param parse_version: the version that a file name states
    """

    __slots__ = ("_all", "_failures", "_files", "_names", "_version_of")

    def __init__(
        self,
        files: Sequence[ProjectFile],
        failures: Sequence[tuple[int, Failure]],
        *,
        names: Sequence[str],
        parse_version: Callable[[str], Version | None],
    ) -> None:
        self._files = files
        self._failures = failures
        self._names = names
        self._version_of = parse_version
        self._all: tuple[Rejection, ...] | None = None

    def above(self, version: Version) -> tuple[Rejection, ...]:
        """Those whose file names state a newer version than *version*, and no others are made."""
        is_newer: dict[Version, bool] = {}
        found = []
        for place, failure in self._failures:
            stated = self._version_of(self._names[place])
            if stated is None:
                continue
            newer = is_newer.get(stated)
            if newer is None:
                newer = is_newer[stated] = stated > version
            if newer:
                found.append(self._make(place, failure))
        return tuple(found)

    def _make(self, place: int, failure: Failure) -> Rejection:
        file = self._files[place]
        reason, detail = failure
        return Rejection(
            file=file, version=self._version_of(file.filename), reason=reason, detail=detail
        )

    def _made(self) -> tuple[Rejection, ...]:
        if self._all is None:
            self._all = tuple(self._make(place, failure) for place, failure in self._failures)
        return self._all

    @overload
    def __getitem__(self, index: int) -> Rejection: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rejection]: ...
    def __getitem__(self, index: int | slice) -> Rejection | Sequence[Rejection]:
        return self._made()[index]

    def __len__(self) -> int:
        return len(self._failures)
