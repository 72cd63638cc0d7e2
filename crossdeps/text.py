"""Text for people: escaping, quantities, lists; and URLs without their secrets.

Pure, total and linear: any text is taken, also a URL that isn't well-formed. Light to import, as
the command line needs it for its first line: patterns are compiled when they are first used.

Untrusted text (file names, metadata, answers of indexes) is shown in one of three ways:
:func:`printable` for terminals and reports, `html.escape` on top of it for HTML, and the stricter
:func:`escape` inside the messages of errors and warnings.

An origin is scheme, host and port (RFC 6454): the border that credentials never cross.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What could move the cursor, end a line, hide text or turn it around: the Unicode categories Cc,
# Cf, Cs, Co, Zl and Zp, and what is reserved between them. Not read from `unicodedata`, which
# knows others in each Python.
_UNSAFE = (
    r"\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff9-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e007f\U000f0000-\U0010ffff"
)
_UNSAFE_IN_LINE = rf"[\x00-\x0a{_UNSAFE}]"
_UNSAFE_IN_LINES = rf"[\x00-\x08{_UNSAFE}]"


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return *text* with every character that can't be seen, or moves others, as an escape.

    :param lines: keep line feeds and tabs

    >>> printable("a\nb"), printable("exe\u202efdp.py"), printable("a\n\x1b[2J", lines=True)
    ('a\\nb', 'exe\\u202efdp.py', 'a\n\\x1b[2J')
    """
    if text.isascii() and (text.replace("\n", "") if lines else text).isprintable():
        return text
    return re.sub(_UNSAFE_IN_LINES if lines else _UNSAFE_IN_LINE, _escape_match, text)


def _escape_match(match: re.Match[str]) -> str:
    return _escape_character(match[0])


