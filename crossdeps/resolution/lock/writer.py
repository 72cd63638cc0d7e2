"""Resolutions -> pylock.toml (PEP 751), for one target or for several."""

from __future__ import annotations

import os.path
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageWheel,
    Pylock,
)
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from crossdeps.errors import IntegrityError, ResolutionError
from crossdeps.index.transfer import STRONG
from crossdeps.resolution.lock.entries import (
    archive_hashes,
    build_environment_marker,
    build_requires_python,
    marker_for,
    vcs_part,
)
from crossdeps.resolution.model import Resolution
from crossdeps.text import without_login

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.requirements.model import DirectSource
    from crossdeps.resolution.model import BuiltWheel, Choice
    from crossdeps.target.model import Target

    Hashes = Mapping[str, Mapping[str, str]]

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def to_pylock(
    resolutions: Resolution | Sequence[Resolution],
    *,
    computed_hashes: Hashes | None = None,
    relative_to: Path | None = None,
) -> Pylock:
    """The lock of one or several targets: what each installs, with hashes and sizes.

    Every package lists the wheel that each target takes. What only some targets have, or have in
    another version, carries a marker.

    :param computed_hashes: by file URL, for files that their index states no strong hash for
    :param relative_to: the directory of the lock, for paths of local things; absolute without it
    :raises ResolutionError: if two targets that no marker tells apart take different versions
    """
    answers = (resolutions,) if isinstance(resolutions, Resolution) else tuple(resolutions)
    writer = _Writer(
        targets=tuple(answer.target for answer in answers),
        computed_hashes=computed_hashes or {},
        relative_to=relative_to,
    )
    by_name: dict[NormalizedName, list[tuple[Target, Choice]]] = defaultdict(list)
    for answer in answers:
        for name, choice in answer.choices.items():
            by_name[name].append((answer.target, choice))
    packages = [
        package for name in sorted(by_name) for package in writer.packages(name, by_name[name])
    ]
    requirements = sorted({item.text for answer in answers for item in answer.requirements})
    return Pylock(
        lock_version=Version("1.0"),
        environments=list(
            dict.fromkeys(build_environment_marker(answer.target) for answer in answers)
        ),
        requires_python=build_requires_python([answer.target for answer in answers]),
        created_by="crossdeps",
        packages=packages,
        tool={
            "crossdeps": {
                "requirements": requirements,
                "targets": [_target_table(answer.target) for answer in answers],
            }
        },
    )


