"""Why files and versions of a project were not chosen: one table of reasons for every room."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, overload

import msgspec

from crossdeps.target.runtimes import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from packaging.version import Version

    from crossdeps.index.model import ProjectFile


class Reason(str, Enum):
    """Why a file or a version was not chosen. Values appear in JSON documents.

    The reasons for files come first, the one that came nearest to fitting before the others.

    :ivar phrase: read after "it" or the version; ``{}`` stands for the detail
    :ivar remedy: a hint that may name ``{name}`` and ``{version}``; empty where it depends on the
        target and on the other files
    """

    phrase: str
    remedy: str

    YANKED = (
        "yanked",
        "was yanked from the index: {}",  # detail: the reason given
        "pin {name}=={version}: a yanked version is only used when it is pinned exactly",
    )
    HASH = (
        "hash",
        "has no file with an allowed hash",
        "compare the hashes in the requirements with those of the index",
    )
    TOO_NEW = (
        "too-new",
        "was uploaded after --exclude-newer ({})",  # detail: the upload time
        "choose a later --exclude-newer",
    )
    NO_UPLOAD_TIME = (
        "no-upload-time",
        "has no upload time, which --exclude-newer requires",
        "remove --exclude-newer, or use an index that states upload times",
    )
    REQUIRES_PYTHON = "requires-python", "requires Python {}"  # detail: the specifier
    GLIBC = "glibc", "requires glibc {}"  # detail: MAJOR.MINOR; the platform fits otherwise
    MUSL = "musl", "requires musl {}"  # the same, for a target with musl
    LIBC = "libc", "requires {}"  # detail: the other C library and its version
    PLATFORM_TAG = "platform-tag", "has wheels only for other platforms ({})"
    FREE_THREADED = "free-threaded", "has no wheel for free-threaded Python {}"  # MAJOR.MINOR
    ABI_TAG = "abi-tag", "has wheels only for other Python ABIs ({})"
    PYTHON_TAG = "python-tag", "has wheels only for other Python versions ({})"
    SDIST = "sdist", "has no wheels, only a source distribution"  # detail: the suffix
    BAD_FILENAME = "bad-filename", "has files with invalid names ({})"  # detail: what is invalid
    OTHER_PROJECT = "other-project", "has files of another project ({})"  # detail: its name
    NOT_A_DISTRIBUTION = (
        "not-a-distribution",
        "has neither a wheel nor a source distribution ({})",  # detail: the suffix
    )

    PRE_RELEASE = "pre-release", "is a pre-release"
    SPECIFIER = "specifier", "is excluded: {}"  # detail: the requirement
    METADATA = "metadata", "is unusable: {}"  # detail: what its metadata lacks or contradicts
    BACKTRACKED = "backtracked", "conflicts with other requirements: {}"
    KEPT = "kept", "was not considered, since {} is kept"  # detail: the version that was preferred

    def __new__(cls, value: str, phrase: str = "", remedy: str = "") -> Reason:  # noqa: PYI034 - Self needs 3.11
        """Make a member of a value, a phrase and a remedy."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.phrase = phrase
        member.remedy = remedy
        return member

    @classmethod
    def _missing_(cls, value: object) -> Reason:
        """A reason that only another version of crossdeps knows, as a cache may have it."""
        member = str.__new__(cls, str(value))
        member._name_ = member._value_ = str(value)
        member.phrase = f"is unsuitable ({value}): {{}}"
        member.remedy = ""
        return member

    __str__ = str.__str__

    def describe(self, detail: str) -> str:
        """Why, to be read after "it" or the version, such as ``requires glibc 2.28``."""
        text = self.phrase.replace("{}", detail)
        return text if detail else text.removesuffix(" ()").removesuffix(": ")

    @property
    def depends_on_target(self) -> bool:
        """Whether another target might accept the file."""
        return self in (
            *(Reason.REQUIRES_PYTHON, Reason.GLIBC, Reason.MUSL, Reason.LIBC),
            *(Reason.PLATFORM_TAG, Reason.FREE_THREADED, Reason.ABI_TAG, Reason.PYTHON_TAG),
        )


_RANKS = {reason: rank for rank, reason in enumerate(Reason)}


Rank = tuple[int, tuple[int, ...]]


