"""Places that options name: indexes, find-links and files, made absolute."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from crossdeps.errors import InputError
from crossdeps.text import escape

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # longer than the letter of a drive
_INDEX_SCHEMES = ("http", "https", "file")


def index_location(text: str, directory: Path) -> str:
    """Return the URL of an index; a local directory becomes a ``file:`` URL.

    :param directory: what a relative path is relative to
    :raises InputError: if it is neither
    """
    if not _SCHEME.match(text):
        path = find_path(text, directory)
        if path is None:
            raise InputError(
                f"{escape(text)} is neither a URL nor a directory", hint="write it with https://"
            )
        return (directory / path).as_uri()
    return _check_url(text)


def find_links_location(text: str, directory: Path) -> str | None:
    """Return a find-links URL or absolute path; None where there is no such path.

    :raises InputError: if it is a URL that can't be used
    """
    return _check_url(text) if _SCHEME.match(text) else find_path(text, directory)


def find_path(text: str, directory: Path) -> str | None:
    """Return the absolute path of what is there, with ``~`` understood; None if nothing is.

    :param directory: what a relative path is relative to
    """
    try:
        path = directory / text
        if text.startswith("~"):
            path = directory / type(directory)(text).expanduser()
        return str(path.absolute()) if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # not permitted, no home, a NUL inside
        return None


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise InputError(
            f"{escape(text)} isn't a valid URL", hint="write it as https://host/path"
        ) from None
    if parts.scheme.lower() not in _INDEX_SCHEMES:
        raise InputError(
            f"{escape(text)} isn't the URL of an index", hint="use https://, http:// or file://"
        )
    if not port_is_fine or (parts.scheme.lower() != "file" and not parts.hostname):
        raise InputError(f"{escape(text)} names no host", hint="write https://HOST/PATH")
    return text


Role = Literal["requirement", "constraint", "override"]
_DEEPEST = 50  # files that include each other in a row
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsFile:
    """A requirements file that is being read.

    :param name: as the user would recognise it; ``-`` is standard input
    :param path: where it is
    :param real: the same, without links; None for standard input
    :param base: what the files that it includes are relative to
    :param directories: what paths in it may be relative to, first that has it; as with pip, first
        the working directory
    :param chain: the files that led to it, outermost first
    """

    name: str
    path: Path
    real: str | None
    role: Role
    base: Path
    directories: tuple[Path, ...]
    chain: tuple[RequirementsFile, ...] = ()


def locate_file(name: str, *, cwd: Path, role: Role) -> RequirementsFile:
    """Find a file that the user named; ``-`` is standard input.

    :raises InputError: if it is a URL
    """
    if name == "-":
        return RequirementsFile(
            name="-", path=cwd / "-", real=None, role=role, base=cwd, directories=(cwd,)
        )
    local = _local_name(name)
    return _file(local, cwd / local, cwd, role, ())


def locate_included(
    name: str, includer: RequirementsFile, *, cwd: Path, role: Role
) -> RequirementsFile:
    """Find a file that another one includes.

    :raises InputError: if it is a URL, or including it would never end
    """
    local = _local_name(name)
    folder = os.path.dirname(includer.name)  # noqa: PTH120 - "./" must stay as it was written
    recognised = local if not folder or Path(local).is_absolute() else f"{folder}/{local}"
    chain = (*includer.chain, includer)
    file = _file(recognised, includer.base / local, cwd, role, chain)
    if any(outer.real == file.real for outer in chain):
        names = " -> ".join([outer.name for outer in chain] + [recognised])
        raise InputError(
            f"requirements files include each other: {names}",
            hint="remove one of these -r or -c lines",
        )
    if len(chain) >= _DEEPEST:
        raise InputError(f"requirements files include each other more than {_DEEPEST} deep")
    return file


def _file(
    name: str, path: Path, cwd: Path, role: Role, chain: tuple[RequirementsFile, ...]
) -> RequirementsFile:
    try:
        real = os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{escape(name)} isn't a path", hint="give the path of a file") from error
    return RequirementsFile(
        name=name,
        path=path,
        real=real,
        role=role,
        base=path.parent,
        directories=tuple(dict.fromkeys((cwd, path.parent))),
        chain=chain,
    )


def _local_name(name: str) -> str:
    """The path in *name*, which may be a ``file:`` URL."""
    if name.lower().startswith("file:"):
        return unquote(urlsplit(name).path)
    if _REMOTE.match(name):
        raise InputError(
            f"requirements files are read from disk, not from {escape(name)}",
            hint="download it first, and look at it",
        )
    return name
