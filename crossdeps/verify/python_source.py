"""Reads Python source without running it: what it imports, when, and what it defines."""

from __future__ import annotations

import ast
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from crossdeps.requirements.syntax import parsing
from crossdeps.verify.conditions import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

When = Literal["start", "later", "guarded"]

_CATCHES_MISSING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One module that source imports.

    :param module: dotted and absolute; empty where a relative import climbs out of its package
    :param names: what is taken from it by ``from``; empty for a plain import
    :param text: the module as written, with its dots
    :param line: 1-based
    :param when: ``start`` runs when the module is imported; ``later`` in a function, or under a
        condition that can't be decided; ``guarded`` may fail without harm
    """

    module: str
    names: tuple[str, ...]
    text: str
    line: int
    when: When


@dataclass(frozen=True, kw_only=True, slots=True)
class SyntaxFault:
    """Source that can't be parsed.

    :param line: 1-based; None where the whole file is meant
    :param certain: whether the target's Python would refuse it too. The Python that runs this
        knows no syntax that is newer than itself
    """

    message: str
    line: int | None
    certain: bool


def parse(data: bytes, python: tuple[int, int]) -> ast.Module | SyntaxFault:
    """Parse source as *python* would.

    What an older Python doesn't know is found as well as the ``ast`` module knows it, which is by
    its own word "best effort": statements such as ``match`` yes, details of expressions not always.

    :param python: (major, minor) of the target
    """
    running = sys.version_info[:2]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with parsing():
                return ast.parse(data, feature_version=min(python, running))
    except SyntaxError as error:
        certain = python <= running
        return SyntaxFault(message=error.msg, line=error.lineno, certain=certain)
    except ValueError as error:  # null bytes, before Python 3.12
        return SyntaxFault(message=str(error), line=None, certain=True)
    except (RecursionError, MemoryError):
        return SyntaxFault(message="it is nested too deeply", line=None, certain=False)


def collect_imports(
    tree: ast.Module,
    *,
    package: Sequence[str],
    python: str,
    resolves: Callable[[Import], bool],
) -> tuple[Import, ...]:
    """Every import of a module, in the order of the source.

    ``if TYPE_CHECKING`` and branches that the target never takes don't count; an import under
    ``try`` whose ImportError is caught is guarded, and what stands in for it counts only where it
    is needed.

    :param package: names of the packages that the module is in, outermost first
    :param python: full version of the target's Python
    :param resolves: whether an import will be found on the target
    """
    collector = _Collector(package=tuple(package), python=python, resolves=resolves)
    collector.walk(tree.body)
    return tuple(collector.found)


def top_level_names(tree: ast.Module) -> dict[str, ast.stmt]:
    """Every name that the module's top level binds, with the last statement that does.

    ``*`` stands for names that can't be known: a star import, or a module's own ``__getattr__``.
    """
    names: dict[str, ast.stmt] = {}
    for statement in _statements(tree.body):
        for name in _bound(statement):
            names["*" if name == "__getattr__" else name] = statement
    return names


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of *body* and of what it nests without opening a scope."""
    for statement in body:
        yield statement
        for field_name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from _statements(getattr(statement, field_name, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from _statements(handler.body)


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    else:
        targets: list[ast.AST] = [*getattr(statement, "targets", ())]
        target = getattr(statement, "target", None)
        targets += [target] if target is not None else []
        targets += [item.optional_vars for item in getattr(statement, "items", ()) if item]
        for one in targets:
            if one is not None:
                yield from (n.id for n in ast.walk(one) if isinstance(n, ast.Name))


@dataclass(kw_only=True, slots=True)
class _Collector:
    package: tuple[str, ...]
    python: str
    resolves: Callable[[Import], bool]
    found: list[Import] = field(default_factory=list)
    when: When = "start"

    def walk(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self._visit(node)

    @contextmanager
    def _under(self, when: When) -> Iterator[None]:
        """Weaken everything inside: what is guarded outside stays guarded."""
        order = ("start", "later", "guarded")
        before = self.when
        self.when = max(before, when, key=order.index)
        yield
        self.when = before

    def _visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._add(alias.name, (), alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            self._add_from(node)
        elif isinstance(node, ast.If):
            self._visit_if(node)
        elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            self._visit_try(node)  # type: ignore[arg-type] # the same fields
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            suppressed = any(_suppresses(item.context_expr) for item in node.items)
            with self._under("guarded" if suppressed else "start"):
                self.walk(ast.iter_child_nodes(node))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.walk([*node.decorator_list, node.args])
            with self._under("later"):
                self.walk(node.body)
        elif isinstance(node, ast.Lambda):
            with self._under("later"):
                self.walk([node.body])
        else:
            if isinstance(node, ast.Call):
                self._visit_call(node)
            self.walk(ast.iter_child_nodes(node))

    def _visit_if(self, node: ast.If) -> None:
        answer = verdict(node.test, self.python)
        self.walk([node.test])
        with self._under("later" if answer is None else "start"):
            if answer is not False:
                self.walk(node.body)
            if answer is not True:
                self.walk(node.orelse)

    def _visit_try(self, node: ast.Try) -> None:
        catching = [handler for handler in node.handlers if _catches_missing(handler)]
        guarded = any(not _gives_up(handler) for handler in catching)
        begin = len(self.found)
        with self._under("guarded" if guarded else "start"):
            self.walk(node.body)
        missing = any(not self.resolves(one) for one in self.found[begin:])
        for handler in node.handlers:
            stands_in = handler in catching and guarded
            with self._under(("start" if missing else "guarded") if stands_in else "later"):
                self.walk(handler.body)
        with self._under("guarded" if missing and guarded else "start"):
            self.walk(node.orelse)
        self.walk(node.finalbody)

    def _visit_call(self, node: ast.Call) -> None:
        """``import_module("name")`` and ``__import__("name")`` with the name written out."""
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called not in {"import_module", "__import__"} or not node.args:
            return
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            text = name.value
            if all(part.isidentifier() for part in text.split(".")):
                self._add(text, (), text, node.lineno)

    def _add_from(self, node: ast.ImportFrom) -> None:
        text = "." * node.level + (node.module or "")
        names = tuple(alias.name for alias in node.names)
        if not node.level:
            self._add(text, names, text, node.lineno)
            return
        if node.level > len(self.package):
            self._add("", names, text, node.lineno)
            return
        base = self.package[: len(self.package) - node.level + 1]
        module = ".".join([*base, *([node.module] if node.module else [])])
        self._add(module, names, text, node.lineno)

    def _add(self, module: str, names: tuple[str, ...], text: str, line: int) -> None:
        self.found.append(Import(module=module, names=names, text=text, line=line, when=self.when))


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(_last_name(kind) in _CATCHES_MISSING for kind in kinds)


def _gives_up(handler: ast.ExceptHandler) -> bool:
    """Whether the handler ends by raising, so that the import is needed after all."""
    return isinstance(handler.body[-1], ast.Raise)


def _suppresses(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and _last_name(node.func) == "suppress"
        and any(_last_name(one) in _CATCHES_MISSING for one in node.args)
    )


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
