"""Places that options name: indexes, find-links and files, made absolute."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crossdeps.errors import InputError
from crossdeps.inputs.display import shown

if TYPE_CHECKING:
    from pathlib import Path

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
                f"{shown(text)} is neither a URL nor a directory", hint="write it with https://"
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
            f"{shown(text)} isn't a valid URL", hint="write it as https://host/path"
        ) from None
    if parts.scheme.lower() not in _INDEX_SCHEMES:
        raise InputError(
            f"{shown(text)} isn't the URL of an index", hint="use https://, http:// or file://"
        )
    if not port_is_fine or (parts.scheme.lower() != "file" and not parts.hostname):
        raise InputError(f"{shown(text)} names no host", hint="write https://HOST/PATH")
    return text
