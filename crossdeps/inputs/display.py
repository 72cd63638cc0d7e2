"""How text that came from outside is shown in messages: without credentials, and unambiguous."""

from __future__ import annotations

import re

from crossdeps.inputs.redaction import redact

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
