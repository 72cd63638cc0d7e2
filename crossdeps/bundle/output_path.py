"""Checking the path of an output, before anything is read or written.

Missing parents are made, as by pip and uv, but not in a directory of the system: a typing error in
an absolute path must not leave directories in ``/etc``.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossdeps.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Of the system, where they belong to its administrator (Filesystem Hierarchy Standard, macOS).
_SYSTEM_DIRECTORIES: Final = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys"}
    | {"usr", "var", "Applications", "Library", "System", "private"}
)
_ADMINISTRATOR = 0


def check_output_path(files: Iterable[Path], path: Path) -> None:
    """Check that something may be written to *path*, whatever is there now.

    :param files: what is to be packaged; *path* may contain none of them
    :raises OutputError: if *path* is a symbolic link, ``/``, the home or current directory or
        contains one of these or of *files*; or if its parent would have to be made in a directory
        of the system
    """
    try:
        is_link = stat.S_ISLNK(path.lstat().st_mode)
    except FileNotFoundError:
        is_link = False
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", hint="give another output"
        ) from error
    if is_link:
        raise OutputError(
            f"{path} is a symbolic link",
            hint=f"give the path that it points to: {os.path.realpath(path)}",
        )
    real = Path(os.path.realpath(path))
    for name, special in _special_directories():
        if real == special or real in special.parents:
            raise OutputError(
                f"{path} is {name}, or contains it",
                hint="give a separate directory, such as ./package",
            )
    if path.name in {"", ".."}:
        raise OutputError(f"{path} doesn't end in a name", hint="give a name, such as ./package")
    for file in sorted(set(files)):
        real_file = Path(os.path.realpath(file))
        if real == real_file or real in real_file.parents:
            raise OutputError(
                f"{path} contains a file that is to be packaged: {file}",
                hint="give an output elsewhere",
            )
    _check_parents(path)


def _special_directories() -> Iterator[tuple[str, Path]]:
    for name, find in (("the current directory", Path.cwd), ("your home directory", Path.home)):
        with suppress(OSError, RuntimeError):  # it was removed, or is not known
            yield name, Path(os.path.realpath(find()))


def _check_parents(path: Path) -> None:
    """Check where the missing parents of *path* would be made."""
    missing = None
    for parent in Path(os.path.abspath(path)).parents:  # noqa: PTH100 - resolve() follows links
        if os.path.lexists(parent):
            break
        missing = parent
    if missing is not None and _is_of_the_system(Path(os.path.realpath(missing.parent))):
        raise OutputError(
            f"{path.parent} does not exist, and no directory is made in {missing.parent}, which"
            " belongs to the system",
            hint=f"make it first (mkdir -p {path.parent}), or give an output elsewhere",
        )


def _is_of_the_system(directory: Path) -> bool:
    for _, own in _special_directories():
        if directory == own or (own != Path(own.anchor) and own in directory.parents):
            return False
    if directory.anchor != "/" or directory == Path("/"):
        return directory == Path("/")
    try:
        status = directory.stat()
    except OSError:  # writing reports it
        return False
    is_public = bool(status.st_mode & stat.S_IWOTH)
    is_owned = status.st_uid == _ADMINISTRATOR and not is_public
    return is_owned and directory.parts[1] in _SYSTEM_DIRECTORIES
