"""Finds modules of projects that the target's Python cannot import for sure.

Projects contain source that no import reaches: for other versions of Python, templates, data of
tests. What the handler's imports may reach is found in the text of the files first, and parsed only
if it looks like syntax of another Python; then the imports that run are followed.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from crossdeps.bundle.code_uses import imported_modules
from crossdeps.verify.definitions import read_bound_names
from crossdeps.verify.followed_imports import SourceReader
from crossdeps.verify.module_names import iterate_parents
from crossdeps.verify.target_syntax import SourceError, parse_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.modules import ModuleIndex

# What Python 2 and versions up to 3.6 accepted, and what came after 3.8. All begin with literals:
# ``re`` finds these fast.
_OLD = (
    rb"print [\"'%]",
    rb"exec [\"']",
    rb"except [\w.]+\s*,\s*\w+",
    rb"except \([^)\n]*\)\s*,",
    rb"raise [\w.]+\s*,",
    rb"async(?<!\wasync)\s*[=,)]",
    rb"def async\b",
    rb"import async\b",
    rb"\.async\b",
)
_NEW = {
    10: (rb"match [^=\n]*:\s*(?:#.*)?\n\s*case ",),
    11: (rb"except ?\*", rb"\*args\s*:\s*\*"),
    12: (
        rb"type \w+\s*(?:\[.*)?=", rb"def \w+\[", rb"class \w+\[",
        rb"f\"[^\"\\\n]*\{[^}\"\n]*(?:\\|\"[^\n]*\})",
        rb"f'[^'\\\n]*\{[^}'\n]*(?:\\|'[^\n]*\})",
    ),
    14: (rb"t\"(?<![\w\"'\\]t\")[^\"\n]*\{", rb"t'(?<![\w\"'\\]t')[^'\n]*\{"),
}  # fmt: skip
_KIND = "broken-source-1"
"""Raise the number with every change to what is found."""


def _compile_patterns(python: tuple[int, int]) -> list[re.Pattern[bytes]]:
    newer = [item for minor, items in _NEW.items() if python < (3, minor) for item in items]
    return [re.compile(item) for item in (*_OLD, *newer)]


def find_broken_source(context: CheckContext, handler: str) -> Iterator[tuple[Entry, SourceError]]:
    """Find files of projects that importing the handler imports, and that fail to compile.

    :param handler: dotted name of the handler's module
    """
    names = [
        name
        for file in context.sources
        if file.timing == "startup"
        for item in file.imports
        for name in (item.module, *(f"{item.module}.{name}" for name in item.names))
        if item.timing == "startup"
    ]
    key = _cache_key(context, names)
    known = context.cache.read(_KIND, key) if context.cache and key else None
    if known == b"":
        return
    broken = _find_reachable(context.modules, names)
    if not broken and context.cache and key:
        context.cache.write(_KIND, key, b"")
    if not broken:
        return
    reader = SourceReader(context.index_modules(), lambda _name, _entry: True)
    reader.follow([handler], "startup")
    for frame in reader.frames:
        error = broken.get(frame.entry.path)
        if error is not None:
            yield frame.entry, error


def _cache_key(context: CheckContext, names: Iterable[str]) -> str:
    """Return a key of all that decides what is found; empty if some content has no checksum."""
    digest = hashlib.sha256(repr((context.target.python_version, sorted(names))).encode())
    for bundle in (context.bundle, *context.runtime_context.layers):
        for entry in bundle.entries:
            if entry.path.endswith((".py", ".so")):
                checksum = entry.sha256 or getattr(entry.content, "crc32", "")
                if not checksum:
                    return ""
                digest.update(f"{entry.path}\0{checksum}\0{entry.owner}\0".encode())
    return digest.hexdigest()


def _find_reachable(modules: ModuleIndex, names: Iterable[str]) -> dict[str, SourceError]:
    """Find files that cannot be compiled among all that any import in the text may reach."""
    broken: dict[str, SourceError] = {}
    seen: set[str] = set()
    pending = list(names)
    patterns = _compile_patterns(modules.target.python_version)
    while pending:
        for name in iterate_parents(pending.pop()):
            if name in seen:
                continue
            seen.add(name)
            entry = modules.find_entry(name)
            if entry is None or not entry.path.endswith(".py") or modules.is_users(entry):
                continue
            text = modules.read(entry)
            path = f"{name.replace('.', '/')}"
            is_package = entry.path.endswith("/__init__.py")
            pending += imported_modules(f"{path}/__init__.py" if is_package else path, text)
            if any(pattern.search(text) for pattern in patterns):
                found = parse_source(text, modules.target.python_version)
                if isinstance(found, SourceError) and found.certain:
                    broken[entry.path] = found
    return broken


# What the standard library needs of its own modules as soon as it is used: re of enum.
_NEEDED = {"enum": "IntFlag"}


def find_import_failure(modules: ModuleIndex, name: str) -> str | None:
    """Find why the import of a top-level module of a project fails for sure, or what it breaks.

    :param modules: is changed by the directories that the module adds to ``sys.path``
    """
    reader = SourceReader(modules, lambda module, _: module.partition(".")[0] == name)
    reader.follow([name], "startup")
    for frame in reader.frames:
        path = frame.entry.path
        if frame.error is not None and frame.error.certain:
            line = "" if frame.error.line is None else f":{frame.error.line}"
            return f"{path}{line} cannot be compiled ({frame.error.message})"
        for item, missing in frame.imports:
            if missing and item.timing == "startup" and missing.reason == "stdlib-name":
                return f"{path}:{item.line} imports {missing.name}, which this version lacks"
    entry, needed = modules.find_entry(name), _NEEDED.get(name, "")
    if needed and entry is not None and entry.path.endswith(".py"):
        bound = read_bound_names(modules.read(entry), modules.target.python_version)
        if bound is not None and needed not in bound:
            return f"{entry.path} does not define {needed}, which the standard library uses"
    return None
