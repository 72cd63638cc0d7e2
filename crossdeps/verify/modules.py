"""Which modules an import finds: in the bundle, its layers, the standard library, the runtime."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from crossdeps.verify.module_names import (
    PROVIDED_MODULES,
    distribution_name,
    find_project,
    stdlib_modules,
)
from crossdeps.verify.python_source import SyntaxFault, collect_imports, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.verify.model import Handler
    from crossdeps.verify.python_source import Import, When

Kind = Literal["package", "module", "namespace"]

_MODULE = re.compile(r"(?P<name>[^/.]+)(\.py|\.pyc|(\.[^/]+)?\.so)")

_IMPORT_SYSTEM = re.compile(rb"sys\.modules|meta_path|__path__")


class ModuleIndex:
    """Every module that can be imported on the target, by its dotted name.

    Of the bundle and its layers each module is known; of the standard library and the runtime only
    the top level is, and what is below counts as there.

    :param provided: what the runtime has beside the standard library
    :param elsewhere: projects whose modules are there, though not in the bundle
    :param python: (major, minor) of the target
    :param read: gives the bytes of an entry
    """

    def __init__(
        self,
        bundle: Bundle,
        layers: Iterable[Bundle],
        *,
        provided: Collection[NormalizedName],
        elsewhere: Iterable[str],
        python: tuple[int, int],
        read: Callable[[Entry], bytes],
    ) -> None:
        self._python = python
        self._read = read
        self._kinds: dict[str, Kind] = {}
        self._own: dict[str, Entry] = {}
        self._entries: dict[str, Entry] = {}
        self._stdlib = stdlib_modules(self._python)
        self._elsewhere = frozenset(elsewhere)
        self._runtime = {module for name in provided for module in PROVIDED_MODULES.get(name, ())}
        self._add_bundle(bundle, own=True)
        for layer in layers:
            self._add_bundle(layer, own=False)

    @property
    def own(self) -> dict[str, Entry]:
        """The modules that are source of the user: no project claims them."""
        return self._own

    def entry(self, module: str) -> Entry | None:
        """The file of *module*; None where it is a folder, or nowhere in the bundle and layers."""
        return self._entries.get(module)

    def has(self, module: str) -> bool:
        """Whether the bundle or a layer has *module*."""
        return module in self._kinds

    def missing(self, one: Import) -> str | None:
        """The dotted name that *one* won't find, or None where all is there.

        What a package of somebody else puts into its own namespace can't be known, so nothing below
        one is called missing; below a namespace package (PEP 420) only files count.
        """
        if not one.module:
            return one.text
        names = [f"{one.module}.{name}" for name in one.names if name != "*"]
        absent = self._first_absent(one.module)
        if absent is not None:
            specific = (distribution_name(name) for name in (*names, one.module))
            return next((n for n in specific if n and n.startswith(f"{absent}.")), absent)
        if self._kinds.get(one.module) != "namespace":
            return None
        return next((name for name in names if name not in self._kinds), None)

    def with_parents(self, module: str) -> Iterator[str]:
        """*module* and the packages that are imported before it, outermost first."""
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            yield ".".join(parts[:count])

    def _first_absent(self, module: str) -> str | None:
        above: str | None = None
        for name in self.with_parents(module):
            if name in self._kinds:
                above = name
            elif above is None:
                return None if self._is_elsewhere(name) else name
            else:
                return name if self._has_files_only(above) else None
        return None

    def _has_files_only(self, package: str) -> bool:
        """Whether all that is below *package* must be a file.

        Not where it is code of somebody else, compiled, or at work on the import system.
        """
        if self._kinds[package] == "namespace":
            return True
        entry = self._own.get(package)
        if entry is None or not entry.path.endswith(".py"):
            return False
        return _IMPORT_SYSTEM.search(self._read(entry)) is None

    def _is_elsewhere(self, top: str) -> bool:
        if top in self._stdlib or top in self._runtime or top.startswith("_"):
            return True
        return canonicalize_name(find_project(top) or top) in self._elsewhere

    def _add_bundle(self, bundle: Bundle, *, own: bool) -> None:
        roots = [bundle.prefix]
        if bundle.prefix.startswith("python/"):
            major, minor = self._python
            roots = [f"python/lib/python{major}.{minor}/site-packages/", "python/"]
        for entry in bundle.entries:
            root = next((root for root in roots if entry.path.startswith(root)), None)
            if root is not None:
                self._add(entry.path[len(root) :], entry, own=own and entry.owner is None)

    def _add(self, path: str, entry: Entry, *, own: bool) -> None:
        *folders, file = path.split("/")
        if any("." in folder for folder in folders):
            return
        for count in range(1, len(folders) + 1):
            self._kinds.setdefault(".".join(folders[:count]), "namespace")
        match = _MODULE.fullmatch(file)
        if match is None:
            return
        is_package = match["name"] == "__init__"
        name = ".".join(folders if is_package else [*folders, match["name"]])
        if not name:
            return
        # A package is found before a module of the same name, and both before a bare folder.
        if is_package or self._kinds.get(name) != "package":
            self._kinds[name] = "package" if is_package else "module"
            self._entries[name] = entry
            if own:
                self._own[name] = entry


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
