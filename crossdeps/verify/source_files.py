"""The user's own source in a bundle, and what of it the handler imports at the start."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from crossdeps.verify.python_source import SyntaxFault, collect_imports, parse

if TYPE_CHECKING:
    from crossdeps.bundle.model import Entry
    from crossdeps.verify.python_source import Import
    from crossdeps.verify.scene import Scene


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A source file of the user.

    :param at_start: whether importing the handler imports it
    """

    entry: Entry
    module: str
    at_start: bool
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
            self._follow(handler.module, found)
        # Where nothing says whose files these are, only what is used can be the user's concern.
        if self._scene.bundle.projects or not found:
            for module in sorted(self._own.keys() - found.keys()):
                found[module] = self._read(module, at_start=False)
        return list(found.values())

    def _follow(self, module: str, found: dict[str, SourceFile]) -> None:
        waiting = [module]
        while waiting:
            for name in self._modules.with_parents(waiting.pop()):
                if name in found or name not in self._own:
                    continue
                found[name] = file = self._read(name, at_start=True)
                for one in file.imports:
                    if one.when != "later" and one.module:
                        waiting += [one.module, *(f"{one.module}.{item}" for item in one.names)]

    def _read(self, module: str, *, at_start: bool) -> SourceFile:
        entry = self._own[module]
        tree = parse(self._scene.read(entry), self._scene.target.python_version)
        make = partial(SourceFile, entry=entry, module=module, at_start=at_start)
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
