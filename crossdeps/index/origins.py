"""Where a URL leads: its origin, and the forms of it that may be shown, stored and compared.

An origin is scheme, host and port (RFC 6454): the border that credentials never cross.
"""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path
from urllib.request import url2pathname

Origin = tuple[str, str, int | None]

TELL_THE_INDEX = "tell whoever runs the index, or give another one with --index-url"
"""What to do about an index that answers what it shouldn't: the user can't mend it."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def read_origin(url: str) -> Origin:
    """Scheme, lower-case host and effective port of *url* (RFC 6454, section 4).

    :raises ValueError: if the port isn't a number
    """
    parts = urllib.parse.urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme)


def split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """*url* without user information, and the (user, password) that it had, percent-decoded."""
    parts = urllib.parse.urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    bare = urllib.parse.urlunsplit(parts._replace(netloc=host))
    return bare, (urllib.parse.unquote(user), urllib.parse.unquote(password))


def show_url(url: str) -> str:
    """*url* as messages may show it: no user information, no query (signed URLs), no fragment.

    Control characters and characters outside ASCII are escaped.
    """
    try:
        parts = urllib.parse.urlsplit(split_credentials(url)[0])
    except ValueError:
        return escape(url.partition("?")[0].rpartition("@")[2])
    query = "..." if parts.query else ""
    return escape(urllib.parse.urlunsplit(parts._replace(query=query, fragment="")))


def escape(text: str) -> str:
    """*text* with everything but printable ASCII escaped, cut after 200 characters."""
    shown = text if len(text) <= 200 else text[:200] + "..."
    return "".join(c if " " <= c <= "~" else ascii(c)[1:-1] for c in shown)


def is_url(location: str) -> bool:
    """Whether *location* is a URL rather than a path; one letter before a colon is a drive."""
    return _SCHEME.match(location) is not None


def is_http(url: str) -> bool:
    """Whether *url* is fetched over the network."""
    return url[:8].lower().startswith(("http://", "https://"))


def local_path(location: str) -> Path | None:
    """The path that a plain path or a ``file:`` URL of this machine means (RFC 8089), else None."""
    if not is_url(location):
        return Path(location)
    parts = urllib.parse.urlsplit(location)
    if parts.scheme.lower() != "file" or parts.netloc.lower() not in {"", "localhost"}:
        return None
    return Path(url2pathname(parts.path))
