"""Text of a requirements file to logical lines: joined, without comments, variables expanded.

Source: pip's documentation, "Requirements File Format": line continuations are joined first, then
comments go, then environment variables are put in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NEWLINE = re.compile(r"\r\n|\r|\n")
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogicalLine:
    """One line after joining, without its comment; never blank.

    :param number: 1-based number of the first line that it was joined from
    :param text: as written; variables aren't expanded yet
    """

    number: int
    text: str


def logical_lines(text: str) -> Iterator[LogicalLine]:
    r"""Yield the lines that say something.

    A line that ends in a backslash goes on in the next; a line that is only a comment doesn't, and
    ends what was to be continued. The last line may end in a backslash.

    >>> [line.text for line in logical_lines("one \\\n  ==1.0 # comment\n\n# two\nthree\\")]
    ['one   ==1.0', 'three']
    """
    joined: list[str] = []
    first = 0
    for number, line in enumerate(_NEWLINE.split(text), start=1):
        if not joined:
            first = number
        if line.endswith("\\") and not _is_comment(line):
            joined.append(line.rstrip("\\"))
            continue
        if joined:
            line = "".join((*joined, " " if _is_comment(line) else "", line))  # noqa: PLW2901
            joined = []
        if said := _without_comment(line):
            yield LogicalLine(number=first, text=said)
    if joined and (said := _without_comment("".join(joined))):
        yield LogicalLine(number=first, text=said)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _without_comment(line: str) -> str:
    """*line* up to a ``#`` that starts it or follows white space."""
    if "#" not in line:
        return line.strip()
    found = line.find("#")
    while found > 0 and not line[found - 1].isspace():
        found = line.find("#", found + 1)
    return (line if found < 0 else line[:found]).strip()


def expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """Put the values of ``${VARIABLES}`` into *text*.

    As with pip, names are of upper-case letters, digits and underscores. What differs: pip keeps
    the text of a variable that isn't set, and then fails with it much later.

    :raises InputError: if one isn't set, is empty or has lower-case letters; names all of them
    """
    if "${" not in text:
        return text
    names = dict.fromkeys(match[1] for match in _VARIABLE.finditer(text))
    lower = [name for name in names if name != name.upper()]
    if lower:
        raise InputError(
            f"${{{lower[0]}}} has lower-case letters, and isn't expanded",
            hint=f"write ${{{lower[0].upper()}}}, and set that variable",
        )
    unset = [name for name in names if not environ.get(name)]
    if unset:
        written = ", ".join(f"${{{name}}}" for name in unset)
        raise InputError(
            f"{written} {'is' if len(unset) == 1 else 'are'} not set, or empty",
            hint=f"set the environment variable {unset[0]}, or write its value into the file",
        )
    return _VARIABLE.sub(lambda match: environ[match[1]], text)
