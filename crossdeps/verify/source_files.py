"""The user's own source in a bundle, and what of it the handler imports at the start."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from crossdeps.verify.python_source import SyntaxFault, collect_imports, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.module_index import ModuleIndex
    from crossdeps.verify.python_source import Import, When
    from crossdeps.verify.surroundings import Handler


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A source file of the user.

    :param used: ``start`` where importing the handler imports it; ``guarded`` where that may fail
        without harm; ``later`` where only running code tells
    """

    entry: Entry
    module: str
    used: When
    imports: tuple[Import, ...] = ()
    fault: SyntaxFault | None = None


def read_sources(
    modules: ModuleIndex,
    *,
    handler: Handler | None,
    used_only: bool,
    python: str,
    read: Callable[[Entry], bytes],
) -> tuple[SourceFile, ...]:
    """Each file of the user's source once, what runs at the start first.

    :param used_only: leave out what the handler doesn't import, where there is one
    :param python: full version of the target
    :param read: gives the bytes of an entry
    :raises ArtifactReadError: if one can't be read
    """
    walk = _Walk(modules, python=python, read=read)
    return tuple(walk.files(handler, used_only=used_only))


class _Walk:
    """Finds the user's source, and what of it the handler imports at the start."""

    def __init__(
        self, modules: ModuleIndex, *, python: str, read: Callable[[Entry], bytes]
    ) -> None:
        self._modules = modules
        self._python = python
        self._bytes_of = read
        self._own = {
            module: entry for module, entry in modules.own.items() if entry.path.endswith(".py")
        }

    def files(self, handler: Handler | None, *, used_only: bool) -> list[SourceFile]:
        """Each file once, what runs at the start first."""
        found: dict[str, SourceFile] = {}
        if handler is not None:
            guarded = self._follow([handler.module], "start", found)
            self._follow(guarded, "guarded", found)
        # Where nothing says whose files these are, only what is used can be the user's concern.
        if not used_only or not found:
            for module in sorted(self._own.keys() - found.keys()):
                found[module] = self._read(module, "later")
        return list(found.values())

    def _follow(
        self, modules: Iterable[str], used: When, found: dict[str, SourceFile]
    ) -> list[str]:
        """Add what *modules* import when they are imported.

        :returns: what they try to import, and can do without
        """
        guarded: list[str] = []
        waiting = list(modules)
        while waiting:
            for name in self._modules.with_parents(waiting.pop()):
                if name in found or name not in self._own:
                    continue
                found[name] = file = self._read(name, used)
                for one in file.imports:
                    names = [one.module, *(f"{one.module}.{item}" for item in one.names)]
                    if one.when == "start" and one.module:
                        waiting += names
                    elif one.when == "guarded":
                        guarded += names
        return guarded

    def _read(self, module: str, used: When) -> SourceFile:
        entry = self._own[module]
        major, minor, _ = self._python.split(".")
        tree = parse(self._bytes_of(entry), (int(major), int(minor)))
        make = partial(SourceFile, entry=entry, module=module, used=used)
        if not isinstance(tree, ast.Module):
            return make(fault=tree)
        is_package = entry.path.endswith("/__init__.py")
        parts = module.split(".")
        imports = collect_imports(
            tree,
            package=parts if is_package else parts[:-1],
            python=self._python,
            resolves=lambda one: self._modules.missing(one) is None,
        )
        return make(imports=imports)
