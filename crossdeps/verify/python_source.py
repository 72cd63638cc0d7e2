"""Reads Python source without running it: its imports, and the names that it defines."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from crossdeps.verify.conditions import evaluate_condition
from crossdeps.verify.target_syntax import SourceError, parse_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

# startup: runs when the module is imported; deferred: runs in a function, or under a condition that
# cannot be evaluated; optional: may fail without harm
Timing = Literal["startup", "deferred", "optional"]

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


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A name that the top level of a module defines.

    :param line: 1-based line of the statement that defines it
    :param is_function: whether it is a function that isn't a coroutine
    :param call_error: why it cannot be called with two arguments; empty if it can or if decorated
    """

    line: int
    is_function: bool
    call_error: str


def read_imports(
    data: bytes, *, package: Sequence[str], python: str, is_available: Callable[[Import], bool]
) -> tuple[Import, ...] | SourceError:
    """Return the imports of a module, in the order of the source.

    ``if TYPE_CHECKING`` and branches that the target never takes are skipped. An import under
    ``try`` whose ImportError is caught is optional; its fallback counts only if the import fails.

    :param package: names of the packages that contain the module, outermost first
    :param python: full version of the target's Python
    :param is_available: whether an import succeeds on the target
    """
    collector = _ImportCollector(package, python=python, is_available=is_available)
    return _parse(data, python, collector.collect)


def read_definitions(data: bytes, python: str) -> dict[str, Definition] | SourceError:
    """Return the names that the module's top level defines, as the last statement defines them.

    ``*`` stands for unknown names: a star import, or the module's own ``__getattr__``.

    :param python: full version of the target's Python
    """

    def collect(tree: ast.Module) -> dict[str, Definition]:
        return {
            "*" if name == "__getattr__" else name: Definition(
                line=statement.lineno,
                is_function=isinstance(statement, ast.FunctionDef),
                call_error=_find_call_error(statement),
            )
            for statement in _iterate_statements(tree.body)
            for name in _bound_names(statement)
        }

    return _parse(data, python, collect)


def _parse(data: bytes, python: str, collect: Callable[[ast.Module], T]) -> T | SourceError:
    """Parse source as the target's Python would, and return what *collect* makes of it."""
    major, minor, _ = python.split(".")
    tree = parse_source(data, (int(major), int(minor)))
    if isinstance(tree, SourceError):
        return tree
    try:
        return collect(tree)
    except RecursionError:
        return SourceError(message="too deeply nested", line=None, certain=False)


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


class _ImportCollector(ast.NodeVisitor):
    """Collects the imports of a module with the time at which each of them runs."""

    def __init__(
        self, package: Sequence[str], *, python: str, is_available: Callable[[Import], bool]
    ) -> None:
        self._imports: list[Import] = []
        self._package = package
        self._python = python
        self._is_available = is_available
        self._timing: Timing = "startup"

    def collect(self, tree: ast.Module) -> tuple[Import, ...]:
        """Return the imports of *tree*."""
        self._visit_all(tree.body)
        return tuple(self._imports)

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    @contextmanager
    def _under(self, timing: Timing) -> Iterator[None]:
        """Weaken the timing of everything inside: what is optional outside stays optional."""
        order = ("startup", "deferred", "optional")
        before = self._timing
        self._timing = max(before, timing, key=order.index)
        yield
        self._timing = before

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, (), alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        text = "." * node.level + module
        if node.level > len(self._package):
            module = ""
        elif node.level:
            parents = self._package[: len(self._package) - node.level + 1]
            module = ".".join(filter(None, (*parents, module)))
        self._add(module, tuple(alias.name for alias in node.names), text, node.lineno)

    def visit_If(self, node: ast.If) -> None:
        result = evaluate_condition(node.test, self._python)
        self.visit(node.test)
        with self._under("deferred" if result is None else "startup"):
            if result is not False:
                self._visit_all(node.body)
            if result is not True:
                self._visit_all(node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        catching = [handler for handler in node.handlers if _catches_import_error(handler)]
        # A handler that ends by raising makes the import mandatory after all.
        optional = any(not isinstance(handler.body[-1], ast.Raise) for handler in catching)
        start = len(self._imports)
        with self._under("optional" if optional else "startup"):
            self._visit_all(node.body)
        fails = any(not self._is_available(item) for item in self._imports[start:])
        for handler in node.handlers:
            is_fallback = optional and handler in catching
            with self._under(("startup" if fails else "optional") if is_fallback else "deferred"):
                self._visit_all(handler.body)
        with self._under("optional" if fails and optional else "startup"):
            self._visit_all(node.orelse)
        self._visit_all(node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815 - a name that NodeVisitor looks up

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        suppressed = any(_suppresses_import_error(item.context_expr) for item in node.items)
        with self._under("optional" if suppressed else "startup"):
            self.generic_visit(node)

    visit_AsyncWith = visit_With  # noqa: N815 - a name that NodeVisitor looks up

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._visit_all([*node.decorator_list, node.args])
        with self._under("deferred"):
            self._visit_all(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - a name that NodeVisitor looks up

    def visit_Lambda(self, node: ast.Lambda) -> None:
        with self._under("deferred"):
            self.visit(node.body)

    def visit_Call(self, node: ast.Call) -> None:
        """Collect ``import_module("name")`` and ``__import__("name")`` with a literal name."""
        name = node.args[0] if node.args else None
        if (
            _last_name(node.func) in {"import_module", "__import__"}
            and isinstance(name, ast.Constant)
            and isinstance(name.value, str)
            and all(part.isidentifier() for part in name.value.split("."))
        ):
            self._add(name.value, (), name.value, node.lineno)
        self.generic_visit(node)

    def _add(self, module: str, names: tuple[str, ...], text: str, line: int) -> None:
        self._imports.append(
            Import(module=module, names=names, text=text, line=line, timing=self._timing)
        )


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(item is None or _last_name(item) in _IMPORT_ERRORS for item in types)


def _suppresses_import_error(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or _last_name(node.func) != "suppress":
        return False
    return any(_last_name(item) in _IMPORT_ERRORS for item in node.args)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
