"""Reads the names that Python source defines, without running it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import msgspec

from crossdeps.verify.target_syntax import SourceError, parse_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A name that the top level of a module defines.

    :param line: 1-based line of the statement that defines it
    :param is_function: whether it is a function that isn't a coroutine
    :param call_error: why it cannot be called with two arguments; empty if it can or if decorated
    """

    line: int
    is_function: bool
    call_error: str


def read_definitions(data: bytes, python: tuple[int, int]) -> dict[str, Definition] | SourceError:
    """Return the names that the module's top level defines, as the last statement defines them.

    ``*`` stands for unknown names: a star import, or the module's own ``__getattr__``.

    :param python: (major, minor) of the target
    """
    tree = parse_source(data, python)
    if isinstance(tree, SourceError):
        return tree
    return {
        "*" if name == "__getattr__" else name: Definition(
            line=statement.lineno,
            is_function=isinstance(statement, ast.FunctionDef),
            call_error=_find_call_error(statement),
        )
        for statement in _iterate_statements(tree.body)
        for name in _bound_names(statement)
    }


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def read_bound_names(data: bytes, python: tuple[int, int]) -> frozenset[str] | None:
    """Return every name that a module may define at its top level; None if some are unknown.

    :param python: (major, minor) of the target
    """
    tree = parse_source(data, python)
    if isinstance(tree, SourceError):
        return None
    names: set[str] = set()
    pending: list[tuple[ast.AST, bool]] = [(tree, True)]
    while pending:
        node, is_top_level = pending.pop()
        if isinstance(node, ast.Global):
            names.update(node.names)
        elif is_top_level:
            names.update(_names_of(node))
        is_top_level = is_top_level and not isinstance(node, _SCOPES)
        pending += [(child, is_top_level) for child in ast.iter_child_nodes(node)]
    return None if names & {"*", "__getattr__"} else frozenset(names)


def _names_of(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself binds: patterns and handlers do too."""
    if isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    else:
        for field in ("name", "rest"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name


def _iterate_statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of *body*, and those nested in them without opening a scope."""
    for statement in body:
        yield statement
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in ("body", "orelse", "finalbody"):
                yield from _iterate_statements(getattr(statement, block, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from _iterate_statements(handler.body)


def _bound_names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    else:
        targets = [*getattr(statement, "targets", ()), getattr(statement, "target", None)]
        targets += [item.optional_vars for item in getattr(statement, "items", ())]
        for target in filter(None, targets):
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _find_call_error(node: ast.stmt) -> str:
    """Find why the runtime cannot call a definition with two arguments and use its result."""
    if isinstance(node, ast.AsyncFunctionDef) and not node.decorator_list:
        return "is a coroutine function, which the Python runtimes do not await"
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return ""
    positional = [*node.args.posonlyargs, *node.args.args]
    required = len(positional) - len(node.args.defaults)
    if required > 2:
        return f"requires {required} arguments, but is called with two"
    if len(positional) < 2 and node.args.vararg is None:
        accepted = "one argument" if positional else "no arguments"
        return f"accepts {accepted}, but is called with two"
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is None:
            return f"requires the keyword argument {argument.arg}"
    return ""