def dump(lock: Pylock) -> str:
    """The lock as TOML; the same lock gives the same text.

    :raises IntegrityError: if a file has no hash, which PEP 751 wants of every one
    """
    unhashed = [
        file.filename
        for package in lock.packages
        for file in (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
        if not file.hashes
    ]
    unhashed += [
        str(package.name)
        for package in lock.packages
        if package.archive is not None and not package.archive.hashes
    ]
    if unhashed:
        raise IntegrityError(
            "a lock needs a hash of every file, and the index states none",
            context=tuple(unhashed),
            hint="use an index that states hashes, or give them with --hash",
        )
    return tomli_w.dumps(dict(lock.to_dict()))


class _Writer:
    def __init__(
        self, *, targets: Sequence[Target], computed_hashes: Hashes, relative_to: Path | None
    ) -> None:
        self._targets = targets
        self._computed = computed_hashes
        self._relative_to = relative_to

    def packages(
        self, name: NormalizedName, choices: Sequence[tuple[Target, Choice]]
    ) -> list[Package]:
        """The entries of one project: one for each version and source."""
        groups: dict[tuple[Version, str], list[tuple[Target, Choice]]] = defaultdict(list)
        for target, choice in choices:
            place = choice.source.location if choice.source else ""
            kind = "" if _wheel_file(choice) else "sdist"
            groups[choice.version, place or kind].append((target, choice))
        return [self._package(name, groups[key], alone=len(groups) == 1) for key in sorted(groups)]

    def _package(
        self, name: NormalizedName, group: Sequence[tuple[Target, Choice]], *, alone: bool
    ) -> Package:
        choice = group[0][1]
        takers = [target for target, _ in group]
        try:
            marker = marker_for(takers, self._targets, keep_overlap=alone)
        except ValueError:
            raise ResolutionError(
                f"targets that only differ in their C library take different versions of {name}",
                context=tuple(target.describe() for target in self._targets),
                hint="write one lock for each of them",
            ) from None
        needed = sorted({needed for _, each in group for needed in each.dependencies})
        found = choice.source
        parts = self._source_parts(choice, found) if found else self._file_parts(group)
        files = [each.candidate.file for _, each in group if each.candidate is not None]
        return Package(
            name=name,
            version=choice.version,
            marker=marker,
            requires_python=_specifier(choice.requires_python),
            dependencies=[{"name": needed_name} for needed_name in needed] or None,
            index=(files[0].index or None) if files else None,
            tool=_package_table(group),
            **parts,
        )

    def _file_parts(self, group: Sequence[tuple[Target, Choice]]) -> dict[str, Any]:
        wheels: dict[str, PackageWheel] = {}
        sdist: PackageSdist | None = None
        for _, choice in group:
            if choice.candidate is None:
                continue
            fields = self._file(choice.candidate.file, choice.built)
            if choice.candidate.file.filename.endswith(".whl"):
                wheels[choice.candidate.file.filename] = PackageWheel(**fields)
            else:
                sdist = PackageSdist(**fields)
        return {"wheels": [wheels[name] for name in sorted(wheels)] or None, "sdist": sdist}

    def _file(self, file: ProjectFile, built: BuiltWheel | None) -> dict[str, Any]:
        hashes = {**file.hashes, **self._computed.get(file.url, {})}
        if built is not None and not STRONG & hashes.keys():
            hashes |= built.source_hashes
        return {
            "name": file.filename,
            "upload_time": file.upload_time,
            "url": file.url,
            "size": file.size,
            "hashes": {algorithm: hashes[algorithm] for algorithm in sorted(hashes)},
        }

    def _source_parts(self, choice: Choice, source: DirectSource) -> dict[str, Any]:
        built = choice.built
        place = self._place(source)
        if source.kind == "directory":
            editable = True if source.editable else None
            return {
                "directory": PackageDirectory(
                    path=place.get("path") or source.location,
                    editable=editable,
                    subdirectory=source.subdirectory,
                )
            }
        if source.kind == "vcs":
            return {"vcs": vcs_part(source, built.commit_id if built else None)}
        hashes = archive_hashes(source, built) or self._computed.get(source.location, {})
        return {
            "archive": PackageArchive(
                **place,
                hashes={algorithm: hashes[algorithm] for algorithm in sorted(hashes)},
                subdirectory=source.subdirectory,
            )
        }

    def _place(self, source: DirectSource) -> dict[str, Any]:
        if not source.is_local:
            return {"url": without_login(source.location)}
        path = source.location
        if self._relative_to is not None:
            path = os.path.relpath(path, self._relative_to)
        return {"path": path.replace(os.sep, "/")}


def _wheel_file(choice: Choice) -> bool:
    return choice.candidate is not None and choice.candidate.file.filename.endswith(".whl")


def _specifier(text: str | None) -> SpecifierSet | None:
    try:
        return SpecifierSet(text) if text else None
    except InvalidSpecifier:
        return None


def _target_table(target: Target) -> dict[str, Any]:
    table = {
        "python": target.python,
        "arch": target.arch,
        "abi": target.abi,
        "libc": str(target.libc),
        "platforms": list(target.platforms),
        "runtime": target.runtime_name,
    }
    return {key: value for key, value in table.items() if value}


def _package_table(group: Sequence[tuple[Target, Choice]]) -> dict[str, Any] | None:
    """What was passed over, by reason: enough to tell why, without asking the index again."""
    reasons: dict[tuple[str, str, bool], list[str]] = {}
    for _, choice in group:
        for passed in choice.skipped_versions:
            key = (passed.reason, passed.detail, passed.forced_by_target)
            versions = reasons.setdefault(key, [])
            if str(passed.version) not in versions:
                versions.append(str(passed.version))
    if not reasons:
        return None
    return {
        "crossdeps": {
            "passed-over": [
                {"reason": reason, "detail": detail, "target": forced, "versions": versions}
                for (reason, detail, forced), versions in reasons.items()
            ]
        }
    }


LOCK_HEADER = "# Made by crossdeps lock; edit the requirements that it was made from instead."
"""The first line, by which such a file is known."""


def to_requirements(lock: Pylock) -> str:
    """Every package pinned, with its marker and the SHA-256 of its files, one a line.

    Source of the form: pip, "Secure installs" (hash-checking mode). The hashes are those of the
    lock: of the wheels that its targets take.

    :raises ResolutionError: if a package is a directory or a repository, which has no hash
    :raises IntegrityError: if a file has no hash
    """
    lines = [LOCK_HEADER]
    if lock.environments:
        lines += [f"# For {marker}" for marker in lock.environments]
    for package in lock.packages:
        lines.append(" \\\n    ".join([_requirement(package), *_hashes(package)]))
    return "\n".join(lines) + "\n"


def _requirement(package: Package) -> str:
    if package.vcs or package.directory:
        raise ResolutionError(
            f"{package.name} has no hash: it comes from a"
            f" {'repository' if package.vcs else 'directory'}",
            hint="write pylock.toml instead, which can hold it",
            rule="no-hash",
        )
    if package.archive is not None:
        place = package.archive.url or f"file://{package.archive.path}"
        pin = f"{package.name} @ {place}"
    else:
        pin = f"{package.name}=={package.version}"
    return f"{pin} ; {package.marker}" if package.marker else pin


def _hashes(package: Package) -> list[str]:
    files = [package.archive] if package.archive else [*(package.wheels or ()), package.sdist]
    digests = [file.hashes.get("sha256") for file in files if file is not None]
    if not digests or None in digests:
        raise IntegrityError(
            f"a file of {package.name} has no SHA-256 hash",
            hint="use an index that states hashes",
            rule="no-hash",
        )
    return sorted(f"--hash=sha256:{digest}" for digest in digests)
