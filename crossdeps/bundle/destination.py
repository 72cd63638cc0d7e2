"""Checking that an output path may be replaced: files of the user are never lost.

A previous artifact is recognised by standard metadata: .dist-info directories whose INSTALLER is
crossdeps, and RECORDs that list each file with its hash ("Recording installed projects"). Files
that belong to no project, the user's source, are listed in ``.crossdeps/RECORD`` in that format.
What Python and desktops add by themselves, bytecode and .DS_Store, goes with the previous artifact.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.bundle.content import zip_errors
from crossdeps.bundle.output_path import check_output_path
from crossdeps.bundle.unwanted_files import is_system_file
from crossdeps.errors import OutputError
from crossdeps.fs import hash_file
from crossdeps.wheels.record import INSTALLER, SOURCE_RECORD, parse_installed_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from zipfile import ZipFile

_MAX_SHOWN, _TRIES = 3, 20
_MAX_RECORD_SIZE = 64 << 20
_INSTALLER = re.compile(r"((?:.*/)?[^/]+\.dist-info)/INSTALLER")
_BYTECODE = re.compile(r"(?P<directory>(?:.*/)?)__pycache__/(?P<stem>[^/.]+)\.[^/]*pyc")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_FORCE = "give another output, or --force to replace it"


class FileState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What changes when a file is written, replaced or given another name; times in ns."""

    mode: int
    device: int
    inode: int
    links: int
    size: int
    modified: int
    changed: int


