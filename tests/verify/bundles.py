"""Creates bundles in memory, with the facts that a reader would find."""

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


class FakeProject:
    """A project of a bundle.

    :param files: path relative to the prefix -> bytes
    :param record: additional or changed rows of RECORD: path -> (hash, size); None omits the row
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
    *projects: FakeProject,
    source: Mapping[str, bytes] = {},
    outside: Mapping[str, bytes] = {},
    modes: Mapping[str, int] = {},
    prefix: str = "",
    kind: BundleKind = "directory",
) -> Bundle:
    """Create a bundle of *projects* and files that no project owns.

    :param source: files under the prefix
    :param outside: files relative to the artifact's root
    :param modes: path relative to the prefix -> permission bits instead of 0644
    """
    owned = [
        (prefix + path, data, project.name)
        for project in projects
        for path, data in {**project.files, f"{project.stem}/RECORD": project.record}.items()
    ]
    unowned = [(prefix + path, data, None) for path, data in source.items()]
    unowned += [(path, data, None) for path, data in outside.items()]
    mode_of = {prefix + path: mode for path, mode in modes.items()}
    entries = [
        Entry(
            path=path,
            mode=mode_of.get(path, 0o644),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            content=InlineContent(data=data),
            owner=owner,
            binary=read_binary(data),
        )
        for path, data, owner in (*owned, *unowned)
    ]
    installed = [project.installed(prefix) for project in projects]
    return Bundle(
        kind=kind,
        prefix=prefix,
        projects=tuple(sorted(installed, key=lambda item: item.name)),
        entries=tuple(sorted(entries, key=lambda entry: entry.path)),
    )
