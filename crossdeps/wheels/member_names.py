"""The names of members: plain relative paths, which every system reads alike.

Source: the binary distribution format on packaging.python.org.
"""

from __future__ import annotations

import unicodedata
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import TYPE_CHECKING, Final

from crossdeps.wheels.model import invalid_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.wheels.archive import ArchiveMember

MAX_COMPONENT_BYTES: Final = 255
MAX_PATH_BYTES: Final = 4000


def check_members(members: Iterable[ArchiveMember]) -> tuple[str, ...]:
    """Refuse invalid paths, special files, and names that exclude each other.

    :returns: warnings: names that are the same on a case-insensitive or normalising file system
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
            raise invalid_wheel("zip-duplicate", "the wheel has it twice", member.name)
        names.add(name)
        while (name := name.rpartition("/")[0]) and name not in parents:
            parents.add(name)
    if clashes := files & (directories | parents):
        raise invalid_wheel("zip-duplicate", "it is a file and a directory", min(clashes))
    return _find_similar_names(files)


def check_path(path: str) -> None:
    """Refuse *path* unless it is a plain relative path; that of a directory ends in one slash.

    :raises WheelError: naming the rule
    """
    if _is_ordinary(path):
        return
    parts = path.removesuffix("/").split("/")
    if path.startswith("/") or ".." in parts or _has_drive(path):
        raise invalid_wheel("path-traversal", "the path leads out of the wheel", path)
    if "\\" in path or not _is_visible(path):
        raise invalid_wheel(
            "path-characters", "the path has a backslash or control character", path
        )
    if "" in parts or "." in parts:
        raise invalid_wheel("path-characters", "the path has an empty or dot component", path)
    if _count_bytes(path) > MAX_PATH_BYTES or max(map(_count_bytes, parts)) > MAX_COMPONENT_BYTES:
        raise invalid_wheel("path-length", "the path is too long for a file system", path[:200])


def _is_ordinary(path: str) -> bool:
    """Whether *path* is short, plain ASCII, and has nothing that any rule could refuse."""
    return (
        len(path) <= MAX_COMPONENT_BYTES
        and path.isascii()
        and path.isprintable()
        and not path.startswith("/")
        and not path.endswith(".")
        and not any(part in path for part in ("//", "./", "\\", ":"))
        and path != ""
    )


def _has_drive(path: str) -> bool:
    return len(path) > 1 and path[1] == ":" and path[0].isalpha()


def _is_visible(path: str) -> bool:
    """Whether *path* has no control, format or surrogate characters."""
    if path.isascii() and path.isprintable():
        return True
    return not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in path)


def _count_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _check_type(member: ArchiveMember) -> None:
    """Refuse all but regular files and directories (binary distribution format)."""
    kind = S_IFMT(member.mode)
    if kind not in (0, S_IFREG, S_IFDIR):
        raise invalid_wheel("zip-member-type", "it is a link or another special file", member.name)
    problem = ""
    if member.is_directory:
        # Some writers deflate the nothing in a directory to the two bytes of an empty stream.
        if member.size or member.crc32 or member.compressed_size not in (0, 2):
            problem = "it is a directory with content"
        elif kind == S_IFREG:
            problem = "it is a directory and claims to be a regular file"
    elif kind == S_IFDIR or member.dos_directory:
        problem = "it is a file and claims to be a directory"
    if problem:
        raise invalid_wheel("zip-directory-entry", problem, member.name)


def _find_similar_names(files: set[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    warnings = []
    for name in sorted(files):
        key = unicodedata.normalize("NFC", name).casefold() if not name.isascii() else name.lower()
        if key in seen:
            warnings.append(
                f"{seen[key]!r} and {name!r} are one file where case or Unicode form don't matter"
            )
        seen[key] = name
    return tuple(warnings)
