"""Which modules an import finds: in the bundle, its layers, the standard library, the runtime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from crossdeps.verify.import_names import PROVIDED_MODULES, distribution_name, project_of
from crossdeps.verify.stdlib import stdlib_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle, Entry
    from crossdeps.verify.python_source import Import

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
        return canonicalize_name(project_of(top) or top) in self._elsewhere

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
