"""The files of a project summed up by folder."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from crossdeps.report.diff.snapshot import OWN_FILES, list_machines, needed_glibc
from crossdeps.report.inspect.project_metadata import Licence, dependency_graph, read_licence
from crossdeps.requirements.core_metadata import Headers
from crossdeps.target.runtimes import LAMBDA_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crossdeps.bundle.model import Bundle, Entry, InstalledProject
    from crossdeps.target.model import Target
    from crossdeps.target.runtimes import Limits

    Read = Callable[[Entry], bytes]

DEPTH = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A folder, with all that is below it as far as no other folder of the list counts it.

    :param path: from the artifact's root, with a slash at its end; empty for the root itself
    :param size: bytes, inflated
    """

    path: str
    size: int
    files: int


def group_by_folder(entries: Iterable[Entry], prefix: str) -> tuple[Folder, ...]:
    """The folders of *entries* down to the second level below *prefix*, biggest first.

    Each file counts in one folder: the deepest of these that it lies in.
    """
    sums: dict[str, list[int]] = {}
    for entry in entries:
        inside = entry.path.startswith(prefix)
        base = prefix if inside else ""
        parts = entry.path[len(base) :].split("/")[:-1][:DEPTH]
        folder = base + "".join(f"{part}/" for part in parts)
        total = sums.setdefault(folder, [0, 0])
        total[0] += entry.size
        total[1] += 1
    folders = [Folder(path=path, size=size, files=files) for path, (size, files) in sums.items()]
    return tuple(sorted(folders, key=lambda folder: (-folder.size, folder.path)))


_LARGEST_METADATA = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedSbom:
    """An SBOM that a wheel brought along (PEP 770): a file below ``.dist-info/sboms/``.

    :param data: its bytes; empty where it is larger than 16 MiB
    """

    path: str
    sha256: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectShare:
    """What one project takes of an artifact.

    :param name: normalised; empty for files of no project, which are the user's own
    :param version: several, joined by a comma, where it is there more than once
    :param size: bytes, inflated
    :param compressed: bytes in the zip; None where it isn't known
    :param entries: its files, in path order
    :param machines: that its binaries are for
    :param glibc: the oldest that has all that its binaries need; empty where they need none
    :param requires: normalised names of the other projects of the artifact that it requires
    :param hashes: of the wheel that it came from, algorithm -> hex digest, where it is known
    """

    name: str
    version: str
    size: int
    compressed: int | None
    entries: tuple[Entry, ...] = field(repr=False)
    machines: tuple[str, ...]
    glibc: str
    licence: Licence = field(default_factory=Licence)
    requires: tuple[str, ...] = ()
    summary: str = ""
    sboms: tuple[EmbeddedSbom, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """An artifact, taken apart.

    :param name: the last part of its path
    :param prefix: where packages lie, such as ``python/`` in a layer
    :param target: None where none was named
    :param limits: of the target's runtime; of AWS Lambda where none was named
    :param limits_of: whose they are, for people
    :param size: bytes of all files, inflated
    :param compressed: bytes of the zip; None for a directory
    :param sha256: hex digest of the zip; empty for a directory
    :param digest: of paths, modes and bytes of all files, hex; the same for a directory and its zip
    :param shares: biggest first
    """

    name: str
    kind: Literal["directory", "zip"]
    prefix: str
    target: Target | None
    limits: Limits
    limits_of: str
    size: int
    compressed: int | None
    sha256: str
    digest: str
    entries: int
    shares: tuple[ProjectShare, ...]
    machines: tuple[str, ...]
    glibc: str
    warnings: tuple[str, ...] = ()

    @property
    def projects(self) -> tuple[ProjectShare, ...]:
        """The portions that are projects, biggest first."""
        return tuple(share for share in self.shares if share.name)


def inspect_bundle(
    bundle: Bundle,
    *,
    name: str,
    read: Read,
    target: Target | None = None,
    compressed: int | None = None,
    sha256: str = "",
    hashes: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
) -> Inspection:
    """Take an artifact that was read apart.

    :param read: gives the bytes of an entry; asked for metadata and SBOMs only
    :param compressed: bytes of the zip; None for a directory
    :param sha256: of the zip
    :param hashes: of wheels, by normalised name and version
    """
    facts = target.runtime_facts if target else None
    binaries = [entry.binary for entry in bundle.entries if entry.binary]
    shares = _portions(bundle, read, target, hashes or {})
    return Inspection(
        name=name,
        kind="zip" if bundle.kind == "zip" else "directory",
        prefix=bundle.prefix,
        target=target,
        limits=facts.limits if facts else LAMBDA_LIMITS,
        limits_of=facts.name if facts else "AWS Lambda",
        size=bundle.size,
        compressed=compressed,
        sha256=sha256,
        digest=_digest(bundle.entries),
        entries=len(bundle.entries),
        shares=tuple(sorted(shares, key=lambda share: (-share.size, share.name))),
        machines=list_machines(binaries),
        glibc=needed_glibc(binaries),
        warnings=bundle.warnings,
    )


def _portions(
    bundle: Bundle,
    read: Read,
    target: Target | None,
    hashes: Mapping[tuple[str, str], Mapping[str, str]],
) -> list[ProjectShare]:
    owned: dict[str, list[Entry]] = defaultdict(list)
    for entry in bundle.entries:
        owned[entry.owner or OWN_FILES].append(entry)
    installed: dict[str, list[InstalledProject]] = defaultdict(list)
    for project in bundle.projects:
        installed[project.name].append(project)
    graph = dependency_graph(bundle.projects, target)
    shares = []
    for name in sorted({*owned, *installed}):
        entries = owned.get(name, [])
        binaries = [entry.binary for entry in entries if entry.binary]
        share = ProjectShare(
            name=name,
            version=", ".join(sorted({project.version for project in installed[name]})),
            size=sum(entry.size for entry in entries),
            compressed=max((project.compressed for project in installed[name]), default=0) or None,
            entries=tuple(entries),
            machines=list_machines(binaries),
            glibc=needed_glibc(binaries),
            requires=graph.get(name, ()),
        )
        shares.append(_with_metadata(share, installed[name], read, hashes))
    return shares


def _with_metadata(
    share: ProjectShare,
    installed: Sequence[InstalledProject],
    read: Read,
    hashes: Mapping[tuple[str, str], Mapping[str, str]],
) -> ProjectShare:
    """*share* with what the project's own metadata tells."""
    if not installed:
        return share
    project = installed[-1]
    by_path = {entry.path: entry for entry in share.entries}
    metadata = by_path.get(f"{project.dist_info}/METADATA")
    small = metadata is not None and metadata.size <= _LARGEST_METADATA
    headers = Headers(read(metadata) if metadata and small else b"")
    sboms = [
        EmbeddedSbom(
            path=entry.path,
            sha256=entry.sha256,
            data=read(entry) if entry.size <= _LARGEST_METADATA else b"",
        )
        for entry in share.entries
        if any(entry.path.startswith(f"{each.dist_info}/sboms/") for each in installed)
    ]
    return replace(
        share,
        licence=read_licence(headers, project.dist_info, by_path),
        summary=" ".join(headers.get("Summary").split()),
        sboms=tuple(sboms),
        hashes=hashes.get((project.name, project.version), {}),
    )


def _digest(entries: Sequence[Entry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        line = f"{entry.path}\0{entry.mode:o}\0{entry.sha256}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
