"""compare(): two artifacts, or two locks, read and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle import read_bundle
from crossdeps.errors import UsageError
from crossdeps.inputs import read_pylock
from crossdeps.report import Comparison, compare_snapshots, snapshot_bundle, snapshot_lock

if TYPE_CHECKING:
    import os

    from crossdeps.report import Snapshot

_LOCK_SUFFIX = ".toml"


def compare(before: str | os.PathLike[str], after: str | os.PathLike[str]) -> Comparison:
    """Find what differs between two artifacts by any tool, or between two locks.

    :param before: a directory, a zip, or a lock (a file that ends in ``.toml``)
    :param after: the same kind of thing
    :raises ArtifactReadError: if an artifact can't be read
    :raises InputError: if a lock can't be read
    :raises UsageError: if one is a lock and the other an artifact
    """
    paths = Path(before), Path(after)
    locks = [path for path in paths if _is_lock(path)]
    if len(locks) == 1:
        raise UsageError(
            "a lock can't be compared with an artifact",
            context=tuple(map(str, paths)),
            hint="give two artifacts or two locks; crossdeps build makes an artifact of a lock",
        )
    first, second = (_read_lock(path) if locks else _read_artifact(path) for path in paths)
    return compare_snapshots(first, second)


def own_name(path: Path) -> str:
    """The last part of *path*, resolved where that is ``.``."""
    return path.name or path.resolve().name or str(path)


def _is_lock(path: Path) -> bool:
    return path.suffix.lower() == _LOCK_SUFFIX and not path.is_dir()


def _read_lock(path: Path) -> Snapshot:
    return snapshot_lock(read_pylock(path), name=own_name(path))


def _read_artifact(path: Path) -> Snapshot:
    bundle = read_bundle(path)
    size = path.stat().st_size if bundle.kind == "zip" else None
    return snapshot_bundle(bundle, name=own_name(path), compressed=size)
