"""Bytes of a requirements file to text.

Source: pip's documentation, "Requirements File Format", "Encoding": UTF-8 unless a byte order mark
or a comment in the style of PEP 263 says otherwise.
"""

from __future__ import annotations

import codecs
import contextlib
import re

from crossdeps.errors import InputError

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