def rank_mismatch(reason: Reason, detail: str) -> Rank:
    """How far a file is from fitting."""
    if reason in (Reason.GLIBC, Reason.MUSL):
        return _RANKS[reason], tuple(map(int, detail.split(".")))
    if reason is Reason.PYTHON_TAG:  # another CPython 3 is nearer than CPython 2 and PyPy
        return _RANKS[reason], (0 if detail.startswith("cp3") else 1,)
    return _RANKS[reason], ()


class Mismatch(msgspec.Struct, frozen=True):
    """The first check that a file failed, and what it found."""

    reason: Reason
    detail: str = ""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is not a candidate, and the first check that it failed.

    :param version: None where the file name states no valid version
    """

    file: ProjectFile
    version: Version | None
    reason: Reason
    detail: str = ""

    def rank(self) -> Rank:
        """How far the file is from fitting: the smallest rank explains the version."""
        return rank_mismatch(self.reason, self.detail)


class SkippedVersion(msgspec.Struct, frozen=True):
    """A newer version than the chosen one, and the first reason why it was not chosen."""

    version: Version
    reason: Reason
    detail: str = ""

    @property
    def forced_by_target(self) -> bool:
        """Whether another target might accept it."""
        return self.reason.depends_on_target

    def describe(self) -> str:
        """Why, such as ``it requires glibc 2.28, which python3.12 and later have``."""
        text = f"it {self.reason.describe(self.detail)}"
        return text + _runtimes_with(self.detail) if self.reason is Reason.GLIBC else text


def _runtimes_with(glibc: str) -> str:
    try:
        needed = tuple(int(part) for part in glibc.split("."))
    except ValueError:
        return ""
    names = [name for name, runtime in RUNTIMES.items() if runtime.libc.version >= needed]
    return f", which {names[0]} and later have" if names else ", which no Lambda runtime has"


class Rejections(Sequence[Rejection]):
    """The rejected ones among *files*, in page order, each made when one of them is read.

    :param find: gives the position of each among *files*, and why it was rejected
    :param parse_version: the version that a file name states
    """

    __slots__ = ("_all", "_files", "_find", "_parse_version")

    def __init__(
        self,
        files: Sequence[ProjectFile],
        find: Callable[[], Sequence[tuple[int, Mismatch]]],
        *,
        parse_version: Callable[[str], Version | None],
    ) -> None:
        self._files = files
        self._find = find
        self._parse_version = parse_version
        self._all: tuple[Rejection, ...] | None = None

    def _make(self, position: int, mismatch: Mismatch) -> Rejection:
        file = self._files[position]
        return Rejection(
            file=file,
            version=self._parse_version(file.filename),
            reason=mismatch.reason,
            detail=mismatch.detail,
        )

    def _made(self) -> tuple[Rejection, ...]:
        if self._all is None:
            self._all = tuple(self._make(*each) for each in self._find())
        return self._all

    @overload
    def __getitem__(self, index: int) -> Rejection: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rejection]: ...
    def __getitem__(self, index: int | slice) -> Rejection | Sequence[Rejection]:
        return self._made()[index]

    def __len__(self) -> int:
        return len(self._made())


def find_nearest(
    mismatches: Iterable[tuple[str, Mismatch]], parse_version: Callable[[str], Version | None]
) -> dict[Version, Mismatch]:
    """For each version the mismatch of the file that came nearest to fitting.

    :param mismatches: with the version as written of each file, in page order
    :returns: versions as the first of their files writes them
    """
    ranks: dict[Mismatch, Rank] = {}
    by_text: dict[str, tuple[Rank, int, Mismatch]] = {}
    for position, (text, mismatch) in enumerate(mismatches):
        rank = ranks.get(mismatch)
        if rank is None:
            rank = ranks[mismatch] = rank_mismatch(mismatch.reason, mismatch.detail)
        known = by_text.get(text)
        if known is None or rank < known[0]:
            by_text[text] = (rank, position, mismatch)
    nearest: dict[Version, tuple[Rank, int, Mismatch]] = {}
    for text, found in by_text.items():
        version = parse_version(text)
        if version is not None:
            known = nearest.setdefault(version, found)
            if found[:2] < known[:2]:
                nearest[version] = found
    return {version: mismatch for version, (_, _, mismatch) in nearest.items()}
