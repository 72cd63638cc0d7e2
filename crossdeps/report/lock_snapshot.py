"""A lock as a snapshot: the wheels stand for the files, their tags for the binaries."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.errors import TargetError
from crossdeps.inputs import redact
from crossdeps.report.snapshot import Held, HeldFile, Snapshot
from crossdeps.target.libc import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.pylock import Package, Pylock

    Floor = tuple[int, int]

_OTHER_LINUX = re.compile(r"(?:many|musl)?linux(?:\d+|_\d+_\d+)?_(.+)")


def snapshot_lock(lock: Pylock, *, name: str) -> Snapshot:
    """The snapshot of a lock (PEP 751)."""
    packages: dict[str, list[Package]] = defaultdict(list)
    for package in lock.packages:
        packages[package.name].append(package)
    projects = {key: _held(packages[key]) for key in sorted(packages)}
    files = {place: file for package in lock.packages for place, file in _files(package)}
    sizes = [held.compressed for held in projects.values()]
    wheels = {key: [w.filename for p in packages[key] for w in p.wheels or ()] for key in projects}
    return Snapshot(
        name=name,
        kind="lock",
        size=None,
        compressed=sum(size or 0 for size in sizes) if None not in sizes else None,
        projects=projects,
        files=dict(sorted(files.items())),
        machines=_machines(filename for names in wheels.values() for filename in names),
        glibc=_glibc(wheels.values()),
        python=str(lock.requires_python or ""),
    )


def _held(packages: list[Package]) -> Held:
    files = sorted(_place(place, file) for package in packages for place, file in _files(package))
    wheels = [wheel for package in packages for wheel in package.wheels or ()]
    versions = sorted({package.version for package in packages if package.version is not None})
    return Held(
        version=", ".join(map(str, versions)),
        size=None,
        compressed=wheels[0].size if len(wheels) == 1 else None,
        digest="\n".join(files),
    )


def _place(place: str, file: HeldFile) -> str:
    return f"{place} {file.digest}"


def _files(package: Package) -> Iterator[tuple[str, HeldFile]]:
    """What a package may be installed from: each wheel, or its sdist, archive, folder, commit."""
    for file in (*(package.wheels or ()), *([package.sdist] if package.sdist else ())):
        yield file.filename, _file(package, file.size, file.hashes)
    if package.archive:
        place = redact(package.archive.url or "") or package.archive.path or ""
        yield place, _file(package, package.archive.size, package.archive.hashes)
    if package.directory:
        yield package.directory.path, _file(package, None, {})
    if package.vcs:
        place = redact(package.vcs.url or "") or package.vcs.path or ""
        yield f"{place}@{package.vcs.commit_id}", _file(package, None, {})


def _file(package: Package, size: int | None, hashes: Mapping[str, str]) -> HeldFile:
    # The strongest hash is the same in two locks more often than the whole table is.
    best = hashes.get("sha256") or " ".join(f"{key}:{hashes[key]}" for key in sorted(hashes))
    return HeldFile(owner=package.name, size=size, digest=best)


def _machines(filenames: Iterable[str]) -> tuple[str, ...]:
    found = set()
    for filename in filenames:
        for platform in _platforms(filename):
            known = _known(platform)
            if known:
                found.add(known.arch)
            elif platform != "any":
                found.add(_foreign(platform))
    return tuple(sorted(found))


def _foreign(platform: str) -> str:
    if platform.startswith("macosx_"):
        return f"macOS {'_'.join(platform.split('_')[3:])}"
    if platform.startswith("win"):
        return f"Windows {platform.partition('_')[2] or 'i386'}"
    match = _OTHER_LINUX.fullmatch(platform)
    return match[1] if match else platform


def _glibc(projects: Iterable[list[str]]) -> str:
    """What the most demanding project needs on any architecture, by its least demanding wheel."""
    floors: list[Floor] = []
    for filenames in projects:
        by_arch: dict[str, list[Floor]] = defaultdict(list)
        for filename in filenames:
            for platform in filter(None, map(_known, _platforms(filename))):
                if platform.libc and platform.libc.kind == "glibc":
                    by_arch[platform.arch].append(platform.libc.version)
        floors.extend(min(each) for each in by_arch.values())
    return ".".join(map(str, max(floors))) if floors else ""


def _platforms(filename: str) -> frozenset[str]:
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return frozenset()
    return frozenset(tag.platform for tag in tags)


def _known(platform: str) -> Platform | None:
    try:
        return Platform.parse(platform)
    except TargetError:
        return None
