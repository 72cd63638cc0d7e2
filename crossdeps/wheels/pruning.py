"""Keeping the store small: what it holds, leaving out what wasn't used, emptying it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.wheels.facts import SUFFIX
from crossdeps.wheels.store_directory import WHEEL_SUFFIX, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreInfo:
    """What the store under a cache folder holds; sizes in bytes.

    :param wheels: how many wheels
    :param facts: bytes of the indexes beside them
    """

    path: Path
    wheels: int
    size: int
    facts: int


def store_info(root: Path) -> StoreInfo:
    """Count what the store under *root* holds; nothing where there is none."""
    base = root / "wheels"
    sizes: dict[str, list[int]] = {WHEEL_SUFFIX: [], SUFFIX: []}
    for file in _files(base):
        with contextlib.suppress(OSError):
            sizes.setdefault(file.suffix, []).append(file.stat().st_size)
    return StoreInfo(
        path=base,
        wheels=len(sizes[WHEEL_SUFFIX]),
        size=sum(sizes[WHEEL_SUFFIX]),
        facts=sum(sizes[SUFFIX]),
    )


def prune_store(root: Path, *, unused_days: float | None = None) -> int:
    """Remove what is of no use: leavings of dead processes, facts of other versions or no wheel.

    :param unused_days: remove wheels too that were last used longer ago than this
    :returns: bytes won
    """
    base = root / "wheels"
    won = sweep(base / "tmp")
    if unused_days is not None:
        since = time.time() - unused_days * 86400
        old = [file for file in _files(base) if file.suffix == WHEEL_SUFFIX]
        old = [file for file in old if _last_used(file) < since]
        logs = [file for file in _builds(root) if _last_used(file) < since]
        won += sum(_remove(file) for file in (*old, *logs))
    for file in _files(base):
        if file.suffix != WHEEL_SUFFIX and (
            file.suffix != SUFFIX or not file.with_suffix(WHEEL_SUFFIX).exists()
        ):
            won += _remove(file)
    return won


def clear_store(root: Path) -> int:
    """Remove every wheel. Processes that use one keep it until they are done.

    :returns: bytes won
    """
    base = root / "wheels"
    won = sweep(base / "tmp")
    won += sum(_remove(file) for file in (*_files(base), *_builds(root)))
    for folder in [*_entries(base / "sha256"), base / "sha256", base / "tmp", base]:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return won


def _last_used(file: Path) -> float:
    """Seconds since the epoch; the facts of a wheel are touched when it is found."""
    times = [0.0]
    for path in (file, file.with_suffix(SUFFIX)):
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)


def _builds(root: Path) -> list[Path]:
    """What was noted of builds, and the logs of those that failed."""
    return [*_entries(root / "builds" / "made"), *_entries(root / "builds" / "logs")]


def _files(base: Path) -> Iterator[Path]:
    for folder in _entries(base / "sha256"):
        for file in _entries(folder):
            if file.is_file():
                yield file


def _entries(folder: Path) -> list[Path]:
    """What is in *folder*, sorted; nothing where another process has removed it."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _remove(file: Path) -> int:
    with contextlib.suppress(OSError):
        size = file.stat().st_size
        file.unlink()
        return size
    return 0
