"""What a file of a project must satisfy besides its tags, and the reasons where it doesn't."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from crossdeps.resolution.rejections import Mismatch, Reason

if TYPE_CHECKING:
    from crossdeps.index.model import ProjectFile


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
