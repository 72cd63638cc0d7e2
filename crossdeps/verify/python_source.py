"""Reads the imports of Python source without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from crossdeps.verify.conditions import evaluate_condition
from crossdeps.verify.module_names import resolve_import
from crossdeps.verify.search_path import PathReader
from crossdeps.verify.target_syntax import SourceError, parse_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from crossdeps.verify.search_path import PathChange

# startup: runs when the module is imported; deferred: runs in a function, or under a condition that
# cannot be evaluated; optional: may fail without harm
Timing = Literal["startup", "deferred", "optional"]

_LISTED = rb"[ \t]*(\([^)]*\)|(?:[^\n#;\\]|\\\n)+)"
_SPACE = rb"(?:[ \t]|\\\n)+"
_FROM_LINE = re.compile(rb"from" + _SPACE + rb"(\.*)([\w.]*)" + _SPACE + rb"import\b" + _LISTED)
_IMPORT_LINE = re.compile(rb"import\b" + _LISTED)
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A module that source imports.

    :param module: dotted absolute name; empty if a relative import goes beyond its package
    :param names: names imported by ``from``; empty for a plain import
    :param text: the module as written, with leading dots
    :param line: 1-based
    :param timing: when the import runs
    """

    module: str
    names: tuple[str, ...]
    text: str
    line: int
    timing: Timing

    @property
    def dotted_names(self) -> tuple[str, ...]:
        """The module, and what may be modules of it."""
        return (self.module, *(f"{self.module}.{name}" for name in self.names))


# Imports and changes of sys.path, in the order in which they run. After each import the generator
# is sent whether it fails.
Events = Generator["Import | PathChange", "bool", None]


def read_events(
    data: bytes, *, package: Sequence[str], python: str, location: str
) -> Events | SourceError:
    """Return the imports of a module and its changes of ``sys.path``, in the order of the source.

    ``if TYPE_CHECKING`` and branches that the target never takes are skipped. An import under
    ``try`` whose ImportError is caught is optional; its fallback counts only if the import fails.

    :param package: names of the packages that contain the module, outermost first
    :param python: full version of the target's Python
    :param location: where the file is on the target
    """
    major, minor, _ = python.split(".")
    tree = parse_source(data, (int(major), int(minor)))
    if isinstance(tree, SourceError):
        return tree
    return _ImportCollector(package, python=python, location=location).collect(tree)


