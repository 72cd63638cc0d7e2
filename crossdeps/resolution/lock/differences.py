"""Compares what two locks install: versions, files, hashes and environments.

Where a file is downloaded from, and what else a lock notes, does not count: an index has mirrors.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.text import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.pylock import Package, Pylock
    from packaging.utils import NormalizedName

Kind = Literal["environment", "package", "version", "marker", "file", "hash"]


class LockDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A difference between what two locks install.

    :param kind: what differs
    :param name: the project; empty where the whole lock is concerned
    :param before: in the first lock; empty where it has nothing there, likewise *after*
    """

    kind: Kind
    name: str = ""
    before: str = ""
    after: str = ""

    def describe(self) -> str:
        """One line, such as ``urllib3: version 1.26.20 -> 2.2.3``."""
        what = f"{self.kind} "
        if self.kind == "package":
            what = f"{self.name} " if self.name else ""
        subject = f"{self.name}: " if self.name and self.kind != "package" else ""
        if not self.before:
            return f"{subject}{what}{self.after} is missing"
        if not self.after:
            return f"{subject}{what}{self.before} is not needed any more"
        return f"{subject}{what}{self.before} -> {self.after}"


def compare_locks(before: Pylock, after: Pylock) -> tuple[LockDifference, ...]:
    """Compare what two locks install; empty if it is the same on every target.

    :param before: the lock that exists
    :param after: the lock that would replace it
    """
    old, new = _by_name(before), _by_name(after)
    differences = list(_compare_environments(before, after))
    for name in sorted(old.keys() | new.keys()):
        differences += _compare_project(name, old.get(name, {}), new.get(name, {}))
    return tuple(differences)


def compare_lines(before: str, after: str) -> tuple[LockDifference, ...]:
    """Compare two locks that are requirements with hashes, as :func:`compare_locks` does."""
    old, new = _read_lines(before), _read_lines(after)
    differences = [
        LockDifference(
            kind="environment" if key.startswith("#") else "package",
            before=key if key in old else "",
            after=key if key in new else "",
        )
        for key in sorted(old.keys() ^ new.keys())
    ]
    differences += [
        LockDifference(kind="hash", name=key, before=", ".join(old[key]), after=", ".join(new[key]))
        for key in sorted(old.keys() & new.keys())
        if old[key] != new[key]
    ]
    return tuple(differences)


def _read_lines(text: str) -> dict[str, list[str]]:
    """The hashes of each requirement, and the lines of comments."""
    lines = text.replace("\\\n", " ").splitlines()
    found = {}
    for line in filter(None, map(str.strip, lines)):
        requirement, *hashes = line.split(" --hash=")
        found[requirement.strip()] = sorted(each.strip() for each in hashes)
    return found


_Versions = dict[str, "Package"]


def _by_name(lock: Pylock) -> dict[NormalizedName, _Versions]:
    """The packages of each project, by version and source."""
    found: dict[NormalizedName, _Versions] = defaultdict(dict)
    for package in lock.packages:
        found[package.name][_identify(package)] = package
    return found


def _identify(package: Package) -> str:
    """The version; of a directory, repository or archive also where it comes from."""
    version = str(package.version or "")
    if package.vcs is not None:
        return f"{version} of {package.vcs.type}+{package.vcs.url}@{package.vcs.commit_id}".strip()
    if package.directory is not None:
        return f"{version} of {package.directory.path}".strip()
    if package.archive is not None:
        return f"{version} of {package.archive.url or package.archive.path}".strip()
    return version


def _compare_environments(before: Pylock, after: Pylock) -> Iterator[LockDifference]:
    old, new = _list_targets(before), _list_targets(after)
    for text in sorted(old - new):
        yield LockDifference(kind="environment", before=text)
    for text in sorted(new - old):
        yield LockDifference(kind="environment", after=text)
    if old == new and before.requires_python != after.requires_python:
        yield LockDifference(
            kind="environment",
            before=f"Python {before.requires_python or 'any'}",
            after=f"Python {after.requires_python or 'any'}",
        )


def _list_targets(lock: Pylock) -> set[str]:
    """The environments of a lock: as its targets, which name the C library, if it has them."""
    table = (lock.tool or {}).get("crossdeps")
    targets = table.get("targets") if isinstance(table, dict) else None
    if isinstance(targets, list) and targets and all(isinstance(each, dict) for each in targets):
        return {_describe_target(each) for each in targets}
    return set(map(str, lock.environments or ()))


def _describe_target(table: Mapping[str, object]) -> str:
    """A target without the patch release of its Python, which decides about no file by itself."""
    python = ".".join(str(table.get("python", "")).split(".")[:2])
    platforms = table.get("platforms")
    tags = join_words([str(tag) for tag in platforms]) if isinstance(platforms, list) else ""
    parts = (f"Python {python}", table.get("abi"), table.get("arch"), table.get("libc"), tags)
    return ", ".join(str(part) for part in parts if part)


def _compare_project(name: str, old: _Versions, new: _Versions) -> Iterator[LockDifference]:
    if not old or not new:
        yield LockDifference(kind="package", name=name, before=", ".join(old), after=", ".join(new))
        return
    if old.keys() != new.keys():
        yield LockDifference(
            kind="version",
            name=name,
            before=", ".join(text or "none" for text in old),
            after=", ".join(text or "none" for text in new),
        )
    for key in sorted(old.keys() & new.keys()):
        first, second = old[key], new[key]
        if (marker := str(first.marker or "")) != (other := str(second.marker or "")):
            yield LockDifference(
                kind="marker", name=name, before=marker or "none", after=other or "none"
            )
        yield from _compare_files(name, _hashes(first), _hashes(second))


def _hashes(package: Package) -> dict[str, Mapping[str, str]]:
    """The hashes of each file by its name."""
    files: Sequence[tuple[str, Mapping[str, str]]] = [
        (file.filename, file.hashes)
        for file in (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
    ]
    if package.archive is not None:
        files = [*files, ("archive", package.archive.hashes)]
    return dict(files)


def _compare_files(
    name: str, old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]
) -> Iterator[LockDifference]:
    for file in sorted(old.keys() | new.keys()):
        if file not in new:
            yield LockDifference(kind="file", name=name, before=file)
        elif file not in old:
            yield LockDifference(kind="file", name=name, after=file)
        elif first := _differing(old[file], new[file]):
            before, after = first
            yield LockDifference(kind="hash", name=name, before=f"{before} of {file}", after=after)


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, str] | None:
    """The first digests that differ, each with its algorithm; None if the hashes agree."""
    common = sorted(old.keys() & new.keys())
    for algorithm in common:
        if old[algorithm].lower() != new[algorithm].lower():
            return f"{algorithm}:{old[algorithm]}", f"{algorithm}:{new[algorithm]}"
    if common or not (old or new):
        return None
    return tuple(", ".join(sorted(each)) or "none" for each in (old, new))  # type: ignore[return-value]
