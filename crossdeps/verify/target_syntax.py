"""Parses source as the target's Python would, whichever Python runs crossdeps.

Three cases, by the parser at hand:

- It is the target's: its answer is the answer.
- It is newer: what it accepts is searched for syntax that the target lacks (``feature_version`` of
  the ``ast`` module finds a part of it only); what it rejects, the target rejects too, since no
  release since 3.8 took syntax away.
- It is older: what it rejects is rewritten without the syntax that came since, and parsed again.

Errors that Python finds after parsing, such as ``return`` outside of a function, count if every
release since 3.8 finds them.

Sources: "What's New in Python" 3.9 to 3.14, and the grammar of each release.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import warnings
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from crossdeps.requirements.syntax import parsing
from crossdeps.verify.older_syntax import decode_source, rewrite_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NEWEST_KNOWN = (3, 14)
"""The newest Python whose syntax is known."""

# What every release finds when it compiles; the texts hardly changed.
_ALWAYS_INVALID = (
    r"'(return|yield|await|yield from|break)' outside|'continue' not properly in loop"
    r"|yield' outside|await' outside|asynchronous (with|for) outside"
    r"|import \* only allowed at module level|duplicate (argument|parameter)"
    r"|(prior to|before) (global|nonlocal) declaration"
    r"|is (parameter|nonlocal) and (global|nonlocal)|no binding for nonlocal '(?!_\w+__)"
    r"|nonlocal declaration not allowed at module level"
    r"|future feature .* is not defined|not a chance|from __future__ imports must occur"
    r"|default 'except:' must be last|cannot assign to|cannot delete|too many statically nested"
    r"|'return' with value in async generator|'yield from' inside async function"
    r"|starred assignment target must be|can't use starred expression"
    r"|multiple starred expressions|assignment expression cannot"
)
_FSTRING = rb"""[fF][rR]?['"]|[rR][fF]['"]"""


class SourceError(msgspec.Struct, frozen=True, kw_only=True):
    """Why source cannot be parsed.

    :param line: 1-based; None for the whole file
    :param certain: whether the target's Python rejects it too; it may know newer syntax
    """

    message: str
    line: int | None
    certain: bool


class NewerSyntax(msgspec.Struct, frozen=True, order=True):
    """Syntax that came with a minor version of Python 3."""

    line: int
    minor: int
    name: str


def parse_source(data: bytes, python: tuple[int, int]) -> ast.Module | SourceError:
    """Parse a file as the Python of the target would.

    :param data: the bytes of the file
    :param python: (major, minor) of the target
    """
    running = sys.version_info[:2]
    tree = _parse(data, python)
    if isinstance(tree, ast.Module):
        newer = find_newer_syntax(tree, data, python)[:1] if python < running else []
        if not newer:
            return tree
        (first,) = newer
        message = f"{first.name} requires Python 3.{first.minor} or later"
        return SourceError(message=message, line=first.line, certain=True)
    if running >= python or not tree.certain:
        return tree
    rewritten = rewrite_source(data, python)
    again = _parse(rewritten, python) if rewritten is not None else tree
    if isinstance(again, ast.Module):
        return again
    certain = python <= NEWEST_KNOWN and again.certain
    return SourceError(message=tree.message, line=tree.line, certain=certain)


def _parse(data: bytes, python: tuple[int, int]) -> ast.Module | SourceError:
    """Parse and compile as the Python that runs crossdeps does. Nothing is run.

    :param python: the target's; 3.8 has its own parser, with rules that later ones dropped
    """
    try:
        with warnings.catch_warnings(), parsing():
            warnings.simplefilter("ignore")
            if python < (3, 9):
                ast.parse(data, feature_version=python)
            tree = ast.parse(data)
            try:
                compile(tree, "<source>", "exec", dont_inherit=True)
            except SyntaxError as error:
                is_same = python == sys.version_info[:2]
                if is_same or re.search(_ALWAYS_INVALID, error.msg or ""):
                    raise
    except SyntaxError as error:
        return SourceError(message=error.msg or "invalid syntax", line=error.lineno, certain=True)
    except ValueError as error:  # null bytes, before Python 3.12
        return SourceError(message=str(error), line=None, certain=True)
    except (RecursionError, MemoryError, OverflowError):
        return SourceError(message="too deeply nested", line=None, certain=False)
    return tree


def find_newer_syntax(tree: ast.Module, data: bytes, python: tuple[int, int]) -> list[NewerSyntax]:
    """Find the syntax in a file that came after *python*, in the order of lines.

    :param tree: *data*, parsed
    """
    positions = _Positions(data)
    found = [item for node in ast.walk(tree) for item in _find_in_node(node, positions)]
    if python < (3, 12) <= sys.version_info[:2] and re.search(_FSTRING, data):
        found += _find_nested_fstrings(data)
    return sorted(item for item in found if (3, item.minor) > python)


class _Positions:
    """The text of a file by the positions of its nodes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def _lines(self) -> list[bytes]:
        text = decode_source(self._data).encode("utf-8", "surrogatepass")
        return re.split(rb"\r\n|\r|\n", text)

    def is_parenthesized(self, node: ast.expr) -> bool:
        """Whether *node* has parentheses: inside its position if a tuple, else around it."""
        start = self._lines[node.lineno - 1]
        if isinstance(node, ast.Tuple):
            end = self._lines[(node.end_lineno or node.lineno) - 1][: node.end_col_offset]
            return start[node.col_offset :].startswith(b"(") and end.endswith(b")")
        return self.before(node).endswith(b"(")

    def before(self, node: ast.expr) -> bytes:
        """The text before *node* on its line or, if there is none, on the lines before."""
        number = node.lineno - 1
        text = self._lines[number][: node.col_offset].rstrip()
        while not text and number:
            number -= 1
            text = self._lines[number].partition(b"#")[0].rstrip()
        return text


_NODES = {
    "Match": (10, "the match statement"),
    "TryStar": (11, "except*"),
    "TypeAlias": (12, "the type statement"),
    "TypeVar": (12, "a type parameter"),
    "ParamSpec": (12, "a type parameter"),
    "TypeVarTuple": (12, "a type parameter"),
    "TemplateStr": (14, "a template string"),
}
_WITHOUT = "without parentheses"


def _find_in_node(node: ast.AST, positions: _Positions) -> Iterator[NewerSyntax]:
    if known := _NODES.get(type(node).__name__):
        line = getattr(node, "lineno", 0)
        yield NewerSyntax(line, *known)
        if getattr(node, "default_value", None) is not None:
            yield NewerSyntax(line, 13, "the default of a type parameter")
    elif isinstance(node, ast.ExceptHandler):
        if isinstance(node.type, ast.Tuple) and not positions.is_parenthesized(node.type):
            yield NewerSyntax(node.lineno, 14, f"except with several types {_WITHOUT}")
    elif isinstance(node, (ast.expr, ast.arg)):
        yield from _find_in_expression(node, positions)


def _find_in_expression(node: ast.expr | ast.arg, positions: _Positions) -> Iterator[NewerSyntax]:
    if isinstance(node, ast.arg):
        if isinstance(node.annotation, ast.Starred):
            yield NewerSyntax(node.lineno, 11, "a starred annotation")
    elif isinstance(node, ast.Subscript):
        index = node.slice
        elements = index.elts if isinstance(index, ast.Tuple) else [index]
        is_starred = any(isinstance(element, ast.Starred) for element in elements)
        if is_starred and not positions.is_parenthesized(index):
            yield NewerSyntax(node.lineno, 11, f"a starred expression in an index {_WITHOUT}")
        yield from _find_bare_assignments(elements, positions, "an index")
    elif isinstance(node, ast.Set):
        yield from _find_bare_assignments(node.elts, positions, "a set")
    elif isinstance(node, _COMPREHENSIONS):
        yield from _find_async_comprehensions(node)


def _find_bare_assignments(
    elements: Iterable[ast.expr], positions: _Positions, place: str
) -> Iterator[NewerSyntax]:
    for item in elements:
        if isinstance(item, ast.NamedExpr) and not positions.is_parenthesized(item):
            name = f"an assignment expression in {place} {_WITHOUT}"
            yield NewerSyntax(item.lineno, 10, name)


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _find_async_comprehensions(outer: ast.expr) -> Iterator[NewerSyntax]:
    """Find asynchronous comprehensions inside of another that is not (bpo-33346)."""
    parts = _own_parts(outer)
    if any(isinstance(node, ast.Await) for node in _walk_scope(parts)) or _is_async(outer):
        return
    for inner in _walk_scope(parts):
        if isinstance(inner, (ast.ListComp, ast.SetComp, ast.DictComp)) and (
            _is_async(inner)
            or any(isinstance(node, ast.Await) for node in _walk_scope(_own_parts(inner)))
        ):
            name = "an asynchronous comprehension inside of another"
            yield NewerSyntax(inner.lineno, 11, name)


def _is_async(node: ast.AST) -> bool:
    return any(item.is_async for item in getattr(node, "generators", ()))


def _own_parts(node: ast.AST) -> list[ast.AST]:
    """What a comprehension evaluates in its own scope: all but the first iterable."""
    generators: list[ast.comprehension] = getattr(node, "generators", [])
    parts = [getattr(node, field, None) for field in ("elt", "key", "value")]
    parts += [condition for item in generators for condition in item.ifs]
    parts += [item.iter for item in generators[1:]]
    return [part for part in parts if isinstance(part, ast.AST)]


def _walk_scope(parts: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield *parts* and all below them, of inner scopes what belongs to the outer one only."""
    pending = list(parts)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, _COMPREHENSIONS):
            pending.append(node.generators[0].iter)
        elif not isinstance(node, ast.Lambda):
            pending += ast.iter_child_nodes(node)


