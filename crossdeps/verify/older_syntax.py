"""Rewrites source without the syntax that is newer than the Python that runs crossdeps.

What the older parser then still rejects is an error in the newer Python too. Lines are kept; what
is evaluated is not, apart from imports and the names that statements bind.

Sources: PEP 646 (stars), PEP 654 (``except*``), PEP 695 and 696 (type parameters), PEP 701
(f-strings), PEP 750 (template strings), PEP 758 (``except`` without parentheses).
"""

from __future__ import annotations

import io
import keyword
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STRING_START = re.compile(r"""(?P<prefix>[A-Za-z]{0,2})(?P<quote>'''|\"""|'|")""")
_TOKEN = re.compile(
    r"(?P<space>(?:[ \t\f]|\\\r?\n)+)|(?P<comment>#[^\r\n]*)|(?P<newline>\r\n|\r|\n)"
    r"|(?P<name>[^\W\d]\w*)|(?P<number>\.?\d(?:[eE][+-]?\d|[\w.])*)|(?P<operator>->|:=|!=|.)",
    re.DOTALL,
)
_PREFIXES = frozenset({"r", "u", "b", "br", "rb", "f", "fr", "rf", "t", "tr", "rt", ""})
_INVALID = "(+)"


class _UnfinishedError(Exception):
    """A string or bracket has no end: the source is left to the parser."""


