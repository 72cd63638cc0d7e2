"""How text that came from outside is shown in messages: without credentials, and unambiguous."""

from __future__ import annotations

from crossdeps.inputs.redaction import redact

_LONGEST = 120  # characters of one line that a message shows
_SCHEME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-")
_URL_ENDS = frozenset(" \t\r\n\"'<>,")


def redact_urls(text: str) -> str:
    """Return *text* with the credentials of every URL in it removed, in linear time.

    >>> redact_urls("plain text==1.0")
    'plain text==1.0'
    """
    if "://" not in text:
        return text
    parts: list[str] = []
    done = 0
    found = text.find("://")
    while found >= 0:
        start = found
        while start > done and text[start - 1] in _SCHEME_CHARACTERS:
            start -= 1
        end = found + 3
        while end < len(text) and text[end] not in _URL_ENDS:
            end += 1
        parts += (text[done:start], redact(text[start:end]))
        done = end
        found = text.find("://", end)
    return "".join((*parts, text[done:]))


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
