"""Names from artifacts, as text that stays on its line and shows what it is."""

from __future__ import annotations

import unicodedata

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
