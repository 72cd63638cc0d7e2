"""What the native binaries of an artifact need, in a few words."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.errors import TargetError
from crossdeps.target.platforms import Platform
from crossdeps.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.pylock import Package, Pylock

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.bundle.model import Bundle, Entry

    Number = tuple[int, ...]
    Floor = tuple[int, int]

_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
# Marks that stand for a version of glibc: the first release that has each.
_MARKS = {"GLIBC_ABI_DT_RELR": (2, 36), "GLIBC_ABI_GNU2_TLS": (2, 42)}
_SYSTEMS = {"elf": "", "mach-o": "macOS ", "pe": "Windows "}
_LOADED = {"shared", "executable"}


def list_machines(binaries: Iterable[BinaryFacts]) -> tuple[str, ...]:
    """The machines that *binaries* are for, sorted: ``x86_64``, ``macOS arm64``, ``Windows i386``.

    Object files and code for other processors than the one that runs Python aren't counted.
    """
    return tuple(sorted({_machine(facts) for facts in binaries if is_loaded(facts)}))


def needed_glibc(binaries: Iterable[BinaryFacts]) -> str:
    """The oldest glibc that has every symbol version that *binaries* need.

    :returns: such as ``2.17``; empty where none needs any
    """
    numbers = [
        number
        for facts in binaries
        if is_loaded(facts)
        for _, names in facts.versions
        for name in names
        if (number := _number(name))
    ]
    return ".".join(map(str, max(numbers))) if numbers else ""


def is_loaded(facts: BinaryFacts) -> bool:
    """Whether it is a library, an extension module or a program, and not damaged."""
    return not facts.problem and (facts.format != "elf" or facts.kind in _LOADED)


def _machine(facts: BinaryFacts) -> str:
    return f"{_SYSTEMS[facts.format]}{facts.machine}"


def _number(name: str) -> Number | None:
    match = _GLIBC.fullmatch(name)
    return tuple(int(part) for part in match[1].split(".")) if match else _MARKS.get(name)


OWN_FILES = ""
"""The name that files of no project go by: the user's source."""

SnapshotKind = Literal["directory", "zip", "lock"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectSnapshot:
    """One project of an artifact or a lock.

    :param version: several, of a lock for several targets, joined by a comma; empty for own files
    :param size: bytes of its files, inflated; None where it isn't known (a lock)
    :param compressed: bytes of its files in the zip, or of its wheel; None where it isn't known
    :param digest: of its content; equal ones hold the same files
    """

    version: str
    size: int | None
    compressed: int | None
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSnapshot:
    """One file of an artifact; of a lock, one wheel.

    :param owner: normalised project name, or :data:`OWN_FILES`
    :param size: bytes, inflated; None where a lock doesn't say
    :param digest: of its bytes
    :param mode: permission bits; 0 of a lock
    """

    owner: str
    size: int | None
    digest: str
    mode: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """An artifact or a lock.

    :param name: the last part of its path
    :param size: bytes of all files, inflated; None for a lock
    :param compressed: bytes of the zip; of all wheels of a lock that has one wheel a project;
        else None
    :param projects: by normalised name, sorted
    :param files: by path, sorted; of a lock by the file name or place of each wheel or source
    :param machines: sorted, such as ``x86_64``
    :param glibc: the oldest that has all that is needed, such as ``2.17``: from the symbol versions
        of the binaries of an artifact, from the tags of the wheels of a lock
    :param python: the Requires-Python of a lock
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


def snapshot_bundle(bundle: Bundle, *, name: str, compressed: int | None = None) -> Snapshot:
    """The snapshot of an artifact that was read.

    :param compressed: bytes of the zip on disk; None for a directory
    """
    binaries = [entry.binary for entry in bundle.entries if entry.binary]
    return Snapshot(
        name=name,
        kind="zip" if bundle.kind == "zip" else "directory",
        size=bundle.size,
        compressed=compressed,
        projects=_projects(bundle),
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
        glibc=needed_glibc(binaries),
    )


def _projects(bundle: Bundle) -> dict[str, ProjectSnapshot]:
    owned: dict[str, list[Entry]] = defaultdict(list)
    for entry in bundle.entries:
        owned[entry.owner or OWN_FILES].append(entry)
    versions: dict[str, list[str]] = defaultdict(list)
    compressed: dict[str, int | None] = {}
    for project in bundle.projects:
        versions[project.name].append(project.version)
        compressed[project.name] = project.compressed or None
    return {
        name: ProjectSnapshot(
            version=", ".join(sorted(set(versions.get(name, ())))),
            size=sum(entry.size for entry in owned.get(name, ())),
            compressed=compressed.get(name),
            digest=_digest(f"{entry.path}\0{entry.sha256}" for entry in owned.get(name, ())),
        )
        for name in sorted({*owned, *versions})
    }


def _digest(parts: Iterable[str]) -> str:
    text = "\n".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


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


def _held(packages: list[Package]) -> ProjectSnapshot:
    files = sorted(_place(place, file) for package in packages for place, file in _files(package))
    wheels = [wheel for package in packages for wheel in package.wheels or ()]
    versions = sorted({package.version for package in packages if package.version is not None})
    return ProjectSnapshot(
        version=", ".join(map(str, versions)),
        size=None,
        compressed=wheels[0].size if len(wheels) == 1 else None,
        digest="\n".join(files),
    )


def _place(place: str, file: FileSnapshot) -> str:
    return f"{place} {file.digest}"


def _files(package: Package) -> Iterator[tuple[str, FileSnapshot]]:
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


def _file(package: Package, size: int | None, hashes: Mapping[str, str]) -> FileSnapshot:
    # The strongest hash is the same in two locks more often than the whole table is.
    best = hashes.get("sha256") or " ".join(f"{key}:{hashes[key]}" for key in sorted(hashes))
    return FileSnapshot(owner=package.name, size=size, digest=best)


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
