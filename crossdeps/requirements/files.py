"""Read input files: bytes, TOML, and the text and logical lines of requirements files.

Source: pip's documentation, "Requirements File Format": the encoding is UTF-8 unless a byte order
mark or a comment as in PEP 263 declares another; line continuations are joined first, then comments
are removed, then environment variables are expanded.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from crossdeps.errors import InputError
from crossdeps.text import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LARGEST = 64 * 1024 * 1024  # bytes; a list of 300,000 requirements has about 10 million
_VARIABLE = r"\$\{([A-Za-z0-9_]+)\}"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = rb"coding[:=][ \t]*([-\w.]{1,40})"
# Not the encodings of files: host-dependent, or transformations of names and literals.
_NOT_FOR_FILES = {"idna", "mbcs", "oem", "punycode", "undefined"}
_NOT_FOR_FILES |= {"unicode_escape", "raw_unicode_escape", "unicode-escape", "raw-unicode-escape"}
_SAMPLE = 4096  # bytes in which a declaration and NUL bytes are searched


def read_bytes(path: Path, name: str) -> bytes:
    """Read an input file.

    :param name: the path as the user specified it
    :raises InputError: if it is missing, a directory, not readable or larger than 64 MiB
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise InputError(f"no such file: {name}", hint=_nearest_hint(path, name)) from error
    except IsADirectoryError as error:
        raise InputError(
            f"{name} is a directory, not a file", hint="give the requirements file in it"
        ) from error
    except PermissionError as error:
        # Windows raises this for directories, too
        is_directory = os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() may raise the same again
        what = "is a directory, not a file" if is_directory else "cannot be read: permission denied"
        hint = (
            "give the requirements file in it"
            if is_directory
            else "check the permissions of the file"
        )
        raise InputError(f"{name} {what}", hint=hint) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{name} cannot be read: {reason}", hint="check the path and the disk"
        ) from error
    if len(data) > _LARGEST:
        raise InputError(f"{name} is larger than 64 MiB", hint="check that this is the right file")
    return data


def _nearest_hint(path: Path, name: str) -> str:
    """Suggest a file of a similar name in the same directory."""
    import difflib  # noqa: PLC0415 - only for errors

    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    except OSError:
        return "check the path: its directory does not exist"
    nearest = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    if nearest:
        return f"did you mean {name.removesuffix(path.name)}{nearest[0]}?"
    return "check the path; one in a requirements file is relative to that file"


def read_toml(path: Path, name: str) -> tuple[dict[str, Any], str]:
    """Read a TOML file; return its content and its text.

    :param name: the path as the user specified it
    :raises InputError: if it cannot be read, is not UTF-8 or is not TOML
    """
    text = read_utf8(path, name)
    return parse_toml(text, name), text


def read_utf8(path: Path, name: str) -> str:
    """Read the text of a TOML file.

    :param name: the path as the user specified it
    :raises InputError: if it cannot be read, or is not UTF-8
    """
    data = read_bytes(path, name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}",
            context=(f"{name}:{line}",),
            hint="TOML files are always UTF-8",
        ) from error


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Parse the text of a TOML file; a byte order mark, which Windows editors write, is skipped.

    :param name: of the file, for messages
    :raises InputError: if it is not TOML
    """
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 - not for requirements files
    else:
        import tomli as tomllib  # noqa: PLC0415 - the same

    try:
        document: dict[str, Any] = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise InputError(
            f"{name} is not valid TOML: {error}",
            context=(name,),
            hint="correct the syntax; strings need quotation marks",
        ) from error
    except RecursionError as error:
        raise InputError(
            f"{name} cannot be read: it is nested too deeply", context=(name,)
        ) from error
    return document


def decode(data: bytes) -> str:
    """Decode a requirements file.

    :param data: the whole file
    :raises InputError: if it is not text in its encoding, or has a NUL; states line and byte offset
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = _decode_as(data, encoding, len(mark))
            break
    else:
        text = _decode_as(data, _declared_encoding(data) or "utf-8", 0)
    if "\0" in text:
        raise _encoding_error(data, data.find(b"\0"), "contains a NUL byte")
    return text


def _declared_encoding(data: bytes) -> str | None:
    """The encoding that a comment in the first two lines declares (PEP 263)."""
    for line in data[:_SAMPLE].splitlines()[:2]:
        found = re.search(_DECLARATION, line) if line.startswith(b"#") else None
        if found:
            return _known_encoding(found[1].decode("ascii", "replace"))
    return None


def _known_encoding(declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
        with contextlib.suppress(UnicodeError):  # only whether it decodes at all
            b"#".decode(name)
    except LookupError as error:
        raise InputError(
            f"declares an unknown encoding: {declared}", hint="save the file as UTF-8"
        ) from error
    if name in _NOT_FOR_FILES:
        raise InputError(
            f"declares {declared}, which is not an encoding of text files",
            hint="save the file as UTF-8",
        )
    return name


def _decode_as(data: bytes, encoding: str, skip: int) -> str:
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise _encoding_error(data, skip + error.start, f"is not {encoding} text") from error


def _encoding_error(data: bytes, offset: int, what: str) -> InputError:
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


class LogicalLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line after joining continuations, without its comment; never blank.

    :param number: 1-based number of the first line that it was joined from
    :param text: as written; variables are not expanded
    """

    number: int
    text: str


def logical_lines(text: str) -> Iterator[LogicalLine]:
    r"""Yield the logical lines that are not blank.

    A line that ends in a backslash continues on the next; a comment line does not, and ends the
    line that it would continue. The last line may end in a backslash.

    >>> [line.text for line in logical_lines("one \\\n  ==1.0 # comment\n\n# two\nthree\\")]
    ['one   ==1.0', 'three']
    """
    joined: list[str] = []
    first = 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if not joined:
            first = number
        if line.endswith("\\") and not _is_comment(line):
            joined.append(line.rstrip("\\"))
            continue
        if joined:
            line = "".join((*joined, " " if _is_comment(line) else "", line))  # noqa: PLW2901
            joined = []
        if content := _without_comment(line):
            yield LogicalLine(number=first, text=content)
    if joined and (content := _without_comment("".join(joined))):
        yield LogicalLine(number=first, text=content)


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
    """Expand ``${VARIABLES}`` in *text*.

    As in pip, names consist of upper-case letters, digits and underscores. Unlike pip, which keeps
    the text of a variable that is not set, and fails with it much later, that is an error.

    :raises InputError: if one is not set, is empty or has lower-case letters; states all of them
    """
    if "${" not in text:
        return text
    names = dict.fromkeys(match[1] for match in re.finditer(_VARIABLE, text))
    lower = [name for name in names if name != name.upper()]
    if lower:
        raise InputError(
            f"${{{lower[0]}}} has lower-case letters and is not expanded",
            hint=f"write ${{{lower[0].upper()}}}, and set that variable",
        )
    unset = [name for name in names if not environ.get(name)]
    if unset:
        written = join_words([f"${{{name}}}" for name in unset])
        raise InputError(
            f"{written} {'is' if len(unset) == 1 else 'are'} not set or empty",
            hint=f"set the environment variable {unset[0]}, or write its value into the file",
        )
    return re.sub(_VARIABLE, lambda match: environ[match[1]], text)
