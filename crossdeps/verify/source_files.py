"""The user's own source in a bundle, and what of it the handler imports at the start."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from crossdeps.verify.python_source import SyntaxFault, collect_imports, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.python_source import Import, When
    from crossdeps.verify.scene import Scene


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


def read_sources(scene: Scene) -> tuple[SourceFile, ...]:
    """Each file of the user's source once, what runs at the start first.

    :raises ArtifactReadError: if one can't be read
    """
    return tuple(_Walk(scene).files())


class _Walk:
    """Finds the user's source, and what of it the handler imports at the start."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._modules = scene.modules
        self._own = {
            module: entry
            for module, entry in scene.modules.own.items()
            if entry.path.endswith(".py")
        }

    def files(self) -> list[SourceFile]:
        """Each file once, what runs at the start first."""
        handler = self._scene.surroundings.handler
        found: dict[str, SourceFile] = {}
        if handler is not None:
            guarded = self._follow([handler.module], "start", found)
            self._follow(guarded, "guarded", found)
        # Where nothing says whose files these are, only what is used can be the user's concern.
        if self._scene.bundle.projects or not found:
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
        tree = parse(self._scene.read(entry), self._scene.target.python_version)
        make = partial(SourceFile, entry=entry, module=module, used=used)
        if not isinstance(tree, ast.Module):
            return make(fault=tree)
        is_package = entry.path.endswith("/__init__.py")
        parts = module.split(".")
        imports = collect_imports(
            tree,
            package=parts if is_package else parts[:-1],
            python=self._scene.target.python,
            resolves=lambda one: self._modules.missing(one) is None,
        )
        return make(imports=imports)