def _find_nested_fstrings(data: bytes) -> Iterator[NewerSyntax]:
    """Find what PEP 701 allowed within the braces of f-strings, by the tokens of Python 3.12."""
    import tokenize  # noqa: PLC0415 - for newer Pythons and files with f-strings only

    def newer(token: tokenize.TokenInfo, what: str) -> NewerSyntax:
        return NewerSyntax(token.start[0], 12, f"{what} within the braces of an f-string")

    start_token = getattr(tokenize, "FSTRING_START", -1)
    middle = getattr(tokenize, "FSTRING_MIDDLE", -1)
    end_token = getattr(tokenize, "FSTRING_END", -1)
    quotes: list[tuple[str, int]] = []
    for token in tokenize.tokenize(io.BytesIO(data).readline):
        if token.type == end_token:
            quotes.pop()
        elif quotes and token.type != middle:
            if token.type == tokenize.COMMENT or "#" in token.string:
                yield newer(token, "#")
            elif "\\" in token.string:
                yield newer(token, "a backslash")
            elif any(quote in token.string for quote, _ in quotes):
                yield newer(token, "the same quotes")
            elif any(len(quote) == 1 and token.end[0] > line for quote, line in quotes):
                yield newer(token, "a line break")
        if token.type == start_token:
            quotes.append((token.string.lstrip("fFrR"), token.start[0]))
