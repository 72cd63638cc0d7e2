"""Finds modules as the target's importer does, over function, layers and runtime.

The search follows ``importlib``: the directories of ``sys.path`` in order; in each, a package comes
before a module, an extension module before source and source before bytecode; a directory without
``__init__`` counts only if no other directory has the module (PEP 420), and then all of its
portions do. The order of the directories is that of the AWS Lambda developer guide, "Search paths
for runtimes": the function, the layers, the standard library and the runtime.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.bundle.model import import_roots
from crossdeps.verify.definitions import read_bound_names
from crossdeps.verify.module_names import (
    PROVIDED_MODULES,
    find_project,
    find_project_prefix,
    iterate_parents,
    stdlib_modules,
)
from crossdeps.verify.search_path import FUNCTION_ROOT, LAYER_ROOT, Found, Root, index_root
from crossdeps.verify.stdlib_names import find_missing_stdlib, lacks_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.target.model import Target
    from crossdeps.verify.python_source import Import
    from crossdeps.verify.search_path import PathChange

# BuiltinImporter comes before sys.path, and sys.modules before all.
_BUILTIN = frozenset({
    "atexit", "builtins", "errno", "faulthandler", "gc", "itertools", "marshal", "posix", "pwd",
    "sys", "time",
})  # fmt: skip
_CHANGES_IMPORTS = rb"sys\.modules|meta_path|__path__|declare_namespace|path_hooks"
_CHANGES_NAMES = rb"sys\.modules|globals\(|locals\(|vars\(|__dict__|exec\(|setattr\(|exec_module"


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """What an import will not find.

    :param name: dotted name of the module, or of what a module does not define
    :param reason: ``module`` if no directory has it; ``hidden`` if one has it that a regular
        package of the same name hides; ``name`` if its module does not define it; ``stdlib-name``
        if this version of the standard library does not
    :param entry: the file that hides it, or that does not define it
    :param certain: whether it is known where modules are searched for
    """

    name: str
    reason: Literal["module", "hidden", "name", "stdlib-name"] = "module"
    entry: Entry | None = None
    certain: bool = True


class ModuleIndex:
    """The modules that can be imported on the target, by dotted name.

    Of the runtime's projects only the top level is known, and anything below it counts as
    available.

    :param provided: projects that the runtime provides besides the standard library
    :param available_projects: projects whose modules are available, though not in the bundle
    :param target: decides which standard library is available
    :param read: returns the bytes of an entry
    """

    def __init__(
        self,
        bundle: Bundle,
        layers: Sequence[Bundle],
        *,
        target: Target,
        provided: Collection[NormalizedName],
        available_projects: Iterable[str],
        read: Callable[[Entry], bytes],
    ) -> None:
        self.target = target
        self.read = read
        self._available_projects = frozenset(available_projects)
        self._available = stdlib_modules(target.python_version) | {
            module for name in provided for module in PROVIDED_MODULES.get(name, ())
        }
        own_location = LAYER_ROOT if bundle.prefix else FUNCTION_ROOT
        self._files: dict[str, dict[str, Entry]] = {FUNCTION_ROOT: {}, LAYER_ROOT: {}}
        for layer in layers:
            self._files[LAYER_ROOT].update({entry.path: entry for entry in layer.entries})
        self._own = {entry.path: entry for entry in bundle.entries}
        self._files[own_location].update(self._own)
        self._own_location = own_location
        self._path: list[Root | None] = [self._index(FUNCTION_ROOT)]
        for root in import_roots("python/", target.python_version):
            self._path.append(self._index(f"{LAYER_ROOT}/{root}".rstrip("/")))
        self._path.append(None)
        self._path_is_known = True
        self._user_modules: dict[str, Entry] | None = None
        self._has_namespace_files = any(
            path.endswith("-nspkg.pth") for files in self._files.values() for path in files
        )
        self._bound_names: dict[str, frozenset[str] | None] = {}

    def __contains__(self, module: str) -> bool:
        """Whether the bundle or a layer has *module*."""
        return self.find(module) is not None

    @property
    def user_modules(self) -> dict[str, Entry]:
        """The modules that no project owns: the user's source. Those of added directories first."""
        if self._user_modules is not None:
            return self._user_modules
        found: dict[str, Entry] = {}
        paths: set[str] = set()
        for root in sorted(filter(None, self._path), key=lambda root: -len(root.location)):
            for name, (entry, _) in root.files.items():
                if self.is_users(entry) and entry.path not in paths:
                    paths.add(entry.path)
                    found[name] = entry
        self._user_modules = found
        return found

    def locate(self, entry: Entry) -> str:
        """Return where a file of the bundle or a layer is on the target."""
        is_own = self._own.get(entry.path) is entry
        return f"{self._own_location if is_own else LAYER_ROOT}/{entry.path}"

    def is_users(self, entry: Entry) -> bool:
        """Whether *entry* is of the user's source."""
        return entry.owner is None and self._own.get(entry.path) is entry

    def change_path(self, change: PathChange) -> None:
        """Add a directory to ``sys.path``."""
        directory = change.directory
        place = next((at for at in self._files if f"{directory}/".startswith(f"{at}/")), None)
        if directory is None or place is None or directory.endswith((".zip", ".egg", ".whl")):
            self._path_is_known = False
        elif all(root is None or root.location != directory for root in self._path):
            root = self._index(directory)
            if root.files or root.folders:
                self._path.insert(min(change.index, len(self._path)), root)
                self._user_modules = None

    def _index(self, location: str) -> Root:
        place = next(at for at in self._files if f"{location}/".startswith(f"{at}/"))
        prefix = f"{location}/".removeprefix(f"{place}/")
        files = {
            path[len(prefix) :]: entry
            for path, entry in self._files[place].items()
            if path.startswith(prefix)
        }
        return index_root(location, files, self.target)

    def find(self, module: str) -> Found | None:
        """Find *module* in the bundle, the layers and directories that source added."""
        found: Found | None = None
        for name in iterate_parents(module):
            found = self._find_top_level(name) if found is None else self._find_below(found, name)
            if found is None:
                return None
        return found

    def find_entry(self, module: str) -> Entry | None:
        """Return the file of *module*; None if it is a folder, or not in the bundle and layers."""
        found = self.find(module)
        return found.entry if found else None

    def _find_top_level(self, name: str) -> Found | None:
        if name in _BUILTIN:
            return None
        portions: list[Root] = []
        for root in self._path:
            if root is None:
                if name in self._available:
                    return None
            elif name in root.files:
                return root.find(name)
            elif name in root.folders:
                portions.append(root)
        return Found(kind="namespace", entry=None, roots=tuple(portions)) if portions else None

    def _find_below(self, parent: Found, name: str) -> Found | None:
        if parent.kind == "module":
            return None
        portions = []
        for root in parent.roots:
            if name in root.files:
                return root.find(name)
            if name in root.folders:
                portions.append(root)
        return Found(kind="namespace", entry=None, roots=tuple(portions)) if portions else None

    def find_missing(self, item: Import) -> Missing | None:
        """Find what *item* will not find; None if it succeeds, as far as is known.

        A package of another project may put anything into its own namespace, so nothing below it
        counts as missing. Below a namespace package (PEP 420) only files count.
        """
        if not item.module:
            return Missing(name=item.text)
        missing = self._find_missing_module(item.module)
        names = [name for name in item.names if name != "*"]
        if missing is None:
            return next(
                filter(None, (self._find_missing_name(item.module, n) for n in names)), None
            )
        if missing.reason == "module":
            dotted = (*(f"{item.module}.{name}" for name in names), item.module)
            prefixes = (find_project_prefix(name) for name in dotted)
            name = next((p for p in prefixes if p and p.startswith(f"{missing.name}.")), "")
            if name:
                return Missing(name=name, certain=missing.certain)
        return missing

    def _find_missing_module(self, module: str) -> Missing | None:
        found: Found | None = None
        for name in iterate_parents(module):
            parent = found
            if parent is None:
                found = self._find_top_level(name)
                if found is None and not self._is_available(name):
                    return Missing(name=name, certain=self._path_is_known)
                if found is None:
                    lacking = find_missing_stdlib(module, self.target.python_version)
                    return Missing(name=lacking) if lacking else None
            else:
                found = self._find_below(parent, name)
                if found is None:
                    return self._judge_absence(parent, name)
        return None

    def _judge_absence(self, parent: Found, name: str) -> Missing | None:
        """Whether *name* is missing for sure, which no directory of *parent* has."""
        if parent.kind == "namespace":
            available = canonicalize_name(find_project(name) or name) in self._available_projects
            return None if available else Missing(name=name, certain=self._path_is_known)
        entry = parent.entry
        if entry is None or not entry.path.endswith(".py"):
            return None
        if self._matches(entry, _CHANGES_IMPORTS):
            return None
        elsewhere = [root for root in self._path if root and root not in parent.roots]
        if any(name in root.files or name in root.folders for root in elsewhere):
            if self._has_namespace_files:
                return None
            return Missing(name=name, reason="hidden", entry=entry)
        return Missing(name=name) if self.is_users(entry) else None

    def _find_missing_name(self, module: str, name: str) -> Missing | None:
        """Find whether ``from module import name`` fails for sure, though *module* is found."""
        dotted, python = f"{module}.{name}", self.target.python_version
        found = self.find(module)
        if found is None:
            is_stdlib = module.partition(".")[0] in stdlib_modules(python)
            lacks = is_stdlib and lacks_name(module, name, python)
            return Missing(name=dotted, reason="stdlib-name") if lacks else None
        if self._find_below(found, dotted) is not None:
            return None
        entry = found.entry
        if entry is None:
            return self._judge_absence(found, dotted)
        if self.is_users(entry) and entry.path.endswith(".py"):
            lacks = self._lacks_name(entry, name)
            return Missing(name=dotted, reason="name", entry=entry) if lacks else None
        missing = self._judge_absence(found, dotted)
        return None if self._matches(entry, rb"\b%s\b" % name.encode()) else missing

    def _lacks_name(self, entry: Entry, name: str) -> bool:
        """Whether a file of the user does not define *name*, and no other file adds it."""
        if name.startswith("__") or self._matches(entry, _CHANGES_NAMES):
            return False
        python = self.target.python_version
        if entry.path not in self._bound_names:
            self._bound_names[entry.path] = read_bound_names(self.read(entry), python)
        bound = self._bound_names[entry.path]
        if bound is None or name in bound:
            return False
        added = rb"\.%s\s*[=:]|setattr\(" % re.escape(name.encode())
        sources = (item for item in self.user_modules.values() if item.path.endswith(".py"))
        return not any(self._matches(source, added) for source in sources)

    def _matches(self, entry: Entry, pattern: bytes) -> bool:
        """Whether the source of *entry* has a match of *pattern*."""
        return entry.path.endswith(".py") and re.search(pattern, self.read(entry)) is not None

    def _is_available(self, top_level: str) -> bool:
        if top_level in self._available or top_level.startswith("_"):
            return True
        if top_level == "distutils" and "_distutils_hack" in self:
            return True  # setuptools adds it
        return canonicalize_name(find_project(top_level) or top_level) in self._available_projects
