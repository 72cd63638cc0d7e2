"""Text in messages and reports: escaping, quantities and lists; URLs and their credentials.

Untrusted text (file names, metadata, responses of indexes) is shown in one of three ways:
:func:`printable` for terminals and reports, `html.escape` on top of it for HTML, and the stricter
:func:`escape` in messages of errors and warnings. These functions and those that hide credentials
accept any text, also invalid URLs, and take linear time.

Regular expressions are compiled on first use, which keeps the import cheap.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Characters that could move the cursor, end a line, hide text or change its direction: the Unicode
# categories Cc, Cf, Cs, Co, Zl and Zp. `unicodedata` differs between versions of Python.
_UNSAFE = (
    r"\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff9-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e007f\U000f0000-\U0010ffff"
)
_UNSAFE_IN_LINE = rf"[\x00-\x0a{_UNSAFE}]"
_UNSAFE_IN_LINES = rf"[\x00-\x08{_UNSAFE}]"


def printable(text: str, *, lines: bool = False) -> str:
    r"""Escape the characters of *text* that are invisible or could affect how it is displayed.

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
    r"""Return *text* for use in a message: one line of ASCII, without credentials, not too long.

    Other characters than printable ASCII are escaped, so that look-alike letters are noticed.

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
    """Format a number of bytes with a decimal unit.

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
    """Format a count with its noun; *many* is the plural, by default *singular* with an s.

    >>> plural(1, "wheel"), plural(1_200, "wheel"), plural(2, "file is", "files are")
    ('1 wheel', '1,200 wheels', '2 files are')
    """
    return f"{count:,} {singular if count == 1 else many or f'{singular}s'}"


def join_words(words: Sequence[str], conjunction: str = "and") -> str:
    """Join *words* as in a sentence.

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
    """Join the first *limit* of *words*, followed by the number of others.

    >>> first_words(["a", "b", "c"], 3), first_words(["a", "b", "c"], 1)
    ('a, b, c', 'a, and 2 more')
    """
    return ", ".join(first_lines(words, limit))


def first_lines(lines: Sequence[str], limit: int) -> tuple[str, ...]:
    """Return the first *limit* of *lines*, followed by a line with the number of others.

    >>> first_lines(["a", "b", "c"], 2)
    ('a', 'b', 'and 1 more')
    """
    rest = len(lines) - limit
    return (*lines[:limit], f"and {rest:,} more") if rest > 0 else tuple(lines)


HIDDEN = "****"

# Host and port of an authority
_PORT = r"(?:\[[0-9A-Fa-f:.%]*\]|[^:\[\]]*)(?::\d*)?"
_SENSITIVE_KEY = (
    r"(?i)token|secret|password|passwd|signature|credential|api[-_]?key|access[-_]?key"
    r"|^sig$|^auth$"
)
# 'user:password@host' without a scheme, or with an incomplete '://'
_BARE_LOGIN = r"(?<![^\s/'\"])[^\s/:@'\"]{1,256}:[^\s/@]{1,2048}@(?=[^\s@])"
_LONGEST_URL = 8192  # characters; longer URLs are not searched for credentials, but cut


def redact(url: str) -> str:
    """Hide the secrets in *url*; other text is returned unchanged.

    User information (RFC 3986, section 3.2.1) becomes ``****``, even a user name alone, since it is
    often a token, except for the user name in an ssh URL. The values of query parameters with names
    such as ``token`` become ``****``.

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
    """Return *url* without user information, for files that others read, such as a lock.

    A user name without password in an ssh URL is part of the address, and kept (PEP 610).

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
        # 'user:pa/ss@host': after the colon is no port, but a password with an unquoted slash
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
    """Hide the secrets in every URL of *text*.

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


INDEX_OPERATOR_HINT = "report this to the operator of the index, or use another --index-url"
"""Hint for an invalid response of an index, which only its operator can correct."""


def split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """Return *url* without user information, and the percent-decoded (user, password), if any."""
    from urllib.parse import unquote, urlsplit, urlunsplit  # noqa: PLC0415 - loads much

    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote(user), unquote(password))


def show_url(url: str) -> str:
    """Return *url* for use in a message: without user information, query and fragment.

    The query of a signed URL is a secret. The rest is escaped by :func:`escape`.
    """
    from urllib.parse import urlsplit, urlunsplit  # noqa: PLC0415 - loads much

    try:
        parts = urlsplit(split_credentials(url)[0])
    except ValueError:
        return escape(url.partition("?")[0].rpartition("@")[2])
    query = "..." if parts.query else ""
    return escape(urlunsplit(parts._replace(query=query, fragment="")))


def is_url(location: str) -> bool:
    """Whether *location* is a URL rather than a path, possibly with a drive letter."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", location) is not None


def is_http(url: str) -> bool:
    """Whether *url* is an HTTP or HTTPS URL."""
    return url[:8].lower().startswith(("http://", "https://"))


def local_path(location: str) -> Path | None:
    """Return the path of a plain path or a local ``file:`` URL (RFC 8089), None for other URLs."""
    if not is_url(location):
        return Path(location)
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415 - loads much

    parts = urlsplit(location)
    if parts.scheme.lower() != "file" or parts.netloc.lower() not in {"", "localhost"}:
        return None
    if os.name != "nt":
        return Path(unquote(parts.path))
    from urllib.request import url2pathname  # noqa: PLC0415 - loads http.client and ssl

    return Path(url2pathname(parts.path))
