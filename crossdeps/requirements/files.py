"""Reading input files from disk: what can go wrong, said in words.

Source: pip's documentation, "Requirements File Format", "Encoding": UTF-8 unless a byte order mark
or a comment in the style of PEP 263 says otherwise.

Source: pip's documentation, "Requirements File Format": line continuations are joined first, then
comments go, then environment variables are put in.
"""

from __future__ import annotations

import codecs
import contextlib
import difflib
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossdeps.errors import InputError
from crossdeps.text import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LARGEST = 64 * 1024 * 1024  # bytes; a list of 300,000 requirements has about 10 million


def read_bytes(path: Path, name: str) -> bytes:
    """Read a file that lists what is asked.

    :param name: the path as the user would recognise it
    :raises InputError: if it is missing, a directory, not readable or larger than 64 MiB
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {name}", hint=_nearest_hint(path, name)) from error
    except IsADirectoryError as error:
        raise InputError(
            f"{name} is a directory, not a file", hint="name the file in it that lists requirements"
        ) from error
    except PermissionError as error:
        # Windows says so of directories, too
        is_directory = os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() may raise the same again
        what = "is a directory, not a file" if is_directory else "may not be read"
        hint = (
            "name the file in it that lists requirements"
            if is_directory
            else "let this user read it, or run as one who may"
        )
        raise InputError(f"{name} {what}", hint=hint) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{name} can't be read: {reason}", hint="check the path, and the disk that it is on"
        ) from error
    if len(data) > _LARGEST:
        raise InputError(f"{name} is larger than 64 MiB", hint="is it the right file?")
    return data


def _nearest_hint(path: Path, name: str) -> str:
    """Name a file beside it that is spelled alike, as the user would."""
    try:
        beside = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    except OSError:
        return "check the path: its folder isn't there"
    nearest = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.75)
    if nearest:
        return f"did you mean {name.removesuffix(path.name)}{nearest[0]}?"
    return "check the path; one in a requirements file is relative to that file"


if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path, name: str) -> tuple[dict[str, Any], str]:
    """Read a TOML file; return what it says, and its text.

    :param name: the path as the user would recognise it
    :raises InputError: if it can't be read, isn't UTF-8 or isn't TOML
    """
    data = read_bytes(path, name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} isn't UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}",
            context=(f"{name}:{line}",),
            hint="TOML files are always UTF-8",
        ) from error
    try:
        return tomllib.loads(text), text
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise InputError(
            f"{name} isn't valid TOML: {error}",
            context=(name,),
            hint="correct it at this place; text stands in quotation marks",
        ) from error
    except RecursionError as error:
        raise InputError(
            f"{name} isn't readable: it is nested too deeply", context=(name,)
        ) from error


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = re.compile(rb"coding[:=][ \t]*([-\w.]{1,40})")
# Not the encodings of files: host-dependent, or transformations of names and literals.
_NOT_FOR_FILES = {"idna", "mbcs", "oem", "punycode", "undefined"}
_NOT_FOR_FILES |= {"unicode_escape", "raw_unicode_escape", "unicode-escape", "raw-unicode-escape"}
_SAMPLE = 4096  # bytes that are looked at to name a likely encoding


def decode(data: bytes) -> str:
    """Return the text of a requirements file.

    :param data: the whole file
    :raises InputError: if it isn't text in its encoding, or holds a NUL; names line and byte offset
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = _decoded(data, encoding, len(mark))
            break
    else:
        text = _decoded(data, _declared_encoding(data) or "utf-8", 0)
    if "\0" in text:
        raise _not_text(data, data.find(b"\0"), "has a NUL byte")
    return text


def _declared_encoding(data: bytes) -> str | None:
    """The encoding that a comment in the first two lines names (PEP 263)."""
    for line in data[:_SAMPLE].splitlines()[:2]:
        found = _DECLARATION.search(line) if line.startswith(b"#") else None
        if found:
            return _known_encoding(found[1].decode("ascii", "replace"))
    return None


def _known_encoding(declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
        with contextlib.suppress(UnicodeError):  # whether it fits the file is for later
            b"#".decode(name)
    except LookupError as error:
        raise InputError(
            f"declares an unknown encoding, {declared}", hint="save the file as UTF-8"
        ) from error
    if name in _NOT_FOR_FILES:
        raise InputError(
            f"declares {declared}, which isn't an encoding of files", hint="save the file as UTF-8"
        )
    return name


def _decoded(data: bytes, encoding: str, skip: int) -> str:
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_text(data, skip + error.start, f"isn't {encoding} text") from error


def _not_text(data: bytes, offset: int, what: str) -> InputError:
    sample = data[:_SAMPLE]
    likely_utf16 = sample.count(0) * 3 > len(sample)
    line = data.count(b"\n", 0, offset) + 1
    return InputError(
        f"{what}: byte 0x{data[offset]:02x} at offset {offset}, in line {line}",
        hint="it looks like UTF-16 without a byte order mark: save it as UTF-8"
        if likely_utf16
        else "save the file as UTF-8, or name its encoding in its first line:"
        " # -*- coding: latin-1 -*-",
    )


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
        written = join_words([f"${{{name}}}" for name in unset])
        raise InputError(
            f"{written} {'is' if len(unset) == 1 else 'are'} not set, or empty",
            hint=f"set the environment variable {unset[0]}, or write its value into the file",
        )
    return _VARIABLE.sub(lambda match: environ[match[1]], text)
