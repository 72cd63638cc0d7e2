"""A lock as requirements with hashes, which pip installs with ``--require-hashes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.errors import IntegrityError, ResolutionError

if TYPE_CHECKING:
    from packaging.pylock import Package, Pylock

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
