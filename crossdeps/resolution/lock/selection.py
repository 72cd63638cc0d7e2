"""Selects from a lock what a target installs. Nothing is resolved here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs, PylockSelectError
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import InputError, NoCandidateError
from crossdeps.index.model import ProjectFile
from crossdeps.index.transfer import STRONG
from crossdeps.requirements.pylock import SUPPORTED_VERSION
from crossdeps.resolution.lock.entries import read_source, write_direct_url
from crossdeps.resolution.model import SelectedPackage
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock

    from crossdeps.resolution.lock.entries import SourceEntry
    from crossdeps.target.model import Target


def select(
    lock: Pylock,
    target: Target,
    *,
    root: Path | None = None,
    extras: Collection[str] = (),
    groups: Collection[str] = (),
    name: str = "the lock",
) -> tuple[SelectedPackage, ...]:
    """The packages that *target* installs from *lock* (PEP 751, "Installation"), sorted by name.

    :param root: the directory of the lock, which its relative paths start from
    :param groups: dependency groups instead of the default groups of the lock
    :param name: the path of the lock, for messages
    :raises InputError: if the lock was made for another target, naming the difference; or if it
        has no such extra or group
    :raises NoCandidateError: if the lock has no compatible file of a package
    """
    chosen_extras = _find_names("extra", extras, lock.extras or (), name)
    defaults = lock.default_groups or ()
    known_groups = (*(lock.dependency_groups or ()), *defaults)
    chosen_groups = _find_names("group", groups, known_groups, name)
    _check_target(lock, target)
    try:
        selected = list(
            lock.select(
                environment=target.environment,
                tags=target.tags,
                extras=chosen_extras,
                dependency_groups=chosen_groups or None,
            )
        )
    except PylockSelectError as error:
        raise _explain(lock, target, error) from None
    packages = [_read_package(package, entry, root or Path()) for package, entry in selected]
    return tuple(sorted(packages, key=lambda each: each.name))


def _find_names(kind: str, names: Iterable[str], known: Iterable[str], lock: str) -> frozenset[str]:
    """The *names* as the lock spells them.

    :param kind: ``extra`` or ``group``, for messages
    :param known: those of the lock; only extras need be normalised there
    :raises InputError: if the lock has no such extra or group
    """
    spelled = {canonicalize_name(name): name for name in known}
    unknown = [name for name in names if canonicalize_name(name) not in spelled]
    if unknown:
        plural = f"the {kind}s" if len(unknown) > 1 else f"the {kind}"
        listed = ", ".join(map(escape, spelled.values()))
        raise InputError(
            f"{lock} does not have {plural} {', '.join(map(escape, unknown))}",
            context=(lock,),
            hint=f"it has {listed}" if listed else f"it has no {kind}s: build it without --{kind}",
            rule=f"unknown-{kind}",
        )
    return frozenset(spelled[canonicalize_name(name)] for name in names)


def describe_choice(lock: Pylock, groups: Collection[str], name: str) -> Iterator[str]:
    """Warn of what a lock may have that is not selected.

    That is what a newer minor version adds to the standard (pylock.toml specification,
    "lock-version": an unknown one SHOULD be warned of), and default groups that *groups* replace.

    :param name: the path of the lock
    """
    if lock.lock_version > Version(SUPPORTED_VERSION):
        yield (
            f"{name} has lock-version {lock.lock_version}: what is newer in it than"
            f" {SUPPORTED_VERSION} is ignored"
        )
    chosen = set(map(canonicalize_name, groups))
    left_out = [
        group for group in lock.default_groups or () if canonicalize_name(group) not in chosen
    ]
    if chosen and left_out:
        options = " ".join(f"--group {escape(group)}" for group in left_out)
        yield f"--group replaces the default groups of {name}: add {options} to keep them"


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
        size = entry.size if isinstance(entry, PackageArchive) else None
        return SelectedPackage(
            name=name,
            version=version,
            source=source,
            hashes=hashes,
            size=size,
            direct_url=write_direct_url(entry),
        )
    file = ProjectFile(
        filename=entry.filename,
        url=entry.url or (root / (entry.path or "")).absolute().as_uri(),
        hashes=dict(entry.hashes),
        size=entry.size,
        upload_time=entry.upload_time,
        index=package.index or "",
    )
    return SelectedPackage(name=name, version=version, file=file)
