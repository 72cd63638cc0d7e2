"""The files of a project summed up by folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.bundle import Entry

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


def folders_of(entries: Iterable[Entry], prefix: str) -> tuple[Folder, ...]:
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
