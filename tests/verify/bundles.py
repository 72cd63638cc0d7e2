"""Bundles made by hand: files in memory, with the facts that a reader would find."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.binaries.formats import read_binary
from crossdeps.bundle.model import Bundle, Entry, InlineContent, InstalledProject
from tests.support.wheel_factory import record_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crossdeps.bundle.model import BundleKind


class Made:
    """A project to put into a bundle.

    :param files: path relative to where packages lie -> bytes
    :param record: further or other rows of RECORD: path -> (hash, size); None leaves the row out
    """

    def __init__(
        self,
        name: str,
        version: str = "1.0",
        *,
        files: Mapping[str, bytes] | None = None,
        tags: Sequence[str] = ("py3-none-any",),
        requires: Sequence[str] = (),
        requires_python: str | None = None,
        record: Mapping[str, tuple[str, str] | None] = {},
    ) -> None:
        self.name = canonicalize_name(name)
        self.stem = f"{name}-{version}.dist-info"
        self.version = version
        self.files = {f"{name}/__init__.py": b""} if files is None else dict(files)
        self.tags = tuple(tags)
        self.requires = tuple(requires)
        self.requires_python = requires_python
        rows = {path: (record_hash(data), str(len(data))) for path, data in self.files.items()}
        changed = {**rows, f"{self.stem}/RECORD": ("", ""), **record}
        text = "".join(f"{path},{','.join(row)}\n" for path, row in changed.items() if row)
        self.record = text.encode()

    def installed(self, prefix: str) -> InstalledProject:
        return InstalledProject(
            name=self.name,
            version=self.version,
            dist_info=f"{prefix}{self.stem}",
            wheel_tags=self.tags,
            requires=self.requires,
            requires_python=self.requires_python,
            size=sum(len(data) for data in self.files.values()),
        )


def make_bundle(
    *projects: Made,
    source: Mapping[str, bytes] = {},
    outside: Mapping[str, bytes] = {},
    modes: Mapping[str, int] = {},
    prefix: str = "",
    kind: BundleKind = "directory",
) -> Bundle:
    """A bundle of *projects* and files of no project.

    :param source: files where packages lie
    :param outside: files at the artifact's root, prefix or not
    :param modes: path relative to where packages lie -> permission bits, instead of 0644
    """
    entries = []
    for project in projects:
        files = {**project.files, f"{project.stem}/RECORD": project.record}
        entries += [_entry(prefix + path, data, project) for path, data in files.items()]
    entries += [_entry(prefix + path, data, None) for path, data in source.items()]
    entries += [_entry(path, data, None) for path, data in outside.items()]
    by_path = {prefix + path: mode for path, mode in modes.items()}
    return Bundle(
        kind=kind,
        prefix=prefix,
        projects=tuple(
            sorted((project.installed(prefix) for project in projects), key=lambda item: item.name)
        ),
        entries=tuple(
            sorted(
                (_with_mode(entry, by_path.get(entry.path)) for entry in entries),
                key=lambda entry: entry.path,
            )
        ),
    )


def _entry(path: str, data: bytes, project: Made | None) -> Entry:
    return Entry(
        path=path,
        mode=0o644,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=InlineContent(data=data),
        owner=project.name if project else None,
        binary=read_binary(data),
    )


def _with_mode(entry: Entry, mode: int | None) -> Entry:
    if mode is None:
        return entry
    return Entry(
        path=entry.path,
        mode=mode,
        size=entry.size,
        sha256=entry.sha256,
        content=entry.content,
        owner=entry.owner,
        binary=entry.binary,
    )
