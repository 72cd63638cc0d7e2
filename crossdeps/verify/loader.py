"""Which files of the function and its layers the dynamic loader of the target would load.

Files are where Lambda unpacks them: the function in ``/var/task``, its layers in ``/opt``. Modules
are opened by Python, and bring the libraries that they need; a library is found by the DT_RPATH of
the object that needs it and of those that loaded it (if the object has no DT_RUNPATH), by
LD_LIBRARY_PATH, by DT_RUNPATH, in the system's folders, or because it is loaded already.

Sources: ld.so(8), "DESCRIPTION" and "Dynamic string tokens"; glibc, ``elf/dl-load.c``; for
LD_LIBRARY_PATH the AWS Lambda developer guide, "Defined runtime environment variables".
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict, deque
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.verify.native import FUNCTION_ROOT, LAYER_ROOT
from crossdeps.verify.system_libraries import library_presence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.target.model import Target
    from crossdeps.verify.native import NativeFile

_LIBRARY_PATH = (FUNCTION_ROOT, f"{FUNCTION_ROOT}/lib", f"{LAYER_ROOT}/lib")
_SYSTEM_DIRECTORIES = frozenset(
    {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/var/lang/lib", "/var/runtime"}
)
_TOKENS = r"\$(?:\{(ORIGIN|LIB)\}|(ORIGIN|LIB)\b)"
# A library is searched again with the DT_RPATH of each object that loads it; beyond as many
# different ones, the rest is taken to be as the others.
_MOST_SEARCHES = 8

# system: not a file of the artifact, which the target may or may not have; absent: at a path that
# only the machine has that built the object
Outcome = Literal["system", "absent"]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How the loader finds a library that an object needs.

    :param native: the object that needs it
    :param name: DT_NEEDED
    :param found: the file, or where else it has to be
    """

    native: NativeFile
    name: str
    found: NativeFile | Outcome

    @property
    def library(self) -> str:
        """The file name of what is needed."""
        return self.name.rpartition("/")[2]


class Loader:
    """The searches of the dynamic loader, for every object that may be loaded.

    :param natives: every native binary of the function and its layers
    """

    def __init__(self, natives: Iterable[NativeFile], target: Target) -> None:
        self._target = target
        self._files = {native.location: native for native in natives}
        self._compatible = [
            native for native in self._files.values() if native.load_status == "compatible"
        ]
        self._contexts: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        self._searches: dict[tuple[str, str], Search] = {}
        self.passed_over: set[str] = set()
        """Locations of libraries for another machine, where the loader takes a later one."""
        # What modules of each project bring with them, by name.
        self._loaded: dict[str | None, dict[str, NativeFile]] = defaultdict(dict)
        self._loaders: dict[str, set[str | None]] = defaultdict(set)
        modules = [native for native in self._compatible if native.is_module]
        for native in modules:
            self._load(native)
        self.imported: list[NativeFile] = [
            native for native in self._compatible if native.location in self._contexts
        ]
        """Extension modules, and what they bring with them."""
        self._imported = set(self._contexts)
        # Programs and plugins come before libraries that others need and may bring.
        needed = {name for native in self._compatible for name in native.facts.needed}
        for native in sorted(self._compatible, key=lambda each: each.library_name in needed):
            if native.location not in self._contexts:
                self._load(native)

    @property
    def searches(self) -> Iterable[Search]:
        """Every library that an object needs, in the order in which they are loaded."""
        return self._searches.values()

    def is_imported(self, native: NativeFile) -> bool:
        """Whether importing a module loads *native*."""
        return native.location in self._imported

    def find(self, native: NativeFile, name: str) -> NativeFile | None:
        """Find the file of the artifact that *native* gets for the library *name*."""
        search = self._searches.get((native.location, name))
        if search is not None and not isinstance(search.found, str):
            return search.found
        return self._loaded[native.entry.owner].get(name)

    @cached_property
    def named(self) -> dict[str, list[NativeFile]]:
        """The compatible files by file name and DT_SONAME, wherever they are."""
        found: dict[str, list[NativeFile]] = defaultdict(list)
        for native in self._compatible:
            for name in {native.library_name, native.facts.soname or native.library_name}:
                found[name].append(native)
        return found

    def loaders(self, name: str) -> set[str | None]:
        """The projects whose modules bring a library of this *name* with them."""
        return self._loaders[name]

    def _load(self, root: NativeFile) -> None:
        """Load an object, and what it needs, breadth-first as the loader does."""
        owner = root.entry.owner
        loaded: dict[str, NativeFile] = {}
        pending: deque[tuple[NativeFile, tuple[str, ...]]] = deque([(root, ())])
        while pending:
            native, inherited = pending.popleft()
            own = tuple(self._expand(path, native) for path in native.facts.rpaths)
            rpaths = tuple(dict.fromkeys((*own, *inherited)))
            contexts = self._contexts[native.location]
            if rpaths in contexts or len(contexts) >= _MOST_SEARCHES:
                continue
            contexts.add(rpaths)
            for name in dict.fromkeys(native.facts.needed):
                found = loaded.get(name) or self._search(native, name, rpaths)
                key = (native.location, name)
                if key not in self._searches or not isinstance(found, str):
                    self._searches[key] = Search(native=native, name=name, found=found)
                if isinstance(found, str):
                    continue
                loaded[name] = found
                if found.facts.soname:
                    loaded.setdefault(found.facts.soname, found)
                pending.append((found, rpaths))
        if root.is_module:
            self._loaded[owner].update(loaded)
            for name in loaded:
                self._loaders[name].add(owner)

    def _search(
        self, native: NativeFile, name: str, rpaths: tuple[str, ...]
    ) -> NativeFile | Outcome:
        if "/" in name:
            path = posixpath.join(FUNCTION_ROOT, self._expand(name, native))
            is_system = posixpath.dirname(path) in _SYSTEM_DIRECTORIES
            return self._files.get(posixpath.normpath(path)) or (
                "system" if is_system else "absent"
            )
        facts = native.facts
        first = () if facts.runpaths else rpaths
        found = self._find_in(first, name)
        if found is None and self._target.runtime_name:
            # The system's folders precede the others in Lambda's LD_LIBRARY_PATH.
            if library_presence(self._target, name) == "present":
                return "system"
            found = self._find_in(_LIBRARY_PATH, name)
        if found is None:
            found = self._find_in((self._expand(path, native) for path in facts.runpaths), name)
        return found or "system"

    def _find_in(self, directories: Iterable[str], name: str) -> NativeFile | None:
        """Return the first file that the loader doesn't pass over as one for another machine."""
        foreign: list[str] = []
        for directory in directories:
            found = self._files.get(f"{directory}/{name}")
            if found is None:
                continue
            if found.load_status != "foreign":
                self.passed_over.update(foreign)
                return found
            foreign.append(found.location)
        return None

    @staticmethod
    def _expand(path: str, native: NativeFile) -> str:
        if "$" in path:
            values = {"ORIGIN": posixpath.dirname(native.location), "LIB": "lib64"}
            path = re.sub(_TOKENS, lambda match: values[match[1] or match[2]], path)
        return posixpath.normpath(path)
