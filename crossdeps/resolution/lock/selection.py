"""A lock and a target -> what to fetch or build. Nothing is resolved here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PylockSelectError,
)

from crossdeps.errors import InputError, NoCandidateError
from crossdeps.index.model import ProjectFile
from crossdeps.index.transfer import STRONG
from crossdeps.resolution.lock.entries import read_part
from crossdeps.resolution.model import SelectedPackage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from packaging.pylock import Package, PackageWheel, Pylock

    from crossdeps.target.model import Target


def select(
    lock: Pylock,
    target: Target,
    *,
    root: Path | None = None,
    extras: Collection[str] = (),
    groups: Collection[str] | None = None,
) -> tuple[SelectedPackage, ...]:
    """What *target* takes of *lock* (PEP 751, "Installation"), sorted by name.

    :param root: the directory of the lock, which its relative paths start from
    :param groups: dependency groups; None takes the lock's default groups
    :raises InputError: if the lock was made for another target, naming the difference
    :raises NoCandidateError: if the lock has no file that fits
    """
    _check_target(lock, target)
    try:
        chosen = list(
            lock.select(
                environment=target.environment,
                tags=target.tags,
                extras=extras,
                dependency_groups=groups,
            )
        )
    except PylockSelectError as error:
        raise _refusal(lock, target, error) from None
    found = [_selected(package, part, root or Path()) for package, part in chosen]
    return tuple(sorted(found, key=lambda each: each.name))


def check_hashes(selected: Iterable[SelectedPackage], lock: str) -> None:
    """Refuse a lock that has no strong hash for a file that it installs.

    A plan that was just resolved isn't checked: an index may state no hash, a lock must.

    :param lock: its name, for messages
    :raises InputError: if the only hashes of a file are weak or unknown
    """
    unverified = [(item, file) for item in selected if (file := _unverified_file(item)) is not None]
    if not unverified:
        return
    file = unverified[0][1]
    raise InputError(
        f"{lock} has no hash of {file} that is SHA-256 or stronger",
        context=tuple(
            f"{lock}: {item.name}{f' {item.version}' if item.version else ''}: {file}"
            for item, file in unverified
        ),
        hint="make the lock again with `crossdeps lock`, or with a tool that writes SHA-256 hashes",
        rule="weak-hash",
    )


def _unverified_file(item: SelectedPackage) -> str | None:
    """The name of the file of *item*, if it has one that no strong hash verifies."""
    if item.file is not None:
        return None if STRONG & item.file.hashes.keys() else item.file.filename
    if item.source is None or item.source.kind in ("directory", "vcs") or item.hashes:
        return None
    return item.source.location.rpartition("/")[2]


def _check_target(lock: Pylock, target: Target) -> None:
    """What markers can't tell is in our own table: the C library, and the ABI."""
    tables = _our_targets(lock)
    if not tables:
        return
    differences = [_differences(table, target) for table in tables]
    if [] in differences:
        return
    nearest = min(differences, key=len)
    raise InputError(
        f"the lock is for another target: {'; '.join(nearest)}",
        context=(
            f"this target: {target.describe()}",
            *(f"the lock's: {_describe(table)}" for table in tables),
        ),
        hint="make a lock for this target with `crossdeps lock`, or build for the lock's",
        rule="lock-target",
    )


def _our_targets(lock: Pylock) -> list[Mapping[str, object]]:
    ours = (lock.tool or {}).get("crossdeps")
    tables = ours.get("targets") if isinstance(ours, dict) else None
    if not isinstance(tables, list):
        return []
    return [table for table in tables if isinstance(table, dict)]


def _differences(table: Mapping[str, object], target: Target) -> list[str]:
    found: list[str] = []
    python = str(table.get("python", target.python))
    if python.split(".")[:2] != target.python.split(".")[:2]:
        found.append(f"Python {python}, not {target.python}")
    elif str(table.get("abi", target.abi)) != target.abi:
        found.append(f"ABI {table.get('abi')}, not {target.abi}")
    arch = str(table.get("arch", target.arch))
    if arch != target.arch:
        found.append(f"{arch}, not {target.arch}")
    libc = re.fullmatch(r"(glibc|musl) (\d+)\.(\d+)", str(table.get("libc", "")))
    if libc and (libc[1] != target.libc.kind or (int(libc[2]), int(libc[3])) > target.libc.version):
        found.append(f"{libc[0]}, not {target.libc}")
    return found


def _describe(table: Mapping[str, object]) -> str:
    return ", ".join(
        str(table[key]) for key in ("runtime", "python", "arch", "libc") if table.get(key)
    )


def _refusal(
    lock: Pylock, target: Target, error: PylockSelectError
) -> InputError | NoCandidateError:
    context = [f"this target: {target.describe()}"]
    if "No wheel found" in str(error):
        name = re.search(r"package '([^']+)'", str(error))
        project = name[1] if name else "a package"
        files = [
            wheel.filename
            for package in lock.packages
            if package.name == project
            for wheel in package.wheels or ()
        ]
        return NoCandidateError(
            f"the lock has no wheel of {project} for this target",
            context=(*context, *files[:6]),
            hint="make a lock for this target with `crossdeps lock`",
        )
    if lock.environments:
        context += [f"the lock's: {marker}" for marker in lock.environments]
    if lock.requires_python:
        context.append(f"the lock's Python: {lock.requires_python}")
    text = str(error)
    if "Multiple packages" in text:
        message = f"the lock is ambiguous for this target: {text}"
    else:
        message = "the lock is for another target"
    return InputError(
        message,
        context=tuple(context),
        hint="make a lock for this target with `crossdeps lock`",
        rule="lock-target",
    )


def _selected(
    package: Package,
    part: PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist,
    root: Path,
) -> SelectedPackage:
    name, version = package.name, package.version
    if isinstance(part, (PackageVcs, PackageDirectory, PackageArchive)):
        source, pinned = read_part(part, root)
        return SelectedPackage(name=name, version=version, source=source, hashes=pinned)
    file = ProjectFile(
        filename=part.filename,
        url=part.url or (root / (part.path or "")).absolute().as_uri(),
        hashes=dict(part.hashes),
        size=part.size,
        upload_time=part.upload_time,
        index=package.index or "",
    )
    return SelectedPackage(name=name, version=version, file=file)
