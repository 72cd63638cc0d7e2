"""The files of a zip that is an artifact, made by any tool."""

from __future__ import annotations

import lzma
import posixpath
import stat
import zipfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from crossdeps.bundle.found import Found, read_facts
from crossdeps.bundle.model import ArchiveContent, Entry
from crossdeps.errors import ArtifactReadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20
_LARGEST = 8 << 30
_LONGEST_LINK = 4096
_LINK_STEPS = 40
_UNIX = 3
_ENCRYPTED = 1
# What the standard library raises for damaged, encrypted and unsupported archives.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


def read_zip(path: Path) -> Found:
    """Read every file of the zip at *path*; each is inflated once and checked against its CRC-32.

    :raises ArtifactReadError: if it isn't a zip, or one that is damaged, encrypted or inflates to
        more than 8 GiB
    :raises OSError: if the file can't be read
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive)
    except ZIP_FAULTS as error:
        raise ArtifactReadError(
            f"{path} isn't a zip that can be read: {error}",
            hint="give a directory or an undamaged zip",
        ) from error


def _read(path: Path, archive: zipfile.ZipFile) -> Found:
    warnings: list[str] = []
    entries: dict[str, Entry] = {}
    links: dict[str, str] = {}
    compressed: dict[str, int] = {}
    for name, info in _files(path, archive, warnings).items():
        if _is_link(info):
            links[name] = _read_link(path, archive, info)
        else:
            entries[name] = _entry(path, archive, info, name)
            compressed[name] = info.compress_size
    for name in sorted(links):
        target = _follow(name, links)
        if target in entries:
            entries[name] = replace(entries[target], path=name)
        else:
            warnings.append(f"{name} is a symbolic link to {links[name]}: not followed")
    return Found(
        kind="zip",
        entries=tuple(entries.values()),
        warnings=tuple(warnings),
        compressed=compressed,
    )


def _files(path: Path, archive: zipfile.ZipFile, warnings: list[str]) -> dict[str, zipfile.ZipInfo]:
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = _plain(info.filename)
        if info.filename and info.is_dir():
            continue
        if name is None:
            warnings.append(f"{info.filename} leads out of the artifact: not read")
            continue
        if "\\" in name:
            warnings.append(f"{name} has a backslash, which Linux takes as part of the name")
        if name in infos:
            warnings.append(f"{name} is in the zip twice: the last one counts")
        infos[name] = info
    if sum(info.file_size for info in infos.values()) > _LARGEST:
        raise ArtifactReadError(f"{path} inflates to more than {_LARGEST >> 30} GiB")
    return infos


def _plain(name: str) -> str | None:
    path = posixpath.normpath(name)
    if path.startswith(("/", "../")) or path in {".", ".."}:
        return None
    return path


def _is_link(info: zipfile.ZipInfo) -> bool:
    return info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16)


def _read_link(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    data = b"".join(_stream(path, archive, info)) if info.file_size <= _LONGEST_LINK else b""
    return data.decode("utf-8", "replace")


def _follow(name: str, links: dict[str, str]) -> str:
    for _ in range(_LINK_STEPS):
        if name not in links:
            return name
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), links[name]))
    return ""


def _entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Entry:
    facts = read_facts(_stream(path, archive, info))
    return Entry(
        path=name,
        mode=_mode(info),
        size=facts.size,
        sha256=facts.sha256,
        content=ArchiveContent(archive=path, name=info.filename),
        owner=None,
        binary=facts.binary,
    )


def _mode(info: zipfile.ZipInfo) -> int:
    """The member's permissions; an archive without any leaves them to whoever unpacks it."""
    mode = info.external_attr >> 16
    if mode == 0 and info.create_system != _UNIX:
        return 0o644
    return stat.S_IMODE(mode)


def _stream(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise ArtifactReadError("a member is encrypted", context=(str(path), info.filename))
    try:
        with archive.open(info) as member:
            while data := member.read(_CHUNK):
                yield data
    except ZIP_FAULTS as error:
        raise ArtifactReadError(
            f"a member can't be read: {error}", context=(str(path), info.filename)
        ) from error
