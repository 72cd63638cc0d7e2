"""Snapshots of artifacts and locks: what a comparison compares."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Literal

import msgspec
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.binaries.model import find_required_glibc, list_machines
from crossdeps.errors import TargetError
from crossdeps.target.platforms import Platform
from crossdeps.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.pylock import Package, Pylock

    from crossdeps.bundle.model import Bundle, Entry, InstalledProject

    Floor = tuple[int, int]

OWN_FILES = ""
"""The project name of files that no project owns: the user's own."""
OWN_FILES_LABEL = "own files"
"""What reports call them."""

SnapshotKind = Literal["directory", "zip", "lock"]


class ProjectSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One project of an artifact or a lock.

    :param version: several are joined by a comma; empty for the user's own files
    :param size: unzipped bytes of its files; None in a lock
    :param compressed: bytes of its files in the zip, or of its wheel; None if unknown
    :param digest: of its content: equal digests mean the same files
    """

    version: str
    size: int | None
    compressed: int | None
    digest: str


class FileSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an artifact, or one wheel or source of a lock.

    :param owner: normalized project name, or :data:`OWN_FILES`
    :param size: unzipped bytes; None if a lock doesn't record it
    :param digest: of its bytes; empty in an artifact if other facts tell what a comparison needs
    :param mode: permission bits; 0 in a lock
    """

    owner: str
    size: int | None
    digest: str
    mode: int = 0

    @property
    def sha256(self) -> str:
        """*digest* if it is one of SHA-256; empty for the algorithms of a lock without it."""
        return "" if ":" in self.digest else self.digest


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact or a lock.

    :param name: the last part of its path
    :param size: unzipped bytes of all files; None for a lock
    :param compressed: bytes of the zip, or of all wheels of a lock that has one wheel for each
        project; else None
    :param projects: by normalized name, sorted
    :param files: by path, sorted; in a lock by the file name or location of each wheel or source
    :param machines: sorted, such as ``x86_64``
    :param glibc: the oldest that suffices, such as ``2.17``: from the symbol versions of the
        binaries of an artifact, from the tags of the wheels of a lock
    :param python: the Requires-Python of a lock
    :param prefix: the folder of packages that is left out of the paths, such as ``python/``
    """

    name: str
    kind: SnapshotKind
    size: int | None
    compressed: int | None
    projects: Mapping[str, ProjectSnapshot]
    files: Mapping[str, FileSnapshot]
    machines: tuple[str, ...]
    glibc: str
    python: str = ""
    prefix: str = ""


def strip_prefix(bundle: Bundle) -> Bundle:
    """Return *bundle* with the paths of its files relative to the folder of its packages.

    Files outside that folder keep their paths, and so does one whose new path another file has.
    """
    paths = {entry.path for entry in bundle.entries}
    entries = []
    for entry in bundle.entries:
        path = entry.path.removeprefix(bundle.prefix)
        entries.append(entry if path in paths else msgspec.structs.replace(entry, path=path))
    return msgspec.structs.replace(bundle, entries=tuple(entries), prefix="")


def snapshot_bundle(
    bundle: Bundle, *, name: str, compressed: int | None = None, prefix: str = ""
) -> Snapshot:
    """Take the snapshot of an artifact that was read.

    :param compressed: bytes of the zip on disk; None for a directory
    :param prefix: what was stripped from the paths
    """
    binaries = [entry.binary for entry in bundle.entries if entry.binary]
    return Snapshot(
        name=name,
        kind="zip" if bundle.kind == "zip" else "directory",
        size=bundle.size,
        compressed=compressed,
        projects={
            project: _snapshot_project(entries, installed)
            for project, (entries, installed) in group_by_project(bundle).items()
        },
        files={
            entry.path: FileSnapshot(
                owner=entry.owner or OWN_FILES,
                size=entry.size,
                digest=entry.sha256,
                mode=entry.mode,
            )
            for entry in bundle.entries
        },
        machines=list_machines(binaries),
        glibc=find_required_glibc(binaries),
        prefix=prefix,
    )


def group_by_project(bundle: Bundle) -> dict[str, tuple[list[Entry], list[InstalledProject]]]:
    """Map each project, sorted by name, to its files and its installations.

    There are several installations where an installer left an old .dist-info behind; the user's
    own files have none.
    """
    groups: dict[str, tuple[list[Entry], list[InstalledProject]]] = defaultdict(lambda: ([], []))
    for entry in bundle.entries:
        groups[entry.owner or OWN_FILES][0].append(entry)
    for project in bundle.projects:
        groups[project.name][1].append(project)
    return dict(sorted(groups.items()))


def join_versions(installed: Iterable[InstalledProject]) -> str:
    """Join the versions of one project, sorted, by a comma."""
    return ", ".join(sorted({project.version for project in installed}))


def _snapshot_project(
    entries: Sequence[Entry], installed: Sequence[InstalledProject]
) -> ProjectSnapshot:
    lines = "\n".join(sorted(f"{entry.path}\0{entry.size}\0{entry.sha256}" for entry in entries))
    return ProjectSnapshot(
        version=join_versions(installed),
        size=sum(entry.size for entry in entries),
        compressed=(installed[-1].compressed or None) if installed else None,
        digest=hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest(),
    )


def snapshot_lock(lock: Pylock, *, name: str) -> Snapshot:
    """Take the snapshot of a lock (PEP 751)."""
    packages: dict[str, list[Package]] = defaultdict(list)
    for package in lock.packages:
        packages[package.name].append(package)
    projects = {key: _snapshot_packages(packages[key]) for key in sorted(packages)}
    files = dict(file for package in lock.packages for file in _list_files(package))
    sizes = [project.compressed for project in projects.values()]
    platforms = {
        key: [
            _list_platforms(wheel.filename) for each in packages[key] for wheel in each.wheels or ()
        ]
        for key in projects
    }
    return Snapshot(
        name=name,
        kind="lock",
        size=None,
        compressed=sum(size or 0 for size in sizes) if None not in sizes else None,
        projects=projects,
        files=dict(sorted(files.items())),
        machines=_list_wheel_machines(chain(*platforms.values())),
        glibc=_find_wheel_glibc(platforms.values()),
        python=str(lock.requires_python or ""),
    )


def _snapshot_packages(packages: Sequence[Package]) -> ProjectSnapshot:
    files = [file for package in packages for file in _list_files(package)]
    wheels = [wheel for package in packages for wheel in package.wheels or ()]
    versions = sorted({package.version for package in packages if package.version is not None})
    return ProjectSnapshot(
        version=", ".join(map(str, versions)),
        size=None,
        compressed=wheels[0].size if len(wheels) == 1 else None,
        digest="\n".join(sorted(f"{location} {file.digest}" for location, file in files)),
    )


def _list_files(package: Package) -> Iterator[tuple[str, FileSnapshot]]:
    """Yield what a package can be installed from: wheels, or an sdist, archive, directory, commit.

    :returns: file name or location, and the snapshot
    """
    for file in (*(package.wheels or ()), *([package.sdist] if package.sdist else ())):
        yield file.filename, _snapshot_file(package, file.size, file.hashes)
    if archive := package.archive:
        location = redact(archive.url or "") or archive.path or ""
        yield location, _snapshot_file(package, archive.size, archive.hashes)
    if package.directory:
        yield package.directory.path, _snapshot_file(package, None, {})
    if package.vcs:
        location = redact(package.vcs.url or "") or package.vcs.path or ""
        yield f"{location}@{package.vcs.commit_id}", _snapshot_file(package, None, {})


def _snapshot_file(package: Package, size: int | None, hashes: Mapping[str, str]) -> FileSnapshot:
    # Two locks have SHA-256 in common more often than all their algorithms.
    digest = hashes.get("sha256") or " ".join(f"{key}:{hashes[key]}" for key in sorted(hashes))
    return FileSnapshot(owner=package.name, size=size, digest=digest)


def _list_wheel_machines(wheels: Iterable[frozenset[str]]) -> tuple[str, ...]:
    return tuple(sorted({_name_machine(platform) for platform in chain(*wheels)} - {""}))


def _name_machine(platform: str) -> str:
    """Name the machine of a platform tag; empty for ``any``."""
    if linux := _parse_platform(platform):
        return linux.arch
    if platform.startswith("macosx_"):
        return f"macOS {'_'.join(platform.split('_')[3:])}"
    if platform.startswith("win"):
        return f"Windows {platform.partition('_')[2] or 'i386'}"
    other_linux = re.fullmatch(r"(?:many|musl)?linux(?:\d+|_\d+_\d+)?_(.+)", platform)
    if other_linux:
        return other_linux[1]
    return "" if platform == "any" else platform


def _find_wheel_glibc(projects: Iterable[Iterable[frozenset[str]]]) -> str:
    """Find the glibc of the most demanding project on any machine, by its least demanding wheel."""
    floors: list[Floor] = []
    for wheels in projects:
        by_machine: dict[str, list[Floor]] = defaultdict(list)
        for platform in filter(None, map(_parse_platform, chain(*wheels))):
            if platform.libc and platform.libc.kind == "glibc":
                by_machine[platform.arch].append(platform.libc.version)
        floors.extend(map(min, by_machine.values()))
    return ".".join(map(str, max(floors))) if floors else ""


def _list_platforms(filename: str) -> frozenset[str]:
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return frozenset()
    return frozenset(tag.platform for tag in tags)


def _parse_platform(platform: str) -> Platform | None:
    try:
        return Platform.parse(platform)
    except TargetError:
        return None
