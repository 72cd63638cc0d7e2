"""Which libraries are loaded before the modules that need them, so that no search is made.

The loader takes a library that is loaded already by its DT_SONAME or file name, wherever it came
from (glibc, ``elf/dl-load.c``). Other modules of the project, or of one that it requires, may have
brought it; or Python code loads it by its path, as torch does with the libraries of CUDA.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from crossdeps.errors import ArtifactReadError

if TYPE_CHECKING:
    from crossdeps.bundle.model import Entry
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.loader import Search

_LOADING_CALL = rb"CDLL|PyDLL|LoadLibrary|dlopen"
_SHORTEST_STEM = 3


class Preloading:
    """Finds out whether a library is loaded in another way than by those that need it."""

    def __init__(self, context: CheckContext) -> None:
        self._context = context
        self._required: dict[str, set[str | None]] = {}
        self._code: dict[str | None, bytes] = {}

    def is_loaded_before(self, search: Search) -> bool:
        """Whether something that was loaded before has brought the library."""
        owner = search.native.entry.owner
        owners = self._context.loader.loaders(search.name)
        if owner is None or None in owners:
            return bool(owners)
        return not owners.isdisjoint(self._find_required(owner))

    def is_loaded_by_code(self, search: Search) -> bool:
        """Whether code of the project, or of one that it requires, may load the library itself.

        Files that call ``ctypes.CDLL`` or a like function, and name the library, are taken to.
        """
        stem = re.sub(r"(-[0-9a-f]{8})?\.so.*$", "", search.library).removeprefix("lib")
        if len(stem) < _SHORTEST_STEM:
            return False
        owner = search.native.entry.owner
        owners = {None} if owner is None else self._find_required(owner)
        return any(stem.encode() in self._read_code(each) for each in owners)

    def _find_required(self, owner: str) -> set[str | None]:
        """Find the project *owner*, and all that it requires, whatever the condition."""
        found = self._required.get(owner)
        if found is None:
            found = self._required[owner] = set()
            pending = [owner]
            while pending:
                name = pending.pop()
                if name in found:
                    continue
                found.add(name)
                project = self._context.projects.get(name) or self._context.layer_projects.get(name)
                if project is not None:
                    pending += [item.name for item in self._context.requirements(project)]
        return found

    def _read_code(self, owner: str | None) -> bytes:
        """Return the content of the source files of *owner* that load libraries."""
        code = self._code.get(owner)
        if code is None:
            contents = map(self._read, self._sources[owner])
            code = b"\n".join(text for text in contents if re.search(_LOADING_CALL, text))
            self._code[owner] = code
        return code

    def _read(self, entry: Entry) -> bytes:
        try:
            return self._context.read(entry)
        except ArtifactReadError:
            return b""

    @cached_property
    def _sources(self) -> dict[str | None, list[Entry]]:
        """The source files of each project, layers included."""
        found: dict[str | None, list[Entry]] = defaultdict(list)
        for bundle in (self._context.bundle, *self._context.runtime_context.layers):
            for entry in bundle.entries:
                if entry.path.endswith(".py"):
                    found[entry.owner].append(entry)
        return found
