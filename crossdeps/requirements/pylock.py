"""Read lock files (PEP 751, pylock.toml specification)."""

from __future__ import annotations

import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from crossdeps.errors import InputError, OutputError
from crossdeps.requirements.files import parse_toml, read_toml
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from packaging.pylock import Pylock
    from packaging.version import Version

_SOURCES = ("vcs", "directory", "archive", "sdist")
_DIGEST_LENGTHS: Final[Mapping[str, int]] = MappingProxyType({
    "md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128,
    "sha3_224": 56, "sha3_256": 64, "sha3_384": 96, "sha3_512": 128,
    "blake2s": 64, "blake2b": 128,
})  # fmt: skip
"""Hexadecimal digits of a digest of each algorithm that every Python has (hashlib)."""
_LARGEST_SIZE: Final = 2**63 - 1

SUPPORTED_VERSION: Final = "1.0"
"""The lock-version that is read and written."""
DEFAULT_LOCK = "pylock.toml"
LOCK_HEADER = "# Made by crossdeps lock; edit the requirements that it was made from instead."
"""The first line of a lock that is written as a requirements file."""


def is_pylock(path: Path) -> bool:
    """Whether a file is a lock by its name: ``pylock.toml`` or ``pylock.NAME.toml``.

    Source: pylock.toml specification, "File Name".
    """
    return re.fullmatch(r"pylock(\.[^.]+)?\.toml", path.name) is not None


def read_pylock(path: Path) -> Pylock:
    """Read and validate a lock; its relative paths are made absolute.

    :raises InputError: if it cannot be read, is not TOML, violates the specification (the message
        states the key) or has an unsupported version
    """
    name = str(path)
    return _validate(read_toml(path, name)[0], name, os.path.abspath(path.parent))  # noqa: PTH100 - links stay as they are


def parse_pylock(text: str, name: str, directory: str) -> Pylock:
    """Validate the text of a lock.

    :param name: of the lock, for messages
    :param directory: that its paths are relative to
    :raises InputError: as :func:`read_pylock`
    """
    return _validate(parse_toml(text, name), name, directory)


def _validate(document: dict[str, Any], name: str, directory: str) -> Pylock:
    from packaging.pylock import (  # noqa: PLC0415 - loads much
        Pylock,
        PylockUnsupportedVersionError,
        PylockValidationError,
    )

    newer = _replace_newer_version(document)
    for key, entry in _source_entries(document):
        path = entry.get("path")
        if isinstance(path, str):
            entry["path"] = os.path.join(directory, path)  # noqa: PTH118 - text stays text
        _check_entry(entry, key, name)
    try:
        lock = Pylock.from_dict(document)
    except PylockUnsupportedVersionError as error:
        raise InputError(
            f"{name} has an unsupported lock-version: {error.message}",
            context=(name,),
            hint=f"create it again with a tool that writes lock-version {SUPPORTED_VERSION}",
        ) from error
    except PylockValidationError as error:
        raise _invalid(name, error.message, error.context) from error
    if newer is None:
        return lock
    from dataclasses import replace  # noqa: PLC0415 - packaging.pylock has loaded it

    return replace(lock, lock_version=newer)


def _invalid(name: str, message: str, key: str | None) -> InputError:
    return InputError(
        f"{name} is not a valid lock file: {message}",
        context=(f"{name} ({key})" if key else name,),
        hint="create it again with the tool that wrote it",
    )


def _replace_newer_version(document: dict[str, Any]) -> Version | None:
    """Replace a newer minor version in *document* by the supported one, and return it.

    packaging would log a line of its own about it, which a command could not render.
    """
    text = document.get("lock-version")
    if text == SUPPORTED_VERSION or not isinstance(text, str):
        return None
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - most are supported

    try:
        version = Version(text)
    except InvalidVersion:  # which the validation reports
        return None
    if not Version(SUPPORTED_VERSION) < version < Version("2"):
        return None
    document["lock-version"] = SUPPORTED_VERSION
    return version


def _source_entries(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what says where each file comes from, with its key, as far as it is well-formed."""
    packages = document.get("packages")
    for index, package in enumerate(packages if isinstance(packages, list) else ()):
        if not isinstance(package, dict):
            continue
        for kind in _SOURCES:
            if isinstance(package.get(kind), dict):
                yield f"packages[{index}].{kind}", package[kind]
        wheels = package.get("wheels")
        for number, wheel in enumerate(wheels if isinstance(wheels, list) else ()):
            if isinstance(wheel, dict):
                yield f"packages[{index}].wheels[{number}]", wheel


def _check_entry(entry: dict[str, Any], key: str, name: str) -> None:
    """Check what packaging does not: size, hashes and commit; hashes become lower case.

    Source: pylock.toml specification; PEP 751 ("packages.vcs.commit-id": the commit hash MUST be
    used where the version control system has one).

    :param key: of the entry, for messages
    :raises InputError: if a value cannot be right
    """
    size = entry.get("size")
    if type(size) is int and not 0 <= size <= _LARGEST_SIZE:
        raise _invalid(name, f"{size} is not the size of a file", f"{key}.size")
    hashes = entry.get("hashes")
    if isinstance(hashes, dict) and all(isinstance(digest, str) for digest in hashes.values()):
        entry["hashes"] = {
            algorithm.lower(): _check_digest(algorithm, digest, key, name)
            for algorithm, digest in hashes.items()
        }
    commit = entry.get("commit-id")
    is_git = entry.get("type") == "git" and isinstance(commit, str)
    if is_git and not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", str(commit)):
        raise _invalid(
            name, f"{escape(str(commit))} is not the hash of a commit", f"{key}.commit-id"
        )


def _check_digest(algorithm: str, digest: str, key: str, name: str) -> str:
    lowered = digest.lower()
    length = _DIGEST_LENGTHS.get(algorithm.lower())
    # Those of unknown algorithms are never compared.
    if length is None or (len(lowered) == length and not lowered.strip("0123456789abcdef")):
        return lowered
    raise _invalid(
        name,
        f"a {algorithm} hash has {length} hexadecimal digits, unlike {escape(digest)!r}",
        f"{key}.hashes.{algorithm}",
    )


def not_a_lock(path: Path) -> OutputError:
    """Make the error for an output that exists and that crossdeps did not write."""
    return OutputError(
        f"{path} exists and is not a lock",
        hint=f"write to {DEFAULT_LOCK}, pylock.NAME.toml or another NAME.txt, or remove it first",
    )