def _escape_character(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


_LONGEST = 200  # characters of a value that a message shows


def escape(text: str) -> str:
    r"""Return *text* fit for a message: no credentials, one line, ASCII only, not too long.

    Stricter than :func:`printable`, so that a look-alike letter can't hide what is meant either.

    >>> escape("requ\N{CYRILLIC SMALL LETTER IE}sts==2.0")
    'requ\\u0435sts==2.0'
    """
    clean = redact_urls(text)
    escaped = "".join(
        character if " " <= character <= "~" else _escape_character(character)
        for character in clean[: _LONGEST + 1].replace("\t", " ")
    )
    if len(escaped) <= _LONGEST and len(clean) <= _LONGEST:
        return escaped
    return f"{escaped[: _LONGEST - 3]}..."


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


def plural(count: int, singular: str, many: str | None = None) -> str:
    """A count and what is counted, with *many* (by default *singular* and an s) unless it is one.

    >>> plural(1, "wheel"), plural(1_200, "wheel"), plural(2, "file is", "files are")
    ('1 wheel', '1,200 wheels', '2 files are')
    """
    return f"{count:,} {singular if count == 1 else many or f'{singular}s'}"


def join_words(words: Sequence[str], conjunction: str = "and") -> str:
    """A list as a sentence has it.

    >>> join_words(["a", "b"], "or"), join_words(["a", "b", "c"])
    ('a or b', 'a, b and c')
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def format_table(rows: Sequence[Sequence[str]], *, right: int | None = None) -> str:
    """Format *rows* of equal length as indented lines with aligned columns.

    :param right: index of the column that is aligned to the right; None aligns all to the left

    >>> format_table([("numpy", "52.8 MB"), ("six", "1 kB")], right=1).splitlines()
    ['  numpy  52.8 MB', '  six       1 kB']
    """
    columns = range(len(rows[0]) if rows else 0)
    widths = [max(len(row[column]) for row in rows) for column in columns]
    lines = []
    for row in rows:
        cells = [
            row[column].rjust(widths[column])
            if column == right
            else row[column].ljust(widths[column])
            for column in columns
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return "\n".join(lines)


def first_words(words: Sequence[str], limit: int) -> str:
    """The first *limit* of *words* and, if there are others, how many.

    >>> first_words(["a", "b", "c"], 3), first_words(["a", "b", "c"], 1)
    ('a, b, c', 'a, and 2 more')
    """
    return ", ".join(first_lines(words, limit))


def first_lines(lines: Sequence[str], limit: int) -> tuple[str, ...]:
    """The first *limit* of *lines* and, if there are others, a line that says how many.

    >>> first_lines(["a", "b", "c"], 2)
    ('a', 'b', 'and 1 more')
    """
    rest = len(lines) - limit
    return (*lines[:limit], f"and {rest:,} more") if rest > 0 else tuple(lines)


HIDDEN = "****"

# The host and port that end an authority
_PORT = r"(?:\[[0-9A-Fa-f:.%]*\]|[^:\[\]]*)(?::\d*)?"
_SENSITIVE_KEY = (
    r"(?i)token|secret|password|passwd|signature|credential|api[-_]?key|access[-_]?key"
    r"|^sig$|^auth$"
)
# 'user:password@host' where the scheme, or a slash of it, was forgotten
_BARE_LOGIN = r"(?<![^\s/'\"])[^\s/:@'\"]{1,256}:[^\s/@]{1,2048}@(?=[^\s@])"
_LONGEST_URL = 8192  # characters; where the user information of a longer one ends isn't looked for


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
        return re.sub(_BARE_LOGIN, f"{HIDDEN}@", url)
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
    if "@" not in text:
        return text
    end = re.search(r"[/\\?#]", text)
    stop = end.start() if end else len(text)
    userinfo, at, host = text[:stop].rpartition("@")
    if not at and not re.fullmatch(_PORT, text[:stop]):
        # 'user:pa/ss@host': not a port after the colon, so a password with a raw slash in it
        blank = re.search(r"\s", text)
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
    is_sensitive = re.compile(_SENSITIVE_KEY).search
    pairs = []
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        pairs.append(f"{key}={HIDDEN}" if value and is_sensitive(key) else pair)
    return f"{before}{mark}{'&'.join(pairs)}{sharp}{fragment}"


def redact_urls(text: str) -> str:
    """Return *text* with the secrets of every URL in it removed, in linear time.

    >>> redact_urls("pkg @ https://me:secret@host.example/pkg.zip ; python_version >= '3.9'")
    "pkg @ https://****@host.example/pkg.zip ; python_version >= '3.9'"
    """
    if "@" not in text and "://" not in text:
        return text
    return "".join(_redacted(word) for word in re.split(r"(\s+)", text))


def _redacted(word: str) -> str:
    if len(word) > _LONGEST_URL:
        return f"{word.partition('://')[0]}://…"
    return redact(word)


Origin = tuple[str, str, int | None]

TELL_THE_INDEX = "tell whoever runs the index, or give another one with --index-url"
"""What to do about an index that answers what it shouldn't: the user can't mend it."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_origin(url: str) -> Origin:
    """Scheme, lower-case host and effective port of *url* (RFC 6454, section 4).

    :raises ValueError: if the port isn't a number
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 - loads much

    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme)


def split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """*url* without user information, and the (user, password) that it had, percent-decoded."""
    from urllib.parse import unquote, urlsplit, urlunsplit  # noqa: PLC0415 - loads much

    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    bare = urlunsplit(parts._replace(netloc=host))
    return bare, (unquote(user), unquote(password))


def show_url(url: str) -> str:
    """*url* as messages may show it: no user information, no query (signed URLs), no fragment.

    Control characters and characters outside ASCII are escaped.
    """
    from urllib.parse import urlsplit, urlunsplit  # noqa: PLC0415 - loads much

    try:
        parts = urlsplit(split_credentials(url)[0])
    except ValueError:
        return escape(url.partition("?")[0].rpartition("@")[2])
    query = "..." if parts.query else ""
    return escape(urlunsplit(parts._replace(query=query, fragment="")))


def is_url(location: str) -> bool:
    """Whether *location* is a URL rather than a path; one letter before a colon is a drive."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", location) is not None


def is_http(url: str) -> bool:
    """Whether *url* is fetched over the network."""
    return url[:8].lower().startswith(("http://", "https://"))


def local_path(location: str) -> Path | None:
    """The path that a plain path or a ``file:`` URL of this machine means (RFC 8089), else None."""
    if not is_url(location):
        return Path(location)
    from urllib.parse import urlsplit  # noqa: PLC0415 - loads much
    from urllib.request import url2pathname  # noqa: PLC0415 - the same

    parts = urlsplit(location)
    if parts.scheme.lower() != "file" or parts.netloc.lower() not in {"", "localhost"}:
        return None
    return Path(url2pathname(parts.path))


shown = escape  # the earlier names, until every room has the new ones
visible = printable
