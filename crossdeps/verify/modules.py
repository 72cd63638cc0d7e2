"""Finds the modules that can be imported on the target, and the imports of the user's source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.verify.module_names import (
    PROVIDED_MODULES,
    find_project,
    find_project_prefix,
    iterate_parents,
    parse_module_path,
    stdlib_modules,
)
from crossdeps.verify.python_source import read_imports
from crossdeps.verify.target_syntax import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.target.model import Target
    from crossdeps.verify.model import Handler
    from crossdeps.verify.python_source import Import, Timing

Kind = Literal["package", "module", "namespace"]


class ModuleIndex:
    """Every module that can be imported on the target, by dotted name.

    All modules of the bundle and its layers are known. Of the standard library and the runtime only
    the top level is, and anything below it counts as available.

    :param provided: projects that the runtime provides besides the standard library
    :param available_projects: projects whose modules are available, though not in the bundle
    :param target: decides which standard library is available
    :param read: returns the bytes of an entry
    """

    def __init__(
        self,
        bundle: Bundle,
        layers: Iterable[Bundle],
        *,
        target: Target,
        provided: Collection[NormalizedName],
        available_projects: Iterable[str],
        read: Callable[[Entry], bytes],
    ) -> None:
        self.target = target
        self.read = read
        self.user_modules: dict[str, Entry] = {}
        """The modules that no project owns: the user's source."""
        self._kinds: dict[str, Kind] = {}
        self._entries: dict[str, Entry] = {}
        self._changes_imports: dict[str, bool] = {}
        self._available_projects = frozenset(available_projects)
        self._available = stdlib_modules(target.python_version) | {
            module for name in provided for module in PROVIDED_MODULES.get(name, ())
        }
        self._add_bundle(bundle, is_layer=False)
        for layer in layers:
            self._add_bundle(layer, is_layer=True)

    def __contains__(self, module: str) -> bool:
        """Whether the bundle or a layer has *module*."""
        return module in self._kinds

    def find_entry(self, module: str) -> Entry | None:
        """Return the file of *module*; None if it is a folder, or not in the bundle and layers."""
        return self._entries.get(module)

    def find_missing(self, item: Import) -> str | None:
        """Return the dotted name that *item* won't find; None if it succeeds.

        A package of another project may put anything into its own namespace, so nothing below it
        counts as missing. Below a namespace package (PEP 420) only files count.
        """
        if not item.module:
            return item.text
        names = [f"{item.module}.{name}" for name in item.names if name != "*"]
        missing = self._find_first_missing(item.module)
        if missing is not None:
            prefixes = (find_project_prefix(name) for name in (*names, item.module))
            return next((p for p in prefixes if p and p.startswith(f"{missing}.")), missing)
        if self._kinds.get(item.module) != "namespace":
            return None
        return next((name for name in names if name not in self._kinds), None)

    def _find_first_missing(self, module: str) -> str | None:
        parent: str | None = None
        for name in iterate_parents(module):
            if name in self._kinds:
                parent = name
            elif parent is None:
                return None if self._is_available(name) else name
            else:
                return name if self._contains_files_only(parent) else None
        return None

    def _contains_files_only(self, package: str) -> bool:
        """Whether all modules below *package* must be files.

        Not if it belongs to another project, is compiled, or changes the import system.
        """
        if self._kinds[package] == "namespace":
            return True
        entry = self.user_modules.get(package)
        if entry is None or not entry.path.endswith(".py"):
            return False
        if package not in self._changes_imports:
            found = re.search(rb"sys\.modules|meta_path|__path__", self.read(entry))
            self._changes_imports[package] = found is not None
        return not self._changes_imports[package]

    def _is_available(self, top_level: str) -> bool:
        if top_level in self._available or top_level.startswith("_"):
            return True
        return canonicalize_name(find_project(top_level) or top_level) in self._available_projects

    def _add_bundle(self, bundle: Bundle, *, is_layer: bool) -> None:
        roots = [bundle.prefix]
        if bundle.prefix.startswith("python/"):
            major, minor = self.target.python_version
            roots = [f"python/lib/python{major}.{minor}/site-packages/", "python/"]
        for entry in bundle.entries:
            root = next((root for root in roots if entry.path.startswith(root)), None)
            if root is not None:
                is_users = not is_layer and entry.owner is None
                self._add(entry.path[len(root) :], entry, is_users=is_users)

    def _add(self, path: str, entry: Entry, *, is_users: bool) -> None:
        folder = path.rpartition("/")[0]
        if "." in folder:
            return
        for name in iterate_parents(folder.replace("/", ".")) if folder else ():
            self._kinds.setdefault(name, "namespace")
        module = parse_module_path(path)
        # A package is found before a module of the same name, and both before a bare folder.
        if module and (module.is_package or self._kinds.get(module.name) != "package"):
            self._kinds[module.name] = "package" if module.is_package else "module"
            self._entries[module.name] = entry
            if is_users:
                self.user_modules[module.name] = entry


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A source file of the user.

    :param module: dotted name
    :param timing: ``startup`` if importing the handler imports it, ``optional`` if that may fail
        without harm, ``deferred`` if the source alone doesn't tell
    :param error: why it cannot be parsed
    """

    entry: Entry
    module: str
    timing: Timing
    imports: tuple[Import, ...] = ()
    error: SourceError | None = None


def read_sources(
    modules: ModuleIndex, *, handler: Handler, imported_only: bool
) -> tuple[SourceFile, ...]:
    """Read each source file of the user once, those that run at startup first.

    :param imported_only: leave out what the handler doesn't import
    :raises ArtifactReadError: if a file cannot be read
    """
    reader = _SourceReader(modules)
    optional = reader.follow([handler.module], "startup")
    reader.follow(optional, "optional")
    if not imported_only or not reader.files:
        reader.read_remaining()
    return tuple(reader.files.values())


class _SourceReader:
    """Reads the user's source files, following their imports."""

    def __init__(self, modules: ModuleIndex) -> None:
        self.files: dict[str, SourceFile] = {}
        self._modules = modules
        self._unread = {
            module: entry
            for module, entry in modules.user_modules.items()
            if entry.path.endswith(".py")
        }

    def follow(self, modules: Iterable[str], timing: Timing) -> list[str]:
        """Read *modules*, and what they import when they are imported.

        :returns: modules whose import is optional
        """
        optional: list[str] = []
        pending = list(modules)
        while pending:
            for name in iterate_parents(pending.pop()):
                for item in self._read(name, timing).imports if name in self._unread else ():
                    names = [item.module, *(f"{item.module}.{name}" for name in item.names)]
                    if item.timing == "startup" and item.module:
                        pending += names
                    elif item.timing == "optional":
                        optional += names
        return optional

    def read_remaining(self) -> None:
        """Read all files that were not read yet."""
        for module in sorted(self._unread):
            self._read(module, "deferred")

    def _read(self, module: str, timing: Timing) -> SourceFile:
        entry = self._unread.pop(module)
        parts = module.split(".")
        result = read_imports(
            self._modules.read(entry),
            package=parts if entry.path.endswith("/__init__.py") else parts[:-1],
            python=self._modules.target.python,
            is_available=lambda item: self._modules.find_missing(item) is None,
        )
        file = self.files[module] = SourceFile(
            entry=entry,
            module=module,
            timing=timing,
            imports=() if isinstance(result, SourceError) else result,
            error=result if isinstance(result, SourceError) else None,
        )
        return file
