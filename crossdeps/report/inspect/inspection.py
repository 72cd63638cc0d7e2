"""What an artifact contains: the size, binaries, licence and dependencies of each project."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from crossdeps.binaries.model import find_required_glibc, list_machines
from crossdeps.report.diff.snapshot import group_by_project, join_versions
from crossdeps.report.inspect.project_metadata import Licence, dependency_graph, read_licence
from crossdeps.requirements.core_metadata import Headers
from crossdeps.target.model import Target  # noqa: TC001 - `inspect.signature` evaluates annotations
from crossdeps.target.runtimes import LAMBDA_LIMITS, Limits
from crossdeps.text import human_size, plural
from crossdeps.value import Value
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crossdeps.bundle.model import Bundle, Entry, InstalledProject

    ReadEntry = Callable[[Entry], bytes]
    WheelHashes = Mapping[tuple[str, str], Mapping[str, str]]

_FOLDER_DEPTH = 2
_LARGEST_METADATA = 16 << 20


class EmbeddedSbom(msgspec.Struct, frozen=True, kw_only=True):
    """An SBOM from a wheel (PEP 770): a file below ``.dist-info/sboms/``.

    :param sha256: hex digest; empty if the files were not hashed
    :param data: its bytes; empty if it is larger than 16 MiB
    """

    path: str
    sha256: str
    data: bytes


class ProjectShare(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an artifact that belongs to one project, or to none.

    :param name: normalized; empty for the user's own files
    :param version: several are joined by a comma
    :param size: bytes, unzipped
    :param compressed: bytes in the zip; None if unknown
    :param entries: its files, in path order
    :param machines: of its binaries
    :param glibc: the oldest that suffices for its binaries; empty if they require none
    :param requires: normalized names of the other projects of the artifact that it requires
    :param hashes: of its wheel, algorithm -> hex digest, if known
    """

    name: str
    version: str
    size: int
    compressed: int | None
    entries: tuple[Entry, ...]
    machines: tuple[str, ...]
    glibc: str
    licence: Licence = Licence()
    requires: tuple[str, ...] = ()
    summary: str = ""
    sboms: tuple[EmbeddedSbom, ...] = ()
    hashes: Mapping[str, str] = msgspec.field(default_factory=dict)


