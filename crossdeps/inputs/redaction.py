"""URLs as they may be shown: user information and secret query values are hidden.

Pure, total and linear: any text is taken, also one that isn't a well-formed URL.
"""

from __future__ import annotations

import re

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