class _Token:
    """A token, or the white space between two."""

    __slots__ = ("kind", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text


def decode_source(data: bytes) -> str:
    """Decode a file that could be parsed, or that its encoding does not prevent from that.

    :raises SyntaxError: if the encoding is unknown, or not that of the file
    """
    import tokenize  # noqa: PLC0415 - for files of other Pythons only

    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SyntaxError(str(error)) from error


def rewrite_source(data: bytes, python: tuple[int, int]) -> bytes | None:
    """Rewrite a file without newer syntax than that of Python 3.10; None if that is impossible.

    :param python: the target's: what is newer than that stays
    """
    try:
        text = decode_source(data).removeprefix("\ufeff")
        tokens = _split(text, python)
    except (SyntaxError, _UnfinishedError):
        return None
    if python >= (3, 12):
        _drop_type_parameters(tokens, with_defaults=python >= (3, 13))
    if python >= (3, 11):
        _drop_stars(tokens)
    if python >= (3, 14):
        _parenthesize_types(tokens)
    # A declaration of an encoding no longer applies.
    rewritten = "".join(token.text for token in tokens if token.kind != "comment")
    return rewritten.encode("utf-8", "surrogatepass")


def _split(text: str, python: tuple[int, int]) -> list[_Token]:
    """Split source into tokens; f-strings become tuples of what is in their braces.

    Strings side by side are one, which tuples are not: they are joined by ``+``.
    """
    tokens: list[_Token] = []
    position = depth = 0
    before = ""
    while position < len(text):
        start = _STRING_START.match(text, position)
        if start and start["prefix"].lower() in _PREFIXES:
            token, position = _read_string(text, start, python)
        else:
            match = _TOKEN.match(text, position)
            if match is None:
                raise _UnfinishedError
            token, position = _Token(match.lastgroup or "", match[0]), match.end()
        if token.kind == "operator":
            depth += (token.text in "([{") - (token.text in ")]}")
        if {before, token.kind} in ({"fields"}, {"fields", "string"}):
            tokens.append(_Token("operator", "+"))
        if token.kind not in {"space", "comment", "newline"} or not depth:
            before = before if token.kind in {"space", "comment"} else token.kind
        tokens.append(token)
    return tokens


def _read_string(text: str, start: re.Match[str], python: tuple[int, int]) -> tuple[_Token, int]:
    """Read a string, and return its token and where it ends."""
    prefix, quote = start["prefix"].lower(), start["quote"]
    if ("f" in prefix and python >= (3, 12)) or ("t" in prefix and python >= (3, 14)):
        parts, end = _read_fields(text, start.end(), quote, python)
        fields = "".join(f"({part})," if part.strip() else _INVALID for part in parts)
        breaks = text.count("\n", start.start(), end) - fields.count("\n")
        return _Token("fields", f"('',{fields}{breaks * chr(10)})"), end
    position = start.end()
    while not text.startswith(quote, position):
        if position >= len(text) or (len(quote) == 1 and text[position] in "\r\n"):
            raise _UnfinishedError
        position += 2 if text[position] == "\\" else 1
    end = position + len(quote)
    return _Token("string", text[start.start() : end]), end


def _read_fields(
    text: str, position: int, quote: str, python: tuple[int, int]
) -> tuple[list[str], int]:
    """Read an f-string from after its first quote: what is in its braces, and where it ends.

    :param quote: what ends it; ``}`` for a format specification
    """
    fields: list[str] = []
    while not text.startswith(quote, position):
        character = text[position : position + 1]
        if not character or (len(quote) == 1 and quote != "}" and character in "\r\n"):
            raise _UnfinishedError
        if text.startswith(("{{", "}}"), position) and quote != "}":
            position += 2
        elif named := re.compile(r"\\N\{[^{}\n]*\}").match(text, position):
            position = named.end()
        elif character == "\\":
            position += 1 if text.startswith(("\\{", "\\}"), position) else 2
        elif character == "{":
            inner, position = _read_field(text, position + 1, python)
            fields += inner
        else:
            position += 1
    return fields, position + len(quote)


def _read_field(text: str, position: int, python: tuple[int, int]) -> tuple[list[str], int]:
    """Read what is in braces, after the first: its expressions, and where it ends."""
    tokens: list[str] = []
    depth = 0
    while position < len(text):
        start = _STRING_START.match(text, position)
        if start and start["prefix"].lower() in _PREFIXES:
            token, position = _read_string(text, start, python)
            is_joined = token.kind == "fields" and tokens and tokens[-1].endswith(("'", '"', "')"))
            tokens.append(f"+{token.text}" if is_joined else token.text)
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            break
        operator = match[0]
        if depth == 0 and operator in {"!", ":", "}", ":="}:
            expression = re.sub(r"(?<![=!<>])=\s*$", "", "".join(tokens))
            fields = [expression]
            if operator == "!":
                conversion = re.compile(r"![ \t]*\w+\s*").match(text, position)
                position = conversion.end() if conversion else len(text)
            if text.startswith(":", position):
                inner, position = _read_fields(text, position + 1, "}", python)
                return fields + inner, position
            if text.startswith("}", position):
                return fields, position + 1
            break
        depth += (operator in "([{") - (operator in ")]}") if match.lastgroup == "operator" else 0
        if match.lastgroup != "comment":
            tokens.append(operator)
        position = match.end()
    raise _UnfinishedError


def _starts_statement(tokens: Sequence[_Token], index: int) -> bool:
    before = next((t for t in reversed(tokens[:index]) if t.kind != "space"), None)
    return before is None or before.kind == "newline" or before.text in {":", ";"}


def _next(tokens: Sequence[_Token], index: int) -> int:
    """The index of the next token that isn't white space; the length if there is none."""
    index += 1
    while index < len(tokens) and tokens[index].kind == "space":
        index += 1
    return index


def _closing(tokens: Sequence[_Token], index: int) -> int:
    """The index of the bracket that closes the one at *index*."""
    depth = 0
    for position in range(index, len(tokens)):
        if tokens[position].kind == "operator":
            depth += (tokens[position].text in "([{") - (tokens[position].text in ")]}")
        if depth == 0:
            return position
    return len(tokens) - 1


def _blank(tokens: Sequence[_Token], first: int, last: int) -> None:
    """Remove tokens and keep their line breaks, which join lines outside of brackets."""
    for token in tokens[first : last + 1]:
        breaks = token.text.count("\n") if token.kind != "comment" else 0
        token.kind, token.text = "space", "\\\n" * breaks


def _drop_type_parameters(tokens: list[_Token], *, with_defaults: bool) -> None:
    """Remove the type parameters of functions, classes and aliases, and the word ``type``."""
    for index, token in enumerate(tokens):
        if token.kind != "name" or token.text not in {"def", "class", "type"}:
            continue
        name = _next(tokens, index)
        if name >= len(tokens) or tokens[name].kind != "name":
            continue
        bracket = _next(tokens, name)
        if token.text == "type":
            known = not keyword.iskeyword(tokens[name].text) and bracket < len(tokens)
            if not known or tokens[bracket].text not in {"[", "="}:
                continue
            if not _starts_statement(tokens, index):
                continue
            _blank(tokens, index, name - 1)
        if bracket < len(tokens) and tokens[bracket].text == "[":
            closing = _closing(tokens, bracket)
            if with_defaults or all(token.text != "=" for token in tokens[bracket:closing]):
                _blank(tokens, bracket, closing)


def _drop_stars(tokens: list[_Token]) -> None:
    """Remove the stars of ``except*``, of indexes and of annotations."""
    brackets: list[str] = []
    before = ""
    for token in tokens:
        if token.kind in {"space", "newline", "comment"}:
            continue
        inner = brackets[-1] if brackets else ""
        if token.text == "*" and (
            before == "except"
            or (inner == "[" and before in {"[", ","})
            or (inner == "(" and before == ":")
        ):
            token.text = ""
            continue
        if token.kind == "operator" and token.text in "([{":
            brackets.append(token.text)
        elif token.kind == "operator" and token.text in ")]}" and brackets:
            brackets.pop()
        before = token.text


def _parenthesize_types(tokens: list[_Token]) -> None:
    """Put the types of ``except A, B:`` into parentheses."""
    for index, token in enumerate(tokens):
        if token.kind != "name" or token.text != "except" or not _starts_statement(tokens, index):
            continue
        end, depth, types = index + 1, 0, 1
        while end < len(tokens) and (depth or tokens[end].text not in {":", "as"}):
            if tokens[end].kind == "operator":
                depth += (tokens[end].text in "([{") - (tokens[end].text in ")]}")
                types += not depth and tokens[end].text == ","
            end += 1
        if types > 1 and end < len(tokens) and tokens[end].text == ":":
            first = _next(tokens, index)
            tokens[first].text = f"({tokens[first].text}"
            tokens[end].text = "):"
