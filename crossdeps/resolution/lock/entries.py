"""Parts of a lock: direct sources as package entries and back, and markers of targets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs
from packaging.specifiers import SpecifierSet

from crossdeps.index.transfer import STRONG
from crossdeps.requirements.model import DirectSource
from crossdeps.requirements.syntax import parse_marker
from crossdeps.text import without_login

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.markers import Marker

    from crossdeps.requirements.model import SourceKind
    from crossdeps.resolution.model import BuiltWheel
    from crossdeps.target.model import Target

SourceEntry = PackageVcs | PackageDirectory | PackageArchive
"""What a package of a lock has where it comes from no index (PEP 751)."""


def write_source(
    source: DirectSource,
    built: BuiltWheel | None,
    *,
    computed_hashes: Mapping[str, str] | None = None,
    relative_to: Path | None = None,
) -> SourceEntry:
    """The entry of *source*: without credentials, pinned by its content.

    :param computed_hashes: of the file that *source* names, where *built* has none
    :param relative_to: the directory of the lock, for local paths; absolute without it
    """
    if source.kind == "vcs":
        return _write_vcs(source, built.commit_id if built else None)
    location: dict[str, Any] = {"url": without_login(source.location)}
    if source.is_local:
        path = source.location
        if relative_to is not None:
            path = os.path.relpath(path, relative_to)
        location = {"path": path.replace(os.sep, "/")}
    if source.kind == "directory":
        return PackageDirectory(
            path=location.get("path", source.location),
            editable=True if source.editable else None,
            subdirectory=source.subdirectory,
        )
    hashes = dict(built.source_hashes) if built else {}
    if not hashes and built is not None and source.kind == "wheel":
        hashes = {"sha256": built.sha256}
    return PackageArchive(
        **location,
        hashes=dict(sorted((hashes or computed_hashes or {}).items())),
        subdirectory=source.subdirectory,
    )


def _write_vcs(source: DirectSource, commit_id: str | None) -> PackageVcs:
    """Take ``git+https://host/repo@rev`` apart (PEP 610 has the same parts)."""
    kind, _, address = without_login(source.location).partition("+")
    scheme, _, rest = address.partition("://")
    host, _, path = rest.partition("/")
    # The revision follows the last @, as in pip: a path may have another one.
    path, _, revision = path.rpartition("@") if "@" in path else (path, "", "")
    return PackageVcs(
        type=kind,
        url=f"{scheme}://{host}/{path}",
        requested_revision=revision or None,
        commit_id=commit_id or revision or "HEAD",
        subdirectory=source.subdirectory,
    )


def read_source(entry: SourceEntry, root: Path) -> tuple[DirectSource, frozenset[str]]:
    """The source of an entry, and its strong hashes as ``algorithm:hexdigest``.

    Weak hashes are left out, since any one of the hashes is enough to accept a file.

    :param root: the directory of the lock, which its relative paths start from
    """
    kind: SourceKind
    hashes: dict[str, str] = {}
    editable = False
    if isinstance(entry, PackageDirectory):
        location, editable = str(root / entry.path), bool(entry.editable)
        kind = "directory"
    else:
        location = entry.url or str(root / (entry.path or ""))
        if isinstance(entry, PackageVcs):
            kind, location = "vcs", f"{entry.type}+{location}@{entry.commit_id}"
        else:
            kind = "wheel" if _basename(location).endswith(".whl") else "archive"
            hashes = {name: digest for name, digest in entry.hashes.items() if name in STRONG}
    source = DirectSource(
        kind=kind, location=location, editable=editable, subdirectory=entry.subdirectory
    )
    return source, frozenset(f"{name}:{digest}" for name, digest in hashes.items())


