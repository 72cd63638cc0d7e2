"""Writes locks: pylock.toml (PEP 751) of one or several resolutions, and requirements.txt."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from crossdeps.errors import IntegrityError, ResolutionError
from crossdeps.index.transfer import STRONG
from crossdeps.requirements.pylock import LOCK_HEADER
from crossdeps.resolution.lock.entries import (
    build_environment_marker,
    build_marker,
    build_requires_python,
    write_index,
    write_source,
)
from crossdeps.resolution.lock.recorded import record
from crossdeps.resolution.model import Resolution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.requirements.model import DirectSource
    from crossdeps.resolution.model import BuiltWheel, Choice
    from crossdeps.target.model import Target

    Hashes = Mapping[str, Mapping[str, str]]


def to_pylock(
    resolutions: Resolution | Sequence[Resolution],
    *,
    computed_hashes: Hashes | None = None,
    relative_to: Path | None = None,
) -> Pylock:
    """The lock of one or several targets: what each installs, with hashes and sizes.

    Every package lists the wheel of each target. A package that only some targets have, or have in
    another version, has a marker. The order of the targets does not matter, nor what was skipped:
    a lock changes only with its requirements, its targets and what they install.

    :param computed_hashes: by file URL, for files whose index states no strong hash
    :param relative_to: the directory of the lock, for local paths; absolute without it
    :raises ResolutionError: if two targets that no marker distinguishes have different versions
    """
    if isinstance(resolutions, Resolution):
        resolutions = (resolutions,)
    resolutions = sorted(resolutions, key=lambda resolution: _target_order(resolution.target))
    targets = [resolution.target for resolution in resolutions]
    writer = _Writer(
        resolutions=resolutions, computed_hashes=computed_hashes or {}, relative_to=relative_to
    )
    by_name: dict[NormalizedName, list[tuple[Target, Choice]]] = defaultdict(list)
    for resolution in resolutions:
        for name, choice in resolution.choices.items():
            by_name[name].append((resolution.target, choice))
    packages = [
        package for name in sorted(by_name) for package in writer.packages(name, by_name[name])
    ]
    requirements = {item.text for resolution in resolutions for item in resolution.requirements}
    return Pylock(
        lock_version=Version("1.0"),
        environments=list(dict.fromkeys(map(build_environment_marker, targets))),
        requires_python=build_requires_python(targets),
        created_by="crossdeps",
        packages=packages,
        tool=record(requirements, targets),
    )


def dump(lock: Pylock) -> str:
    """The lock as TOML; the same lock gives the same text.

    :raises IntegrityError: if a file has no hash, which PEP 751 requires of every one
    """
    import tomli_w  # noqa: PLC0415 - not needed to build from a lock

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
            "a lock requires a hash of every file, and the index states none for these",
            context=tuple(unhashed),
            hint="use an index that states hashes, or add them with --hash",
        )
    return tomli_w.dumps(dict(lock.to_dict()))


class _Writer:
    def __init__(
        self,
        *,
        resolutions: Sequence[Resolution],
        computed_hashes: Hashes,
        relative_to: Path | None,
    ) -> None:
        self._targets = [resolution.target for resolution in resolutions]
        self._choices = {resolution.target: resolution.choices for resolution in resolutions}
        versions: dict[NormalizedName, set[Version]] = defaultdict(set)
        for resolution in resolutions:
            for name, choice in resolution.choices.items():
                versions[name].add(choice.version)
        self._ambiguous = {name for name, found in versions.items() if len(found) > 1}
        self._computed = computed_hashes
        self._relative_to = relative_to

    def packages(
        self, name: NormalizedName, choices: Sequence[tuple[Target, Choice]]
    ) -> list[Package]:
        """The entries of one project: one for each version and source."""
        groups: dict[tuple[Version, str], list[tuple[Target, Choice]]] = defaultdict(list)
        for target, choice in choices:
            if choice.source is not None:
                key = choice.source.location
            else:
                key = "" if choice.candidate and choice.candidate.is_wheel else "sdist"
            groups[choice.version, key].append((target, choice))
        return [self._package(name, groups[key], alone=len(groups) == 1) for key in sorted(groups)]

    def _package(
        self, name: NormalizedName, group: Sequence[tuple[Target, Choice]], *, alone: bool
    ) -> Package:
        choice = group[0][1]
        try:
            marker = build_marker(
                [target for target, _ in group], self._targets, keep_overlap=alone
            )
        except ValueError:
            raise ResolutionError(
                f"targets that differ only in their C library have different versions of {name}",
                context=tuple(target.describe() for target in self._targets),
                hint="write one lock for each of them",
            ) from None
        files = [each.candidate.file for _, each in group if each.candidate is not None]
        return Package(
            name=name,
            version=choice.version,
            marker=marker,
            requires_python=_specifier(choice.requires_python),
            dependencies=self._dependencies(group) or None,
            index=write_index(files[0].index) if files else None,
            **(self._source_entry(choice, choice.source) if choice.source else self._files(group)),
        )

    def _dependencies(self, group: Sequence[tuple[Target, Choice]]) -> list[dict[str, str]]:
        """The dependencies on every target; with the version where a name alone is ambiguous.

        Source: pylock.toml specification, ``packages.dependencies``.
        """
        found: set[tuple[NormalizedName, Version | None]] = set()
        for target, choice in group:
            for name in choice.dependencies:
                is_ambiguous = name in self._ambiguous
                version = self._choices[target][name].version if is_ambiguous else None
                found.add((name, version))
        return [
            {"name": name} if version is None else {"name": name, "version": str(version)}
            for name, version in sorted(found, key=lambda each: (each[0], each[1] or Version("0")))
        ]

    def _source_entry(self, choice: Choice, source: DirectSource) -> dict[str, Any]:
        entry = write_source(
            source,
            choice.built,
            computed_hashes=self._computed.get(source.location),
            relative_to=self._relative_to,
        )
        return {_SOURCE_KEYS[type(entry)]: entry}

    def _files(self, group: Sequence[tuple[Target, Choice]]) -> dict[str, Any]:
        wheels: dict[str, PackageWheel] = {}
        sdist: PackageSdist | None = None
        for _, choice in group:
            if choice.candidate is None:
                continue
            file = choice.candidate.file
            fields = self._file_fields(file, choice.built)
            if choice.candidate.is_wheel:
                wheels[file.filename] = PackageWheel(**fields)
            else:
                sdist = PackageSdist(**fields)
        return {"wheels": [wheels[name] for name in sorted(wheels)] or None, "sdist": sdist}

    def _file_fields(self, file: ProjectFile, built: BuiltWheel | None) -> dict[str, Any]:
        hashes = {**file.hashes, **self._computed.get(file.url, {})}
        if built is not None and not STRONG & hashes.keys():
            hashes |= built.source_hashes
        return {
            "name": file.filename,
            "upload_time": file.upload_time,
            "url": file.url,
            "size": file.size,
            "hashes": dict(sorted(hashes.items())),
        }


_SOURCE_KEYS = {PackageVcs: "vcs", PackageDirectory: "directory", PackageArchive: "archive"}


def _specifier(text: str | None) -> SpecifierSet | None:
    try:
        return SpecifierSet(text) if text else None
    except InvalidSpecifier:
        return None


def _target_order(target: Target) -> tuple[object, ...]:
    """The oldest Python first."""
    libc = target.libc
    return (
        *(target.python_version, target.abi, target.arch, libc.kind, libc.version),
        *(target.platforms, target.runtime_name or "", target.python),
    )


def to_requirements(lock: Pylock) -> str:
    """A requirements file of the lock: each package pinned, with its marker and SHA-256 hashes.

    The format is that of pip's hash-checking mode ("Secure installs"). The hashes are those of the
    lock: of the wheels for its targets.

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
            f"{package.name} has no hash: its source is a"
            f" {'repository' if package.vcs else 'directory'}",
            hint="write pylock.toml instead, which supports it",
            rule="no-hash",
        )
    if package.archive is not None:
        url = package.archive.url or f"file://{package.archive.path}"
        pin = f"{package.name} @ {url}"
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
