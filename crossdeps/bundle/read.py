"""Reading an artifact, made by any tool, as a Bundle.

As tolerant as a host: what is unusual but works is read, with a warning if it cannot be
represented. Errors of the file system and of the archive are errors.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import (
    VERSIONED_ROOT,
    Bundle,
    add_sizes,
    import_roots,
    read_project,
)
from crossdeps.bundle.scan import read_directory
from crossdeps.bundle.zip_scan import read_zip
from crossdeps.errors import ArtifactReadError
from crossdeps.requirements.core_metadata import Headers
from crossdeps.wheels.record import iterate_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Entry, InstalledProject

_DIST_INFO = re.compile(r"(?P<base>(?:.*/)?)(?P<stem>[^/]+)\.dist-info/[^/]+")
_IN_DIST_INFO = ".dist-info/"
_VERSIONED = re.compile(VERSIONED_ROOT)
_LAYER_DIRECTORIES = {"python", "bin", "lib", "etc", "share", "include", "extensions", ".crossdeps"}
_MAX_METADATA_SIZE = 64 << 20


def read_bundle(
    path: Path,
    *,
    hashes: bool = True,
    known: Bundle | None = None,
    python: tuple[int, int] | None = None,
    is_layer: bool = False,
) -> Bundle:
    """Read a directory, a zip or a layer: every file, and the projects that they belong to.

    Files belong to the project whose RECORD lists them, or whose .dist-info directory they are in
    ("Recording installed projects"). Memory is bounded, whatever the size of the artifact.

    :param hashes: if false, entries have no hashes: no more of a zip is inflated than metadata, and
        what the facts of binaries need, so that damage elsewhere isn't found
    :param known: an artifact that may have the same files. Without hashes, members of a zip that
        have the compressed bytes of its members get their contents and facts
    :param python: (major, minor) of the Python that will import from it: the directories of a layer
        that are for others have no projects. None reads those of all
    :param is_layer: whether it is known to be a layer; otherwise, what is in it tells
    :raises ArtifactReadError: if it doesn't exist, isn't an artifact, or is damaged
    """
    try:
        if path.is_dir():
            scan = read_directory(path, hashes=hashes)
        elif path.is_file():
            scan = read_zip(path, hashes=hashes, known=known)
        else:
            problem = "is neither a directory nor a file" if path.exists() else "doesn't exist"
            raise ArtifactReadError(f"{path} {problem}", hint="give a directory or a zip to check")
        entries = {entry.path: entry for entry in scan.entries}
        prefix = _find_prefix(entries, python, is_layer=is_layer)
        with ContentReader() as reader:
            installed, owners = _read_projects(entries, prefix, python, reader)
    except OSError as error:
        raise ArtifactReadError(
            f"{path} cannot be read: {error.strerror or error}",
            context=(str(error.filename),) if error.filename not in {None, str(path)} else (),
            hint="check its permissions",
        ) from error
    owned = tuple(
        msgspec.structs.replace(entry, owner=owners.get(entry.path))
        for _, entry in sorted(entries.items())
    )
    return Bundle(
        kind=scan.kind,
        entries=owned,
        prefix=prefix,
        projects=add_sizes(installed, owned, lambda entry: scan.compressed.get(entry.path, 0)),
        warnings=scan.warnings,
        path=str(path),
        closed_folders=scan.closed_folders,
    )


def add_hashes(bundle: Bundle, paths: Collection[str]) -> Bundle:
    """Return *bundle* with the SHA-256 of the files at *paths*.

    :raises ArtifactReadError: if one of them cannot be read
    """
    entries = []
    with ContentReader() as reader:
        for entry in bundle.entries:
            if entry.sha256 or entry.path not in paths:
                entries.append(entry)
                continue
            digest = hashlib.sha256()
            try:
                for chunk in reader.iterate(entry.content):
                    digest.update(chunk)
            except OSError as error:
                raise ArtifactReadError(
                    f"a file cannot be read: {error}", context=(entry.path,)
                ) from error
            entries.append(msgspec.structs.replace(entry, sha256=digest.hexdigest()))
    return msgspec.structs.replace(bundle, entries=tuple(entries))


def find_same_files(bundle: Bundle, other: Bundle) -> set[str]:
    """Find paths whose files and modes are known to be the same in both; others may be too.

    :param other: was read with *bundle* as the known one
    """
    entries = {entry.path: (entry.mode, entry.content) for entry in bundle.entries}
    return {
        entry.path
        for entry in other.entries
        if (entry.mode, entry.content) == entries.get(entry.path)
    }


def _find_prefix(paths: Iterable[str], python: tuple[int, int] | None, *, is_layer: bool) -> str:
    """Return where packages are: the first directory of a layer that has any, else the root."""
    bases = set()
    top: set[str] = set()
    has_module = False
    for path in paths:
        if _IN_DIST_INFO in path and (match := _DIST_INFO.fullmatch(path)):
            bases.add(match["base"])
        if versioned := _VERSIONED.match(path):
            bases.add(versioned[0])
        folder, slash, _ = path.partition("/")
        top.add(folder)
        has_module = has_module or (not slash and path.endswith(".py"))
    if "" in bases and not is_layer:
        return ""
    if python is not None:
        if has_module and not is_layer:  # a function that has a folder of that name
            return ""
        roots = import_roots("python/", python)
        bases = {base for base in bases if base in roots or not _VERSIONED.fullmatch(base)}
    if "python/" in bases:
        return "python/"
    for base in sorted(bases):
        if _VERSIONED.fullmatch(base):
            return base
    is_package = "python/__init__.py" in set(paths)
    has_layout = "python" in top and top <= _LAYER_DIRECTORIES and not is_package
    return "python/" if is_layer or has_layout else ""


def _import_roots(paths: Iterable[str], prefix: str, python: tuple[int, int] | None) -> set[str]:
    """Return the directories on ``sys.path`` of a hosted runtime; a layer may use two."""
    if python is not None or not prefix:
        return set(import_roots(prefix, python or (3, 0)))
    return {"python/", *(match[0] for path in paths if (match := _VERSIONED.match(path)))}


def _read_projects(
    entries: Mapping[str, Entry],
    prefix: str,
    python: tuple[int, int] | None,
    reader: ContentReader,
) -> tuple[list[InstalledProject], dict[str, NormalizedName]]:
    roots = _import_roots(entries, prefix, python)
    bases: dict[str, str] = {}
    for path in entries:
        match = _DIST_INFO.fullmatch(path) if _IN_DIST_INFO in path else None
        if match and match["base"] in roots:
            bases[path.rpartition("/")[0]] = match["base"]
    projects: dict[str, InstalledProject] = {}
    owners: dict[str, NormalizedName] = {}
    for dist_info, base in sorted(bases.items()):
        wheel = Headers(_read(reader, entries, f"{dist_info}/WHEEL"))
        metadata = _read(reader, entries, f"{dist_info}/METADATA")
        project = read_project(dist_info, metadata, wheel.get_all("Tag"))
        projects[dist_info] = project
        for recorded, _, _ in iterate_fields(_read(reader, entries, f"{dist_info}/RECORD")):
            path = _join(base, recorded)
            if path in entries:
                owners.setdefault(path, project.name)
    for path in entries:
        directory = path if _IN_DIST_INFO in path else ""
        while directory := directory.rpartition("/")[0]:
            if directory in projects:
                owners[path] = projects[directory].name
    return sorted(projects.values(), key=lambda project: (project.name, project.dist_info)), owners


def _join(base: str, path: str) -> str:
    """Resolve a path of a RECORD; ``../`` may leave *base*, but not the artifact."""
    if not path.startswith("../"):
        return base + path
    parts = base.rstrip("/").split("/") if base else []
    while path.startswith("../") and parts:
        parts.pop()
        path = path[3:]
    return "/".join((*parts, path))


def _read(reader: ContentReader, entries: Mapping[str, Entry], path: str) -> bytes:
    """Read a file of metadata; nothing if it doesn't exist or is too large."""
    entry = entries.get(path)
    if entry is None or entry.size > _MAX_METADATA_SIZE:
        return b""
    return reader.read(entry.content)
