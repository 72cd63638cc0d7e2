"""inspect(): an artifact by any tool, read and taken apart."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.bundle import ArchiveContent, read_bundle, read_content
from crossdeps.errors import ArtifactReadError
from crossdeps.inputs import read_pylock
from crossdeps.pipeline.comparison import own_name
from crossdeps.report import Inspection, inspect_bundle

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from packaging.pylock import Package
    from packaging.tags import Tag

    from crossdeps.bundle import Entry
    from crossdeps.target import Target

_FAULTS = (OSError, zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError)


def inspect(
    path: str | os.PathLike[str],
    target: Target | None = None,
    *,
    lock: str | os.PathLike[str] | None = None,
) -> Inspection:
    """Find what a directory or zip, made by any tool, holds and weighs.

    :param target: for its limits, and for the markers of dependencies
    :param lock: that it was made from, for the hashes of its wheels
    :raises ArtifactReadError: if *path* can't be read
    :raises InputError: if *lock* can't be read
    """
    artifact = Path(path)
    hashes = _hashes(Path(lock), target) if lock else {}
    bundle = read_bundle(artifact)
    with ExitStack() as stack:
        archive: zipfile.ZipFile | None = None
        if bundle.kind == "zip":
            # Opening a large archive costs more than reading a member: it stays open.
            archive = stack.enter_context(_open(artifact))

        def read(entry: Entry) -> bytes:
            content = entry.content
            try:
                if archive and isinstance(content, ArchiveContent):
                    return archive.read(content.name)
                return read_content(content)
            except _FAULTS as error:
                raise ArtifactReadError(
                    f"a file can't be read: {error}", context=(str(artifact), entry.path)
                ) from error

        return inspect_bundle(
            bundle,
            name=own_name(artifact),
            read=read,
            target=target,
            compressed=artifact.stat().st_size if archive else None,
            sha256=_sha256(artifact) if archive else "",
            hashes=hashes,
        )


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _FAULTS as error:
        raise ArtifactReadError(f"{path} can't be read: {error}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
    except OSError as error:
        raise ArtifactReadError(f"{path} can't be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _hashes(lock: Path, target: Target | None) -> dict[tuple[str, str], Mapping[str, str]]:
    """The hashes of the one wheel of each project and version that the artifact can be from."""
    found: dict[tuple[str, str], Mapping[str, str]] = {}
    for package in read_pylock(lock).packages:
        wheels = _fitting(package, target)
        if package.version is not None and len(wheels) == 1:
            found[package.name, str(package.version)] = wheels[0]
    return found


def _fitting(package: Package, target: Target | None) -> list[Mapping[str, str]]:
    wheels = list(package.wheels or ())
    if target is not None:
        ranks = target.tag_ranks
        ranked = [
            (min(ranks[tag] for tag in tags), wheel)
            for wheel in wheels
            if (tags := [tag for tag in _tags(wheel.filename) if tag in ranks])
        ]
        best = min((rank for rank, _ in ranked), default=0)
        wheels = [wheel for rank, wheel in ranked if rank == best]
    return [wheel.hashes for wheel in wheels]


def _tags(filename: str) -> frozenset[Tag]:
    try:
        return parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return frozenset()
