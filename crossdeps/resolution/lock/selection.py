"""Selects from a lock what a target installs. Nothing is resolved here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs, PylockSelectError

from crossdeps.errors import InputError, NoCandidateError
from crossdeps.index.model import ProjectFile
from crossdeps.index.transfer import STRONG
from crossdeps.resolution.lock.entries import read_source
from crossdeps.resolution.model import SelectedPackage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock

    from crossdeps.resolution.lock.entries import SourceEntry
    from crossdeps.target.model import Target


def select(
    lock: Pylock,
    target: Target,
    *,
    root: Path | None = None,
    extras: Collection[str] = (),
    groups: Collection[str] | None = None,
) -> tuple[SelectedPackage, ...]:
    """The packages that *target* installs from *lock* (PEP 751, "Installation"), sorted by name.

    :param root: the directory of the lock, which its relative paths start from
    :param groups: dependency groups; None selects the lock's default groups
    :raises InputError: if the lock was made for another target, naming the difference
    :raises NoCandidateError: if the lock has no compatible file of a package
    """
    _check_target(lock, target)
    try:
        selected = list(
            lock.select(
                environment=target.environment,
                tags=target.tags,
                extras=extras,
                dependency_groups=groups,
            )
        )
    except PylockSelectError as error:
        raise _explain(lock, target, error) from None
    packages = [_read_package(package, entry, root or Path()) for package, entry in selected]
    return tuple(sorted(packages, key=lambda each: each.name))


def check_hashes(selected: Iterable[SelectedPackage], lock: str) -> None:
    """Refuse a lock that has no strong hash for a file that it installs.

    Only for locks that were read: an index may state no hash, a lock must.

    :param lock: its path, for messages
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
    """Compare what markers cannot express and ``tool.crossdeps`` records: C library and ABI."""
    tool = (lock.tool or {}).get("crossdeps")
    targets = tool.get("targets") if isinstance(tool, dict) else None
    if not isinstance(targets, list):
        return
    tables = [table for table in targets if isinstance(table, dict)]
    differences = [_find_differences(table, target) for table in tables]
    if not tables or [] in differences:
        return
    nearest = min(differences, key=len)
    raise InputError(
        f"the lock is for another target: {'; '.join(nearest)}",
        context=(
            f"this target: {target.describe()}",
            *(f"the lock's target: {_describe(table)}" for table in tables),
        ),
        hint="make a lock for this target with `crossdeps lock`, or build for the lock's target",
        rule="lock-target",
    )


def _find_differences(table: Mapping[str, object], target: Target) -> list[str]:
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


def _explain(
    lock: Pylock, target: Target, error: PylockSelectError
) -> InputError | NoCandidateError:
    text = str(error)
    context = [f"this target: {target.describe()}"]
    hint = "make a lock for this target with `crossdeps lock`"
    if "No wheel found" in text:
        match = re.search(r"package '([^']+)'", text)
        project = match[1] if match else "a package"
        files = [
            wheel.filename
            for package in lock.packages
            if package.name == project
            for wheel in package.wheels or ()
        ]
        return NoCandidateError(
            f"the lock has no wheel of {project} for this target",
            context=(*context, *files[:6]),
            hint=hint,
        )
    context += [f"the lock's environment: {marker}" for marker in lock.environments or ()]
    if lock.requires_python:
        context.append(f"the lock's Python: {lock.requires_python}")
    message = "the lock is for another target"
    if "Multiple packages" in text:
        message = f"the lock is ambiguous for this target: {text}"
    return InputError(message, context=tuple(context), hint=hint, rule="lock-target")


def _read_package(
    package: Package, entry: SourceEntry | PackageWheel | PackageSdist, root: Path
) -> SelectedPackage:
    name, version = package.name, package.version
    if isinstance(entry, (PackageVcs, PackageDirectory, PackageArchive)):
        source, hashes = read_source(entry, root)
        return SelectedPackage(name=name, version=version, source=source, hashes=hashes)
    file = ProjectFile(
        filename=entry.filename,
        url=entry.url or (root / (entry.path or "")).absolute().as_uri(),
        hashes=dict(entry.hashes),
        size=entry.size,
        upload_time=entry.upload_time,
        index=package.index or "",
    )
    return SelectedPackage(name=name, version=version, file=file)