class Inspection(Value, frozen=True, kw_only=True):
    """An artifact and its shares.

    :param name: the last part of its path
    :param prefix: the folder of the packages, such as ``python/`` in a layer
    :param target: None if none was named
    :param limits: of the target's runtime, by default those of AWS Lambda
    :param limits_of: the name of that runtime
    :param size: unzipped bytes of all files
    :param compressed: bytes of the zip; None for a directory
    :param sha256: hex digest of the zip; empty for a directory
    :param digest: hex digest of the paths, modes and bytes of all files: that of a directory and of
        its zip are equal; empty if the files were not hashed
    :param shares: largest first
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
        """The shares of projects, largest first."""
        return tuple(share for share in self.shares if share.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``crossdeps report``; sizes in bytes, largest first."""
        target = self.target
        return {
            "version": 1,
            "crossdeps": __version__,
            "artifact": {
                "name": self.name,
                "kind": self.kind,
                "prefix": self.prefix or None,
                "entries": self.entries,
                "unzipped": self.size,
                "compressed": self.compressed,
                "sha256": self.sha256 or None,
                "architectures": list(self.machines),
                "glibc": self.glibc or None,
            },
            "target": target.to_dict() if target else None,
            "limits": {
                "of": self.limits_of,
                "unzipped": self.limits.unzipped,
                "direct_upload": self.limits.direct_upload,
            },
            "projects": [_share_document(share, self.prefix) for share in self.shares],
            "warnings": list(self.warnings),
        }

    def __repr__(self) -> str:
        projects = plural(len(self.projects), "project")
        return f"<Inspection of {self.name}: {projects}, {human_size(self.size)} unzipped>"


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder and everything below it that no deeper folder of the list counts.

    :param path: from the artifact's root, with a slash at its end; empty for the root itself
    :param size: bytes, unzipped
    """

    path: str
    size: int
    files: int


def inspect_bundle(
    bundle: Bundle,
    *,
    name: str,
    read: ReadEntry,
    target: Target | None = None,
    compressed: int | None = None,
    sha256: str = "",
    hashes: WheelHashes | None = None,
) -> Inspection:
    """Inspect an artifact that was read.

    :param read: returns the bytes of an entry; called for metadata and SBOMs only
    :param compressed: bytes of the zip; None for a directory
    :param sha256: of the zip
    :param hashes: of wheels, by normalized name and version
    """
    facts = target.runtime_facts if target else None
    binaries = [entry.binary for entry in bundle.entries if entry.binary]
    shares = _build_shares(bundle, read, target, hashes or {})
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
        digest=_hash_entries(bundle.entries),
        entries=len(bundle.entries),
        shares=tuple(sorted(shares, key=lambda share: (-share.size, share.name))),
        machines=list_machines(binaries),
        glibc=find_required_glibc(binaries),
        warnings=bundle.warnings,
    )


def _build_shares(
    bundle: Bundle, read: ReadEntry, target: Target | None, hashes: WheelHashes
) -> list[ProjectShare]:
    graph = dependency_graph(bundle.projects, target)
    shares = []
    for name, (entries, installed) in group_by_project(bundle).items():
        binaries = [entry.binary for entry in entries if entry.binary]
        share = ProjectShare(
            name=name,
            version=join_versions(installed),
            size=sum(entry.size for entry in entries),
            compressed=max((project.compressed for project in installed), default=0) or None,
            entries=tuple(entries),
            machines=list_machines(binaries),
            glibc=find_required_glibc(binaries),
            requires=graph.get(name, ()),
        )
        shares.append(_add_metadata(share, installed, read, hashes))
    return shares


def _add_metadata(
    share: ProjectShare, installed: Sequence[InstalledProject], read: ReadEntry, hashes: WheelHashes
) -> ProjectShare:
    """Return *share* with the licence, summary, SBOMs and hashes of the project."""
    if not installed:
        return share
    project = installed[-1]
    by_path = {entry.path: entry for entry in share.entries}
    metadata = by_path.get(f"{project.dist_info}/METADATA")
    is_readable = metadata is not None and metadata.size <= _LARGEST_METADATA
    headers = Headers(read(metadata) if metadata and is_readable else b"")
    sbom_folders = tuple(f"{each.dist_info}/sboms/" for each in installed)
    return msgspec.structs.replace(
        share,
        licence=read_licence(headers, project.dist_info, by_path),
        summary=" ".join(headers.get("Summary").split()),
        sboms=tuple(
            EmbeddedSbom(
                path=entry.path,
                sha256=entry.sha256,
                data=read(entry) if entry.size <= _LARGEST_METADATA else b"",
            )
            for entry in share.entries
            if entry.path.startswith(sbom_folders)
        ),
        hashes=hashes.get((project.name, project.version), {}),
    )


def _hash_entries(entries: Sequence[Entry]) -> str:
    if not all(entry.sha256 for entry in entries):
        return ""
    digest = hashlib.sha256()
    for entry in entries:
        line = f"{entry.path}\0{entry.mode:o}\0{entry.sha256}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def group_by_folder(entries: Iterable[Entry], prefix: str) -> tuple[Folder, ...]:
    """Sum up *entries* by folder down to the second level below *prefix*, largest first.

    Each file counts in one folder: the deepest of these that contains it.
    """
    sizes: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        base = prefix if entry.path.startswith(prefix) else ""
        parts = entry.path[len(base) :].split("/")[:-1][:_FOLDER_DEPTH]
        sizes[base + "".join(f"{part}/" for part in parts)].append(entry.size)
    folders = [Folder(path=path, size=sum(each), files=len(each)) for path, each in sizes.items()]
    return tuple(sorted(folders, key=lambda folder: (-folder.size, folder.path)))


def _share_document(share: ProjectShare, prefix: str) -> dict[str, Any]:
    licence = share.licence
    return {
        "name": share.name or None,
        "version": share.version or None,
        "unzipped": share.size,
        "compressed": share.compressed,
        "files": len(share.entries),
        "architectures": list(share.machines),
        "glibc": share.glibc or None,
        "requires": list(share.requires),
        "hashes": dict(sorted(share.hashes.items())),
        "licence": {
            "text": licence.text or None,
            "expression": licence.expression or None,
            "source": licence.source or None,
            "files": list(licence.files),
            "missing_files": list(licence.missing),
        },
        "sboms": [sbom.path for sbom in share.sboms],
        "folders": [
            {"path": folder.path, "unzipped": folder.size, "files": folder.files}
            for folder in group_by_folder(share.entries, prefix)
        ],
    }
