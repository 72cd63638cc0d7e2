"""URLs as they may be shown: user information and secret query values are hidden.

Pure, total and linear: any text is taken, also one that isn't a well-formed URL.

An origin is scheme, host and port (RFC 6454): the border that credentials never cross.
"""

from __future__ import annotations

import re
import unicodedata
import urllib.parse
from pathlib import Path
from urllib.request import url2pathname

HIDDEN = "****"

_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.%]*\]|[^:\[\]]*)(?::\d*)?")
_SECRET_KEY = re.compile(
    r"token|secret|password|passwd|signature|credential|api[-_]?key|access[-_]?key|^sig$|^auth$",
    re.IGNORECASE,
)
_AUTHORITY_END = re.compile(r"[/\\?#]")
_BLANK = re.compile(r"\s")
# 'user:password@host' where the scheme, or a slash of it, was forgotten
_BARE_LOGIN = re.compile(r"(?<![^\s/'\"])[^\s/:@'\"]{1,256}:[^\s/@]{1,2048}@(?=[^\s@])")


def redact(url: str) -> str:
    """Return *url* without its secrets; other text stays as it is.

    User information (RFC 3986, section 3.2.1) becomes ``****``, a user name alone too, since it is
    often a token; a plain user name of an ssh URL says nothing and stays. Values of query
    parameters named like secrets become ``****``.

    >>> redact("https://me:secret@index.example:8080/simple/?token=abc#sha256=00")
    'https://****@index.example:8080/simple/?token=****#sha256=00'
    >>> redact("git+ssh://git@host.example/project.git")
    'git+ssh://git@host.example/project.git'
    """
    if "://" not in url:
        return _BARE_LOGIN.sub(f"{HIDDEN}@", url)
    scheme, *rest = url.split("://")
    parts = [scheme]
    for part in rest:
        keeps_user = parts[-1].lower().endswith("ssh")
        parts.append(_redact_query(_redact_authority(part, keeps_user=keeps_user)))
    return "://".join(parts)


def without_login(url: str) -> str:
    """Return *url* without user and password, for what others will read, such as a lock.

    A plain user name of an ssh URL is part of the address and stays (PEP 610).

    >>> without_login("git+https://me:secret@host.example/project.git@main")
    'git+https://host.example/project.git@main'
    """
    scheme, found, rest = url.partition("://")
    shown = _redact_authority(rest, keeps_user=scheme.lower().endswith("ssh"))
    return f"{scheme}{found}{shown.removeprefix(f'{HIDDEN}@')}" if shown != rest else url


def _redact_authority(text: str, *, keeps_user: bool) -> str:
    end = _AUTHORITY_END.search(text)
    stop = end.start() if end else len(text)
    userinfo, at, host = text[:stop].rpartition("@")
    if not at and not _PORT.fullmatch(text[:stop]):
        # 'user:pa/ss@host': not a port after the colon, so a password with a raw slash in it
        blank = _BLANK.search(text)
        userinfo, at, host = text[: blank.start() if blank else len(text)].rpartition("@")
        stop = len(userinfo) + len(at) + len(host)
    if not at or (keeps_user and ":" not in userinfo):
        return text
    return f"{HIDDEN}@{host}{text[stop:]}"


def _redact_query(text: str) -> str:
    before, mark, after = text.partition("?")
    if not mark:
        return text
    query, sharp, fragment = after.partition("#")
    shown = "&".join(_redact_pair(pair) for pair in query.split("&"))
    return f"{before}{mark}{shown}{sharp}{fragment}"


def _redact_pair(pair: str) -> str:
    key, equals, value = pair.partition("=")
    hidden = equals and value and _SECRET_KEY.search(key)
    return f"{key}={HIDDEN}" if hidden else pair


_LONGEST = 120  # characters of one line that a message shows
_LONGEST_URL = 8192  # characters; where the user information of a longer one ends isn't looked for
_SPACE = re.compile(r"(\s+)")


def redact_urls(text: str) -> str:
    """Return *text* with the secrets of every URL in it removed, in linear time.

    >>> redact_urls("pkg @ https://me:secret@host.example/pkg.zip ; python_version >= '3.9'")
    "pkg @ https://****@host.example/pkg.zip ; python_version >= '3.9'"
    """
    if "@" not in text and "://" not in text:
        return text
    return "".join(_redacted(word) for word in _SPACE.split(text))


def _redacted(word: str) -> str:
    if len(word) > _LONGEST_URL:
        return f"{word.partition('://')[0]}://…"
    return redact(word)


def shown(text: str) -> str:
    r"""Return *text* fit for a message: no credentials, one line, ASCII only, not too long.

    Characters outside ASCII and control characters are escaped, so that a look-alike letter or a
    change of writing direction can't hide what is meant.

    >>> shown("requ\N{CYRILLIC SMALL LETTER IE}sts==2.0")
    'requ\\u0435sts==2.0'
    """
    clean = redact_urls(text)
    cut = clean[: _LONGEST + 1].replace("\t", " ")
    escaped = "".join(
        character if " " <= character <= "~" else character.encode("unicode_escape").decode("ascii")
        for character in cut
    )
    if len(escaped) <= _LONGEST and len(clean) <= _LONGEST:
        return escaped
    return f"{escaped[: _LONGEST - 1]}…"


def human_size(size: int) -> str:
    """*size* bytes in the decimal unit that reads best.

    >>> human_size(999), human_size(1_460_000), human_size(262_144_000)
    ('999 B', '1.5 MB', '262.1 MB')
    """
    if size < 1_000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB"):
        value /= 1_000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1_000:.1f} GB"


# Controls, directions and other marks that nobody sees, lone surrogates, private characters, and
# the two separators that end a line. Unassigned ones stay: each Python knows others.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""*text* with every character that can't be seen, or moves others, as an escape.

    >>> visible("a\nb"), visible("exe\u202efdp.py")
    ('a\\nb', 'exe\\u202efdp.py')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _HIDDEN
        else character
        for character in text
    )


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
