"""Any artifact, made by any tool, as a Bundle.

Tolerant where a host is: what is odd but works is read, with a warning where it can't be carried
over. The file system's and the archive's own faults are errors.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import Bundle, installed_project
from crossdeps.bundle.scan import read_directory, read_zip
from crossdeps.errors import ArtifactReadError
from crossdeps.wheels.record import parse_installed_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Entry, InstalledProject

_DIST_INFO = re.compile(r"(?P<base>(?:.*/)?)(?P<stem>[^/]+)\.dist-info/[^/]+")
_VERSIONED = re.compile(r"python/lib/python3\.\d+/site-packages/")
_LAYER_FOLDERS = {"python", "bin", "lib", "etc", "share", "include", "extensions", ".crossdeps"}
_LARGEST_METADATA = 64 << 20


def read_bundle(path: Path) -> Bundle:
    """Read a directory, a zip or a layer: every file, and the projects it comes from.

    Files belong to the project whose RECORD lists them, or whose .dist-info they lie in
    ("Recording installed projects"). Memory stays bounded whatever the artifact's size is.

    :raises ArtifactReadError: if it doesn't exist, isn't an artifact, or is damaged
    """
    try:
        if path.is_dir():
            found = read_directory(path)
        elif path.is_file():
            found = read_zip(path)
        elif path.exists():
            raise ArtifactReadError(
                f"{path} is neither a directory nor a file",
                hint="give a directory or a zip to check",
            )
        else:
            raise ArtifactReadError(
                f"{path} doesn't exist", hint="give a directory or a zip to check"
            )
        entries = {entry.path: entry for entry in found.entries}
        prefix = _find_prefix(entries)
        with ContentReader() as reader:
            installed, owners = _read_projects(entries, prefix, reader)
    except OSError as error:
        raise ArtifactReadError(
            f"{path} can't be read: {error.strerror or error}",
            context=(str(error.filename),) if error.filename not in {None, str(path)} else (),
            hint="let this user read it, or run as one who may",
        ) from error
    owned = tuple(
        replace(entry, owner=owners.get(entry.path)) for _, entry in sorted(entries.items())
    )
    return Bundle(
        kind=found.kind,
        entries=owned,
        prefix=prefix,
        projects=_with_sizes(installed, owned, found.compressed),
        warnings=found.warnings,
    )


def _find_prefix(paths: Iterable[str]) -> str:
    """Where packages lie: the first of a layer's folders that has any, else the root."""
    bases = set()
    top: set[str] = set()
    for path in paths:
        match = _DIST_INFO.fullmatch(path)
        if match:
            bases.add(match["base"])
        versioned = _VERSIONED.match(path)
        if versioned:
            bases.add(versioned[0])
        top.add(path.partition("/")[0])
    if "" in bases:
        return ""
    if "python/" in bases:
        return "python/"
    for base in sorted(bases):
        if _VERSIONED.fullmatch(base):
            return base
    is_layer = "python" in top and top <= _LAYER_FOLDERS
    is_package = "python/__init__.py" in set(paths)
    return "python/" if is_layer and not is_package else ""


def _import_roots(paths: Iterable[str], prefix: str) -> set[str]:
    """The folders that a hosted runtime has on ``sys.path``; a layer may use two."""
    if not prefix:
        return {""}
    return {"python/", *(match[0] for path in paths if (match := _VERSIONED.match(path)))}


def _read_projects(
    entries: Mapping[str, Entry], prefix: str, reader: ContentReader
) -> tuple[list[InstalledProject], dict[str, NormalizedName]]:
    roots = _import_roots(entries, prefix)
    folders: dict[str, tuple[str, str]] = {}
    for path in entries:
        match = _DIST_INFO.fullmatch(path)
        if match and match["base"] in roots:
            folders[path.rpartition("/")[0]] = (match["base"], match["stem"])
    installed = []
    owners: dict[str, NormalizedName] = {}
    for folder, (base, _) in sorted(folders.items()):
        metadata = _read(reader, entries, f"{folder}/METADATA")
        project = installed_project(folder, metadata, _read(reader, entries, f"{folder}/WHEEL"))
        installed.append(project)
        for row in parse_installed_record(_read(reader, entries, f"{folder}/RECORD") or b""):
            path = _join(base, row.path)
            if path in entries:
                owners.setdefault(path, project.name)
    for path in entries:
        folder = path
        while folder := folder.rpartition("/")[0]:
            if folder in folders:
                stem = folders[folder][1]
                name = next((p.name for p in installed if p.dist_info == folder), None)
                owners[path] = name or canonicalize_name(stem.partition("-")[0])
    return sorted(installed, key=lambda project: (project.name, project.dist_info)), owners


def _join(base: str, path: str) -> str:
    """A path of a RECORD from the artifact's root; ``../`` may climb out of *base*, not further."""
    parts = base.rstrip("/").split("/") if base else []
    while path.startswith("../") and parts:
        parts.pop()
        path = path[3:]
    return "/".join((*parts, path))


def _read(reader: ContentReader, entries: Mapping[str, Entry], path: str) -> bytes | None:
    entry = entries.get(path)
    if entry is None or entry.size > _LARGEST_METADATA:
        return None
    return reader.read(entry.content)


def _with_sizes(
    installed: Sequence[InstalledProject], entries: Sequence[Entry], compressed: Mapping[str, int]
) -> tuple[InstalledProject, ...]:
    sizes: dict[NormalizedName | None, list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        sums = sizes[entry.owner]
        sums[0] += entry.size
        sums[1] += compressed.get(entry.path, 0)
    return tuple(
        replace(project, size=sizes[project.name][0], compressed=sizes[project.name][1])
        for project in installed
    )