class _ImportCollector:
    """Collects the imports of a module with the time at which each of them runs."""

    def __init__(self, package: Sequence[str], *, python: str, location: str) -> None:
        self._package = package
        self._python = python
        self._timing: Timing = "startup"
        self._path = PathReader(location)
        self._failed = 0
        self._import_errors = set(_IMPORT_ERRORS)
        """Names whose ``except`` catches an ImportError."""

    def collect(self, tree: ast.AST) -> Events:
        """Yield the imports in *tree* and its changes of ``sys.path``."""
        visit: Callable[[Any], Events] | None = getattr(self, f"_visit_{type(tree).__name__}", None)
        if visit is not None:
            yield from visit(tree)
        elif isinstance(tree, ast.expr):
            yield from self._visit_expression(tree)
        else:
            if isinstance(tree, ast.stmt):
                yield from self._path.read(tree)
            yield from self._visit_all(ast.iter_child_nodes(tree))

    def _visit_all(self, nodes: Iterable[ast.AST]) -> Events:
        for node in nodes:
            yield from self.collect(node)

    @contextmanager
    def _under(self, timing: Timing) -> Iterator[None]:
        """Weaken the timing of everything inside: what is optional outside stays optional."""
        order = ("startup", "deferred", "optional")
        before = self._timing
        self._timing = max(before, timing, key=order.index)
        yield
        self._timing = before

    def _visit_Import(self, node: ast.Import) -> Events:  # noqa: N802 - looked up by type
        for alias in node.names:
            yield from self._add(alias.name, (), alias.name, node.lineno)

    def _visit_ImportFrom(self, node: ast.ImportFrom) -> Events:  # noqa: N802 - as above
        text = "." * node.level + (node.module or "")
        module = resolve_import(node.level, node.module or "", self._package)
        yield from self._add(module, tuple(alias.name for alias in node.names), text, node.lineno)

    def _visit_Assign(self, node: ast.Assign) -> Events:  # noqa: N802 - as above
        if any(_last_name(item) in self._import_errors for item in ast.walk(node.value)):
            self._import_errors.update(map(_last_name, node.targets))
        yield from self._path.read(node)
        yield from self._visit_expression(node.value)

    def _visit_If(self, node: ast.If) -> Events:  # noqa: N802 - as above
        result = evaluate_condition(node.test, self._python)
        yield from self.collect(node.test)
        with self._under("deferred" if result is None else "startup"):
            if result is not False:
                yield from self._visit_all(node.body)
            if result is not True:
                yield from self._visit_all(node.orelse)

    def _visit_Try(self, node: ast.Try) -> Events:  # noqa: N802 - as above
        catching = [handler for handler in node.handlers if self._catches(handler)]
        # A handler that ends by raising makes the import mandatory after all.
        optional = any(not isinstance(handler.body[-1], ast.Raise) for handler in catching)
        failed = self._failed
        # Whether the source of what is imported can be compiled is not known here.
        expects_error = any(_catches_syntax_error(handler) for handler in node.handlers)
        timing: Timing = "deferred" if expects_error else "startup"
        with self._under("optional" if optional else timing):
            yield from self._visit_all(node.body)
        fails = self._failed > failed
        for handler in node.handlers:
            is_fallback = optional and handler in catching
            with self._under(("startup" if fails else "optional") if is_fallback else "deferred"):
                yield from self._visit_all(handler.body)
        with self._under("optional" if fails and optional else "startup"):
            yield from self._visit_all(node.orelse)
        yield from self._visit_all(node.finalbody)

    _visit_TryStar = _visit_Try  # noqa: N815 - as above

    def _visit_With(self, node: ast.With | ast.AsyncWith) -> Events:  # noqa: N802 - as above
        suppressed = any(self._suppresses(item.context_expr) for item in node.items)
        with self._under("optional" if suppressed else "startup"):
            yield from self._visit_all([*node.items, *node.body])

    _visit_AsyncWith = _visit_With  # noqa: N815 - as above

    def _visit_FunctionDef(  # noqa: N802 - as above
        self, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> Events:
        yield from self._visit_all([*node.decorator_list, node.args])
        with self._under("deferred"):
            yield from self._visit_all(node.body)

    _visit_AsyncFunctionDef = _visit_FunctionDef  # noqa: N815 - as above

    def _visit_expression(self, expression: ast.expr) -> Events:
        """Collect ``import_module("name")`` and ``__import__("name")`` with a literal name."""
        pending: list[tuple[ast.AST, Timing]] = [(expression, self._timing)]
        while pending:
            node, timing = pending.pop()
            if isinstance(node, ast.Lambda) and timing == "startup":
                timing = "deferred"
            name = node.args[0] if isinstance(node, ast.Call) and node.args else None
            if (
                isinstance(node, ast.Call)
                and _last_name(node.func) in {"import_module", "__import__"}
                and isinstance(name, ast.Constant)
                and isinstance(name.value, str)
                and all(part.isidentifier() for part in name.value.split("."))
            ):
                with self._under(timing):
                    yield from self._add(name.value, (), name.value, node.lineno)
            pending += [(child, timing) for child in ast.iter_child_nodes(node)]

    def _add(self, module: str, names: tuple[str, ...], text: str, line: int) -> Events:
        fails = yield Import(module=module, names=names, text=text, line=line, timing=self._timing)
        self._failed += bool(fails)

    def _catches(self, handler: ast.ExceptHandler) -> bool:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(item is None or _last_name(item) in self._import_errors for item in types)

    def _suppresses(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Call) or _last_name(node.func) != "suppress":
            return False
        return any(_last_name(item) in self._import_errors for item in node.args)


def _catches_syntax_error(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and any(
        _last_name(node) == "SyntaxError" for node in ast.walk(handler.type)
    )


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def read_statements(text: bytes, package: list[str]) -> Iterator[Import]:
    """Yield the import statements that begin a line, as far as their text shows; nothing is parsed.

    Such a statement runs whenever its file does, but for text that only looks like one: what
    depends on it must be confirmed by :func:`read_events`.

    :param package: names of the packages that contain the source, outermost first
    """
    for at in _find_lines(text, b"from "):
        if match := _FROM_LINE.match(text, at):
            dots, name = match[1].decode("ascii"), match[2].decode("utf-8", "replace")
            module = resolve_import(len(dots), name, package)
            if all(part.isidentifier() for part in module.split(".")):
                names = tuple(filter(str.isidentifier, _split_names(match[3])))
                yield _make_import(module, names, dots + name, text, at)
    for at in _find_lines(text, b"import "):
        if match := _IMPORT_LINE.match(text, at):
            for name in _split_names(match[1]):
                yield _make_import(name, (), name, text, at)


def _find_lines(text: bytes, start: bytes) -> Iterator[int]:
    """Yield the positions of lines that begin with *start*."""
    if text.startswith(start):
        yield 0
    at = text.find(b"\n" + start)
    while at >= 0:
        yield at + 1
        at = text.find(b"\n" + start, at + 1)


def _split_names(listed: bytes) -> tuple[str, ...]:
    text = re.sub(rb"#[^\n]*|[()\\]", b"", listed).decode("utf-8", "replace")
    return tuple(words[0] for words in map(str.split, text.split(",")) if words)


def _make_import(module: str, names: tuple[str, ...], written: str, text: bytes, at: int) -> Import:
    line = text.count(b"\n", 0, at) + 1
    return Import(module=module, names=names, text=written, line=line, timing="startup")