def write_direct_url(entry: SourceEntry) -> bytes:
    """The content of direct_url.json for what *entry* installs, without credentials.

    That of a local path would say where it was on the machine that built the artifact, which means
    nothing on another one, and would make its bytes depend on that.

    Source: direct URL data structure specification (PEP 610).

    :returns: nothing for a local path
    """
    url = None if isinstance(entry, PackageDirectory) else entry.url
    if isinstance(entry, PackageDirectory) or not url or urlsplit(url).scheme in ("", "file"):
        return b""
    import json  # noqa: PLC0415 - direct references are rare

    from packaging.direct_url import ArchiveInfo, DirectUrl, VcsInfo  # noqa: PLC0415 - as above

    vcs, archive = None, None
    if isinstance(entry, PackageVcs):
        vcs = VcsInfo(
            vcs=entry.type,
            commit_id=entry.commit_id,
            requested_revision=entry.requested_revision,
        )
    else:
        archive = ArchiveInfo(hashes=dict(entry.hashes))
    stated = DirectUrl(
        url=without_login(url), vcs_info=vcs, archive_info=archive, subdirectory=entry.subdirectory
    )
    return json.dumps(stated.to_dict(), sort_keys=True).encode()


def as_locked(source: DirectSource, built: BuiltWheel) -> tuple[DirectSource, frozenset[str]]:
    """What :func:`read_source` gives for *source* once it has been locked."""
    if source.kind == "directory":
        return source, frozenset()
    return read_source(write_source(source, built), Path())


def _basename(location: str) -> str:
    path = urlsplit(location).path if "://" in location else location
    return unquote(path.rpartition("/")[2])


def write_index(index: str) -> str | None:
    """The index of a file as a URL, which a directory of ``--find-links`` need not be.

    :param index: a URL or a local path; empty if it is not known
    """
    if not index or "://" in index:
        return index or None
    return Path(os.path.abspath(index)).as_uri()  # noqa: PTH100 - links stay as they are


def build_environment_marker(target: Target) -> Marker:
    """The marker that is true for a machine of this target, as far as markers can express it."""
    return parse_marker(
        f'implementation_name == "cpython" and platform_machine == "{target.arch}"'
        f' and python_version == "{_minor(target)}" and sys_platform == "linux"'
    )


def build_requires_python(targets: Sequence[Target]) -> SpecifierSet:
    """The Python versions that a lock for *targets* is for."""
    minors = sorted({target.python_version for target in targets})
    major, first = minors[0]
    if len(minors) == 1:
        return SpecifierSet(f"=={major}.{first}.*")
    return SpecifierSet(f">={major}.{first},<{major}.{minors[-1][1] + 1}")


def build_marker(
    targets: Sequence[Target], all_targets: Sequence[Target], *, keep_overlap: bool
) -> Marker | None:
    """The shortest marker true for *targets* and false for the others; None if there are no others.

    :param keep_overlap: whether it may be true for others that no marker distinguishes: for a
        package that they don't need, but may have
    :raises ValueError: if no marker distinguishes another target, and *keep_overlap* is false
    """
    inside = {_key(target) for target in targets}
    outside = {_key(target) for target in all_targets if target not in targets}
    if inside & outside and not keep_overlap:
        raise ValueError("no marker distinguishes the targets")
    outside -= inside
    if not outside:
        return None
    arches = {arch for arch, _ in inside}
    pythons = {python for _, python in inside}
    if not arches & {arch for arch, _ in outside}:
        clauses: Iterable[str] = (f'platform_machine == "{arch}"' for arch in sorted(arches))
    elif not pythons & {python for _, python in outside}:
        clauses = (f'python_version == "{python}"' for python in sorted(pythons, key=_number))
    else:
        clauses = (
            f'platform_machine == "{arch}" and python_version == "{python}"'
            for arch, python in sorted(inside, key=lambda key: (key[0], _number(key[1])))
        )
    return parse_marker(" or ".join(clauses))


def _key(target: Target) -> tuple[str, str]:
    return target.arch, _minor(target)


def _minor(target: Target) -> str:
    major, minor = target.python_version
    return f"{major}.{minor}"


def _number(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))
