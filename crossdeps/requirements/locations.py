"""Locations of indexes, find-links and requirements files, made absolute."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from crossdeps.errors import InputError
from crossdeps.text import escape, is_url

Role = Literal["requirement", "constraint", "override"]

_MAX_DEPTH = 50  # files that include each other in a row
_INDEX_SCHEMES = ("http", "https", "file")


def index_location(text: str, directory: Path) -> str:
    """Return the URL of an index; a local directory becomes a ``file:`` URL.

    :param directory: base of a relative path
    :raises InputError: if it is neither
    """
    if not is_url(text):
        path = find_path(text, directory)
        if path is None:
            raise InputError(
                f"{escape(text)} is neither a URL nor a directory", hint="write it with https://"
            )
        return (directory / path).as_uri()
    return _check_url(text)


def find_links_location(text: str, directory: Path) -> str | None:
    """Return a find-links URL or absolute path; None if the path does not exist.

    :raises InputError: if it is a URL that is not valid
    """
    return _check_url(text) if is_url(text) else find_path(text, directory)


def find_path(text: str, directory: Path) -> str | None:
    """Return the absolute path of *text*, with ``~`` expanded; None if it does not exist.

    :param directory: base of a relative path
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
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise InputError(
            f"{escape(text)} is not a valid URL", hint="write it as https://host/path"
        ) from None
    if parts.scheme.lower() not in _INDEX_SCHEMES:
        raise InputError(
            f"{escape(text)} is not a valid index URL", hint="use https://, http:// or file://"
        )
    if not port_is_valid or (parts.scheme.lower() != "file" and not parts.hostname):
        raise InputError(f"{escape(text)} has no host", hint="write https://HOST/PATH")
    return text


class RequirementsFile(msgspec.Struct, frozen=True, kw_only=True):
    """A requirements file that is being read.

    :param name: as the user specified it; ``-`` is standard input
    :param path: its path
    :param real: the same, with links resolved; None for standard input
    :param base: base of the files that it includes
    :param directories: bases of paths in it, of which the first that has the path counts: as in
        pip, the working directory and that of the file
    :param chain: the files that include it, outermost first
    """

    name: str
    path: Path
    real: str | None
    role: Role
    base: Path
    directories: tuple[Path, ...]
    chain: tuple[RequirementsFile, ...] = ()


def locate_file(name: str, *, cwd: Path, role: Role) -> RequirementsFile:
    """Locate a file that the user named; ``-`` is standard input.

    :raises InputError: if it is a URL
    """
    if name == "-":
        return RequirementsFile(
            name="-", path=cwd / "-", real=None, role=role, base=cwd, directories=(cwd,)
        )
    local = _local_name(name)
    return _create_file(local, cwd / local, cwd, role, ())


def locate_included(
    name: str, includer: RequirementsFile, *, cwd: Path, role: Role
) -> RequirementsFile:
    """Locate a file that another one includes.

    :raises InputError: if it is a URL, or the files include each other
    """
    local = _local_name(name)
    folder = os.path.dirname(includer.name)  # noqa: PTH120 - "./" must stay as it was written
    shown = local if not folder or Path(local).is_absolute() else f"{folder}/{local}"
    chain = (*includer.chain, includer)
    file = _create_file(shown, includer.base / local, cwd, role, chain)
    if any(outer.real == file.real for outer in chain):
        names = " -> ".join([outer.name for outer in chain] + [shown])
        raise InputError(
            f"requirements files include each other: {names}",
            hint="remove one of these -r or -c lines",
        )
    if len(chain) >= _MAX_DEPTH:
        raise InputError(f"requirements files are nested more than {_MAX_DEPTH} deep")
    return file


def _create_file(
    name: str, path: Path, cwd: Path, role: Role, chain: tuple[RequirementsFile, ...]
) -> RequirementsFile:
    try:
        real = os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{escape(name)} is not a valid path", hint="give the path of a file"
        ) from error
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
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name):
        raise InputError(
            f"requirements files must be local files, not URLs: {escape(name)}",
            hint="download and review it first",
        )
    return name