class DestinationState(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at a destination.

    :param files: by path; "" is the destination itself, a zip
    :param hashes: SHA-256 of the files of a directory whose RECORD has one, which was compared
    """

    files: Mapping[str, FileState]
    hashes: Mapping[str, str]


STATE_DECODER: Final = msgspec.msgpack.Decoder(DestinationState)


def check_directory_destination(
    files: Iterable[Path], path: Path, *, force: bool, checked: DestinationState | None = None
) -> DestinationState | None:
    """Check that *path* doesn't exist, is empty, or has only files that crossdeps wrote.

    :param files: what is to be packaged; *path* may contain none of them
    :param force: also replace files of the user
    :param checked: result of an earlier check; what has not changed since is not read again
    :raises OutputError: if it doesn't; ``/``, the home and current directories and those above
        them, symbolic links and files are refused even with *force*
    """
    check_output_path(files, path)
    try:
        mode = path.stat().st_mode
    except OSError:  # it doesn't exist, or writing will report the error
        return None
    if not stat.S_ISDIR(mode):
        raise OutputError(
            f"{path} is a file", hint="give a directory, or a name ending in .zip for a zip"
        )
    if force:
        return None
    try:
        found_files, found = _find_user_files_at_rest(path, checked)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be read: {error.strerror or error}", hint=_FORCE
        ) from error
    if found_files:
        raise _has_user_files(path, found_files)
    return found


def check_zip_destination(
    files: Iterable[Path], path: Path, *, force: bool, checked: DestinationState | None = None
) -> DestinationState | None:
    """Check that *path* doesn't exist, or is a zip that crossdeps wrote.

    :param files: what is to be packaged; *path* may be none of them
    :param force: also replace a file of the user
    :param checked: result of an earlier check; a zip that has not changed since is not read again
    :raises OutputError: if it isn't; directories and symbolic links are refused even with *force*
    """
    check_output_path(files, path)
    if path.is_dir():
        raise OutputError(f"{path} is a directory", hint="give another name for the zip")
    if not path.exists():
        return None
    if not path.is_file():
        raise OutputError(f"{path} isn't a regular file", hint="give another output")
    from zipfile import ZipFile  # noqa: PLC0415 - slow to load, for an existing zip only

    try:
        found = read_zip_state(path)
        if force or found == checked:
            return found
        with ZipFile(path) as archive:
            members = _find_user_members(archive)
    except zip_errors(OSError) as error:
        raise OutputError(f"{path} isn't a zip that crossdeps wrote", hint=_FORCE) from error
    if members:
        raise _has_user_files(path, members)
    return found


def read_zip_state(path: Path) -> DestinationState:
    """Return the state of a zip that was just written, for a later check of the same path.

    :raises OSError: if it doesn't exist
    """
    return DestinationState(files={"": _identify(path.stat())}, hashes={})


def _find_user_files_at_rest(
    root: Path, checked: DestinationState | None
) -> tuple[list[str], DestinationState | None]:
    """Find the user's files in *root*, which another run may replace as a whole meanwhile."""
    files: list[str] = []
    for _ in range(_TRIES):
        if not root.exists():
            return [], None
        try:
            before = _read_state(root)
            if checked and before == checked.files:
                return [], checked
            files, hashes = _find_user_files(root, before)
            if not files or _read_state(root) == before:
                return files, DestinationState(files=before, hashes=hashes)
        except FileNotFoundError:
            files = ["another run is writing there"]
    return files, None


def _identify(status: os.stat_result) -> FileState:
    return FileState(
        mode=status.st_mode,
        device=status.st_dev,
        inode=status.st_ino,
        links=status.st_nlink,
        size=status.st_size,
        modified=status.st_mtime_ns,
        changed=status.st_ctime_ns,
    )


def _find_user_files(
    root: Path, state: Mapping[str, FileState]
) -> tuple[list[str], dict[str, str]]:
    def read(name: str) -> bytes:
        with (root / name).open("rb") as file:
            return file.read(_MAX_RECORD_SIZE)

    def is_unchanged(name: str, sha256: str) -> bool:
        is_file = stat.S_ISREG(state[name].mode)
        if is_file and (not sha256 or hash_file(f"{root}/{name}") == sha256):
            return True
        del recorded[name]
        return False

    recorded = _read_records(state, read)
    return _find_unrecorded(state, recorded, is_unchanged), recorded


def _read_state(root: Path) -> dict[str, FileState]:
    """Read the state of each file below *root*; links are not followed."""
    state = {}
    pending = [""]
    while pending:
        parent = pending.pop()
        with os.scandir(f"{root}/{parent}") as items:
            for item in items:
                if item.is_dir(follow_symlinks=False):
                    pending.append(f"{parent}{item.name}/")
                else:
                    state[parent + item.name] = _identify(item.stat(follow_symlinks=False))
    return state


def _find_user_members(archive: ZipFile) -> list[str]:
    infos = {info.filename: info for info in archive.infolist()}

    def read(name: str) -> bytes:
        with archive.open(infos[name]) as member:
            return member.read(_MAX_RECORD_SIZE)

    def is_unchanged(name: str, _: str) -> bool:
        # A tool that replaces a member writes its date, which is seen without inflating it.
        return infos[name].date_time == _FIRST_DAY

    return _find_unrecorded(infos, _read_records(infos, read), is_unchanged)


def _find_unrecorded(
    names: Iterable[str],
    recorded: Mapping[str, str],
    is_unchanged: Callable[[str, str], bool],
) -> list[str]:
    """Find the first few of *names*, sorted, that are in no RECORD of ours or have changed."""
    found = []
    for name in sorted(names):
        if name in recorded:
            if is_unchanged(name, recorded[name]):
                continue
        elif _is_bytecode_of(name, recorded):
            continue
        if is_system_file(name):
            continue
        found.append(name)
        if len(found) > _MAX_SHOWN:
            break
    return found


def _read_records(names: Iterable[str], read: Callable[[str], bytes]) -> dict[str, str]:
    """Return the files that crossdeps recorded, with their SHA-256 or ""."""
    present = set(names)
    recorded: dict[str, str] = {}
    records = [SOURCE_RECORD] if SOURCE_RECORD in present else []
    for name in present:
        match = _INSTALLER.fullmatch(name)
        if match and f"{match[1]}/RECORD" in present and read(name).strip() == INSTALLER.encode():
            records.append(f"{match[1]}/RECORD")
    for record in records:
        # Paths are relative to the directory that the .dist-info directory is in.
        base = "" if record == SOURCE_RECORD else posixpath.dirname(posixpath.dirname(record))
        for row in parse_installed_record(read(record)):
            recorded[posixpath.join(base, row.path)] = row.sha256
    return recorded


def _is_bytecode_of(name: str, recorded: Mapping[str, str]) -> bool:
    """Whether Python wrote the file when it imported a recorded one."""
    match = _BYTECODE.fullmatch(name)
    return match is not None and f"{match['directory']}{match['stem']}.py" in recorded


def _has_user_files(path: Path, names: list[str]) -> OutputError:
    shown = (*names[:_MAX_SHOWN], *(["and others"] if len(names) > _MAX_SHOWN else []))
    return OutputError(
        f"{path} has files that crossdeps didn't write, or that were changed since",
        context=shown,
        hint=_FORCE,
    )
