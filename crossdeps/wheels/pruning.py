"""Keeping the store small: counting its wheels, removing unused ones, emptying it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import msgspec

from crossdeps.wheels.store_directory import FACTS_SUFFIX, WHEEL_SUFFIX, remove_abandoned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StoreInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the store under a cache directory holds.

    :param wheels: number of wheels
    :param size: bytes of the wheels
    :param facts: bytes of the files with their facts
    :param builds: number of results and logs of builds
    :param builds_size: bytes of these
    """

    path: Path
    wheels: int
    size: int
    facts: int
    builds: int
    builds_size: int


def store_info(root: Path) -> StoreInfo:
    """Count what the store under *root* holds; nothing if there is none."""
    base = root / "wheels"
    sizes: dict[str, list[int]] = {WHEEL_SUFFIX: [], FACTS_SUFFIX: []}
    for file in _files(base):
        sizes.setdefault(file.suffix, []).append(_size(file))
    builds = [_size(file) for file in _builds(root)]
    return StoreInfo(
        path=base,
        wheels=len(sizes[WHEEL_SUFFIX]),
        size=sum(sizes[WHEEL_SUFFIX]),
        facts=sum(sizes[FACTS_SUFFIX]),
        builds=len(builds),
        builds_size=sum(builds),
    )


def prune_store(root: Path, *, unused_days: float | None = None) -> int:
    """Remove abandoned work directories, and facts in other formats or without a wheel.

    :param unused_days: also remove wheels that were last used longer ago than this
    :returns: bytes freed
    """
    base = root / "wheels"
    freed = remove_abandoned(base / "tmp")
    if unused_days is not None:
        since = time.time() - unused_days * 86400
        wheels = [file for file in _files(base) if file.suffix == WHEEL_SUFFIX]
        unused = [file for file in (*wheels, *_builds(root)) if _last_used(file) < since]
        freed += sum(map(_remove, unused))
    for file in _files(base):
        if file.suffix != WHEEL_SUFFIX and (
            file.suffix != FACTS_SUFFIX or not file.with_suffix(WHEEL_SUFFIX).exists()
        ):
            freed += _remove(file)
    return freed


def clear_store(root: Path) -> int:
    """Remove every wheel. Processes that use one keep it until they end.

    :returns: bytes freed
    """
    base = root / "wheels"
    freed = remove_abandoned(base / "tmp")
    freed += sum(map(_remove, (*_files(base), *_builds(root))))
    for directory in [*_entries(base / "sha256"), base / "sha256", base / "tmp", base]:
        with contextlib.suppress(OSError):
            directory.rmdir()
    return freed


def _last_used(file: Path) -> float:
    """Seconds since the epoch; the facts of a wheel are touched on every use."""
    times = [0.0]
    for path in (file, file.with_suffix(FACTS_SUFFIX)):
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)


def _builds(root: Path) -> list[Path]:
    """The results of builds, and the logs of failed ones."""
    return [*_entries(root / "builds" / "made"), *_entries(root / "builds" / "logs")]


def _files(base: Path) -> Iterator[Path]:
    for directory in _entries(base / "sha256"):
        for file in _entries(directory):
            if file.is_file():
                yield file


def _entries(directory: Path) -> list[Path]:
    """The paths in *directory*, sorted; none if another process has removed it."""
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def _size(file: Path) -> int:
    """Bytes of *file*; 0 if another process has removed it."""
    with contextlib.suppress(OSError):
        return file.stat().st_size
    return 0


def _remove(file: Path) -> int:
    with contextlib.suppress(OSError):
        size = file.stat().st_size
        file.unlink()
        return size
    return 0
