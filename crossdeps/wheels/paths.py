"""Which member names are plain paths: relative, POSIX, readable alike on every system."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from crossdeps.wheels.faults import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.wheels.archive import ArchiveMember

MAX_COMPONENT_BYTES: Final = 255
MAX_PATH_BYTES: Final = 4000
_FILE_TYPE = 0o170000
_REGULAR = 0o100000
_DIRECTORY = 0o040000


def check_path(path: str) -> None:
    """Refuse *path* unless it is plain; a directory's ends in one slash.

    :raises WheelError: naming the rule
    """
    parts = path.removesuffix("/").split("/")
    if path.startswith("/") or ".." in parts or _has_drive(path):
        raise refusal("path-traversal", "leads out of the wheel", member=path)
    if "\\" in path or not _is_visible(path):
        raise refusal("path-characters", "has a backslash or control character", member=path)
    if "" in parts or "." in parts:
        raise refusal("path-characters", "has an empty or dot component", member=path)
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES or any(
        len(part.encode("utf-8", "surrogatepass")) > MAX_COMPONENT_BYTES for part in parts
    ):
        raise refusal("path-length", "is too long for a file system", member=path[:200])


def _is_visible(path: str) -> bool:
    """Whether *path* has no control, format or surrogate characters."""
    if path.isascii() and path.isprintable():
        return True
    return not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in path)


def _has_drive(path: str) -> bool:
    return len(path) > 1 and path[1] == ":" and path[0].isalpha()


def check_members(members: Iterable[ArchiveMember]) -> tuple[str, ...]:
    """Refuse names that aren't plain, special files, and names that stand in each other's way.

    :returns: warnings: names that are one on a case-insensitive or normalising file system
    :raises WheelError: naming the rule
    """
    files: set[str] = set()
    directories: set[str] = set()
    parents: set[str] = set()
    for member in members:
        check_path(member.name)
        _check_type(member)
        names = directories if member.is_directory else files
        name = member.name.removesuffix("/")
        if name in names:
            raise refusal("zip-duplicate", "stands in the wheel twice", member=member.name)
        names.add(name)
        _add_parents(name, parents)
    clashes = files & (directories | parents)
    if clashes:
        raise refusal("zip-duplicate", "is both a file and a directory", member=min(clashes))
    return _similar_names(files)


def _add_parents(name: str, parents: set[str]) -> None:
    parent = name.rpartition("/")[0]
    while parent and parent not in parents:
        parents.add(parent)
        parent = parent.rpartition("/")[0]


def _check_type(member: ArchiveMember) -> None:
    """Regular files and directories only: wheels have no links (binary distribution format)."""
    kind = member.mode & _FILE_TYPE
    if kind not in (0, _REGULAR, _DIRECTORY):
        raise refusal("zip-member-type", "is a link or another special file", member=member.name)
    if member.is_directory:
        # Some writers deflate the nothing in a directory to the two bytes of an empty stream.
        if member.size or member.crc32 or member.compressed_size not in (0, 2):
            raise refusal("zip-directory-entry", "is a directory with content", member=member.name)
        if kind == _REGULAR:
            raise refusal(
                "zip-directory-entry", "is a directory and a regular file", member=member.name
            )
    elif kind == _DIRECTORY or member.dos_directory:
        raise refusal(
            "zip-directory-entry", "is a file that claims to be a directory", member=member.name
        )


def _similar_names(files: set[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    warnings = []
    for name in sorted(files):
        key = unicodedata.normalize("NFC", name).casefold() if not name.isascii() else name.lower()
        if key in seen:
            warnings.append(
                f"{seen[key]!r} and {name!r} are one file where case or Unicode form don't count"
            )
        seen[key] = name
    return tuple(warnings)
