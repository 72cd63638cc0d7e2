"""What an artifact or a lock holds, in the one form that two of them are compared in."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossdeps.report.natives import machines_of, needed_glibc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crossdeps.bundle import Bundle, Entry

OWN_FILES = ""
"""The name that files of no project go by: the user's source."""

SnapshotKind = Literal["directory", "zip", "lock"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
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
class HeldFile:
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
    projects: Mapping[str, Held]
    files: Mapping[str, HeldFile]
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
            entry.path: HeldFile(
                owner=entry.owner or OWN_FILES,
                size=entry.size,
                digest=entry.sha256,
                mode=entry.mode,
            )
            for entry in bundle.entries
        },
        machines=machines_of(binaries),
        glibc=needed_glibc(binaries),
    )


def _projects(bundle: Bundle) -> dict[str, Held]:
    owned: dict[str, list[Entry]] = defaultdict(list)
    for entry in bundle.entries:
        owned[entry.owner or OWN_FILES].append(entry)
    versions: dict[str, list[str]] = defaultdict(list)
    compressed: dict[str, int | None] = {}
    for project in bundle.projects:
        versions[project.name].append(project.version)
        compressed[project.name] = project.compressed or None
    return {
        name: Held(
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
