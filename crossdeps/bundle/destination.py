"""Whether an output path may be used: the user's files are never lost.

An artifact is known as ours by standard metadata: .dist-info directories whose INSTALLER is
crossdeps, and RECORDs that list each file with its hash ("Recording installed projects"). What no
project has, the user's own source, is listed in ``.crossdeps/RECORD`` in the same format.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle.model import ArchiveContent, FileContent, WheelContent
from crossdeps.bundle.scan import ZIP_FAULTS
from crossdeps.errors import OutputError
from crossdeps.fs import hash_file
from crossdeps.wheels.record import INSTALLER, SOURCE_RECORD, parse_installed_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from crossdeps.bundle.model import Bundle, Content

_SHOWN = 3
_TRIES = 20
_LARGEST_RECORD = 64 << 20
_INSTALLER = re.compile(r"((?:.*/)?[^/]+\.dist-info)/INSTALLER")
_CACHED = re.compile(r"(?P<folder>(?:.*/)?)__pycache__/(?P<stem>[^/.]+)\.[^/]*pyc")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_FORCE = "give another output, or --force to replace it"


def check_directory_destination(bundle: Bundle, path: Path, *, force: bool) -> None:
    """Check that *path* is free, empty, or holds nothing but what crossdeps wrote there.

    :param force: whether what the user has there may go
    :raises OutputError: if it isn't; ``/``, the home and current directories and those above
        them, symbolic links and files are refused even with *force*
    """
    _check_path(bundle, path)
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing is there, or writing will tell
        return
    if not stat.S_ISDIR(mode):
        raise OutputError(
            f"{path} is a file", hint="give a directory, or a name ending in .zip for a zip"
        )
    if force:
        return
    try:
        foreign = _foreign_files_at_rest(path)
    except OSError as error:
        raise OutputError(
            f"{path} can't be looked through: {error.strerror or error}", hint=_FORCE
        ) from error
    if foreign:
        raise _foreign(path, foreign)


def check_zip_destination(bundle: Bundle, path: Path, *, force: bool) -> None:
    """Check that *path* is free, or a zip that crossdeps wrote.

    :param force: whether a file of the user's may go
    :raises OutputError: if it isn't; directories and symbolic links are refused even with *force*
    """
    _check_path(bundle, path)
    if path.is_dir():
        raise OutputError(f"{path} is a directory", hint="give another name for the zip")
    if not path.exists():
        return
    if not path.is_file():
        raise OutputError(f"{path} isn't a regular file", hint="give another output")
    if force:
        return
    try:
        with zipfile.ZipFile(path) as archive:
            foreign = _foreign_members(archive)
    except (*ZIP_FAULTS, OSError) as error:
        raise OutputError(f"{path} isn't a zip that crossdeps wrote", hint=_FORCE) from error
    if foreign:
        raise _foreign(path, foreign)


def _check_path(bundle: Bundle, path: Path) -> None:
    try:
        is_link = stat.S_ISLNK(path.lstat().st_mode)
    except FileNotFoundError:
        is_link = False
    except OSError as error:
        raise OutputError(
            f"can't write {path}: {error.strerror or error}", hint="give another output"
        ) from error
    if is_link:
        raise OutputError(
            f"{path} is a symbolic link", hint=f"give what it points to: {os.path.realpath(path)}"
        )
    real = Path(os.path.realpath(path))
    for name, special in _special_directories():
        if real == special or real in special.parents:
            raise OutputError(
                f"{path} is {name}, or above it",
                hint="give a directory of its own, such as ./package",
            )
    if path.name in {"", ".."}:
        raise OutputError(f"{path} doesn't end in a name", hint="give one, such as ./package")
    for file in sorted(filter(None, {_file_of(entry.content) for entry in bundle.entries})):
        used = Path(os.path.realpath(file))
        if real == used or real in used.parents:
            raise OutputError(
                f"{path} holds what is to be packaged: {file}", hint="give an output elsewhere"
            )


def _special_directories() -> Iterator[tuple[str, Path]]:
    yield "the current directory", Path(os.path.realpath(Path.cwd()))
    try:
        yield "your home directory", Path(os.path.realpath(Path.home()))
    except RuntimeError:
        return


def _file_of(content: Content) -> Path | None:
    if isinstance(content, FileContent):
        return content.file
    if isinstance(content, WheelContent):
        return content.wheel.file
    return content.archive if isinstance(content, ArchiveContent) else None


def _foreign_files_at_rest(root: Path) -> list[str]:
    """The foreign files in *root*, which another run may replace as a whole meanwhile."""
    found: list[str] = []
    for _ in range(_TRIES):
        before = _state(root)
        if before is None:
            return []
        try:
            found = _foreign_files(root)
        except FileNotFoundError:
            found = ["another run is writing there"]
        if not found or _state(root) == before:
            return found
    return found


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes when another directory is renamed to *path*; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _foreign_files(root: Path) -> list[str]:
    paths = dict(_walk(root))

    def read(name: str) -> bytes:
        with (root / name).open("rb") as file:
            return file.read(_LARGEST_RECORD)

    def is_as_written(name: str, sha256: str) -> bool:
        return not paths[name] and (not sha256 or hash_file(root / name) == sha256)

    return _unlisted(paths, read, is_as_written)


def _foreign_members(archive: zipfile.ZipFile) -> list[str]:
    infos = {info.filename: info for info in archive.infolist()}

    def read(name: str) -> bytes:
        with archive.open(infos[name]) as member:
            return member.read(_LARGEST_RECORD)

    def is_as_written(name: str, _: str) -> bool:
        # Whoever replaces a member writes its date; that costs no inflating to see.
        return infos[name].date_time == _FIRST_DAY

    return _unlisted(infos, read, is_as_written)


def _unlisted(
    names: Iterable[str],
    read: Callable[[str], bytes],
    is_as_written: Callable[[str, str], bool],
) -> list[str]:
    """The first few of *names* that no RECORD of ours lists as they are, sorted."""
    present = sorted(names)
    listed = _listed(present, read)
    foreign = []
    for name in present:
        if name in listed:
            if is_as_written(name, listed[name]):
                continue
        elif _is_cache_of_listed(name, listed):
            continue
        foreign.append(name)
        if len(foreign) > _SHOWN:
            break
    return foreign


def _listed(present: Iterable[str], read: Callable[[str], bytes]) -> dict[str, str]:
    names = set(present)
    listed: dict[str, str] = {}
    records = [SOURCE_RECORD] if SOURCE_RECORD in names else []
    for name in names:
        match = _INSTALLER.fullmatch(name)
        if match and f"{match[1]}/RECORD" in names and read(name).strip() == INSTALLER.encode():
            records.append(f"{match[1]}/RECORD")
    for record in records:
        # A RECORD's paths start from the folder that its own directory is in.
        base = "" if record == SOURCE_RECORD else posixpath.dirname(posixpath.dirname(record))
        for row in parse_installed_record(read(record)):
            listed[posixpath.join(base, row.path)] = row.sha256
    return listed


def _is_cache_of_listed(name: str, listed: Mapping[str, str]) -> bool:
    """Whether Python itself made the file when it imported one of ours."""
    match = _CACHED.fullmatch(name)
    return match is not None and f"{match['folder']}{match['stem']}.py" in listed


def _walk(root: Path) -> Iterator[tuple[str, bool]]:
    """Each path below *root*, and whether it is something else than a regular file."""
    pending = [root]
    while pending:
        for item in os.scandir(pending.pop()):
            path = Path(item.path)
            if item.is_dir(follow_symlinks=False):
                pending.append(path)
            else:
                yield path.relative_to(root).as_posix(), not item.is_file(follow_symlinks=False)


def _foreign(path: Path, names: list[str]) -> OutputError:
    shown = (*names[:_SHOWN], *(["and others"] if len(names) > _SHOWN else []))
    return OutputError(
        f"{path} holds files that crossdeps didn't write, or that were changed since",
        context=shown,
        hint=_FORCE,
    )
