"""Finds modules of projects that importing the handler imports, and that fail for sure.

Projects contain source that no import reaches: for other versions of Python, templates, data of
tests. So only statements count that begin a line, which run whenever their file does: they are
found in the text, and parsed only on the way from the handler to a file that looks wrong.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from crossdeps.verify.definitions import read_bound_names
from crossdeps.verify.followed_imports import SourceReader
from crossdeps.verify.module_names import containing_packages, iterate_parents
from crossdeps.verify.python_source import Import, read_events, read_statements
from crossdeps.verify.target_syntax import SourceError, parse_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.modules import ModuleIndex

# What Python 2 and versions up to 3.6 accepted, what came after 3.8, and what is no Python. All
# begin with literals, which are searched for first: ``re`` alone takes ten times as long.
_OLD = (
    (b"print ", rb"print [\"'%]"),
    (b"exec ", rb"exec [\"']"),
    (b"except ", rb"except [\w.]+\s*,\s*\w+"),
    (b"except (", rb"except \([^)\n]*\)\s*,"),
    (b"raise ", rb"raise [\w.]+\s*,"),
    (b"async", rb"async(?<!\wasync)\s*[=,)]"),
    (b"def async", rb"def async\b"),
    (b"import async", rb"import async\b"),
    (b".async", rb"\.async\b"),
    (b"version https://git-lfs", rb"\Aversion https://git-lfs"),
    (b"\n<<<<<<< ", rb"\n<<<<<<< "),
    (b"\0", rb"\0"),
)
_NEW = {
    10: ((b"case ", rb"match [^=\n]*:\s*(?:#.*)?\n\s*case "),),
    11: ((b"except*", rb"except\*"), (b"except *", rb"except \*"), (b"*args: *", rb"\*args: \*")),
    12: (
        (b"type ", rb"type \w+\s*(?:\[.*)?="),
        (b"def ", rb"def \w+\["),
        (b"class ", rb"class \w+\["),
        (b'f"', rb"f\"[^\"\\\n]*\{[^}\"\n]*(?:\\|\"[^\n]*\})"),
        (b"f'", rb"f'[^'\\\n]*\{[^}'\n]*(?:\\|'[^\n]*\})"),
    ),
    14: (
        (b't"', rb"t\"(?<![\w\"'\\]t\")[^\"\n]*\{"),
        (b"t'", rb"t'(?<![\w\"'\\]t')[^'\n]*\{"),
    ),
}
_SEARCHES_ELSEWHERE = (b"sys.path", b"meta_path", b"path_hooks", b"addsitedir")
_MAKES_MODULES = (b"sys.modules", b"__path__", b"meta_path", b"path_hooks")
_MAKES_NAMES = (b"__getattr__", b"globals(", b"import *", *_MAKES_MODULES)
_KIND = "broken-source-3"
"""Raise the number with every change to what is found."""


class BrokenModule(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a project that cannot be imported.

    :param line: 1-based
    :param error: why it does not compile; empty if it does
    :param missing: dotted name of the module that it imports, and that nothing has
    """

    entry: Entry
    line: int
    error: str = ""
    missing: str = ""


def find_broken_modules(context: CheckContext) -> Iterator[BrokenModule]:
    """Find files of projects that importing the handler imports, and that fail for sure."""
    names = [
        name
        for file in context.sources
        if file.timing == "startup"
        for item in file.imports
        for name in item.dotted_names
        if item.timing == "startup" and item.module
    ]
    key = _cache_key(context, names)
    if context.cache and key and context.cache.read(_KIND, key) == b"":
        return
    found = _Search(context.modules).run(names)
    if not found and context.cache and key:
        context.cache.write(_KIND, key, b"")
    yield from found


def _cache_key(context: CheckContext, names: Iterable[str]) -> str:
    """Return a key of all that decides what is found; empty if some content has no checksum."""
    decisive = (context.target.python_version, sorted(context.available_projects), sorted(names))
    digest = hashlib.sha256(repr(decisive).encode())
    for bundle in (context.bundle, *context.runtime_context.layers):
        digest.update(f"bundle\0{bundle.prefix}\0".encode())
        for entry in bundle.entries:
            if entry.path.endswith((".py", ".so", ".pth")):
                checksum = entry.sha256 or getattr(entry.content, "crc32", "")
                if not checksum:
                    return ""
                digest.update(f"{entry.path}\0{checksum}\0{entry.owner}\0".encode())
    return digest.hexdigest()


class _Search:
    """Follows imports through the text of projects' source."""

    def __init__(self, modules: ModuleIndex) -> None:
        self._modules = modules
        python = modules.target.python_version
        newer = [item for minor, items in _NEW.items() if python < (3, minor) for item in items]
        self._patterns = [(start, re.compile(text)) for start, text in (*_OLD, *newer)]
        self._importers: dict[str, str] = {}
        """Module -> the module of a project that imports it; empty for the user's source."""
        self._entries: dict[str, Entry] = {}
        self._pending: deque[tuple[str, Entry]] = deque()
        self._known: dict[str, bool] = {}
        self._absent: dict[tuple[str, str], str] = {}
        self._imported: dict[str, set[str]] = {}

    def run(self, names: Iterable[str]) -> list[BrokenModule]:
        """Search from the modules that the user's source imports.

        :param names: dotted
        """
        found: list[tuple[str, BrokenModule]] = []
        self._reach(names, "")
        while self._pending:
            name, entry = self._pending.popleft()
            text = self._modules.read(entry)
            for item in read_statements(text, containing_packages(name, entry.path)):
                self._reach(item.dotted_names, name)
                missing = self._find_missing(item, name)
                if missing:
                    found.append((name, _broken(entry, item.line, missing=missing)))
            error = self._find_error(text)
            if error is not None:
                found.append((name, _broken(entry, error.line or 1, error=error.message)))
        return [broken for name, broken in found if self._is_certain(name, broken)]

    def _reach(self, names: Iterable[str], importer: str) -> None:
        """Note that a module imports *names*, with the packages that contain them."""
        for dotted in names:
            if dotted in self._importers:
                continue
            for name in iterate_parents(dotted):
                if name not in self._importers:
                    self._importers[name] = importer
                    entry = self._modules.find_entry(name)
                    if entry and entry.path.endswith(".py") and not self._modules.is_users(entry):
                        self._entries[name] = entry
                        self._pending.append((name, entry))

    def _has(self, name: str) -> bool:
        if name not in self._known:
            self._known[name] = self._modules.find(name) is not None
        return self._known[name]

    def _find_error(self, text: bytes) -> SourceError | None:
        if any(start in text and pattern.search(text) for start, pattern in self._patterns):
            parsed = parse_source(text, self._modules.target.python_version)
            if isinstance(parsed, SourceError) and parsed.certain:
                return parsed
        return None

    def _find_missing(self, item: Import, importer: str) -> str:
        """Return the name of the module that nothing has; empty if there is none."""
        module = item.module
        if not self._has(module):
            key = (module, importer.partition(".")[0])
            if key not in self._absent:
                self._absent[key] = self._find_missing_parent(item, key[1])
            return self._absent[key]
        if module not in self._entries or not f"{importer}.".startswith(f"{module}."):
            return ""
        for name in item.names:
            if not self._has(f"{module}.{name}") and self._lacks(module, name, importer):
                return f"{module}.{name}"
        return ""

    def _find_missing_parent(self, item: Import, project: str) -> str:
        top_level = item.module.partition(".")[0]
        if not self._has(top_level):
            missing = self._modules.find_missing(msgspec.structs.replace(item, names=()))
            is_known = missing is None or missing.reason != "module" or not missing.certain
            return "" if is_known or missing is None else missing.name
        if top_level != project:
            return ""  # it may be of another version, in which the import would not run
        for name in iterate_parents(item.module):
            if not self._has(name):
                return name
            entry = self._modules.find_entry(name)
            if entry is not None and self._mentions(entry, _MAKES_MODULES):
                return ""
        return ""

    def _lacks(self, package: str, name: str, importer: str) -> bool:
        """Whether a package has no object of the name that it, or a module of it, imports of it."""
        # Star imports take names without an underscore, if not said otherwise.
        makers = [word for word in _MAKES_NAMES if word != b"import *" or name[0] != "_"]
        if self._mentions(self._entries[package], makers):
            return False
        word, text = re.escape(name.encode()), self._modules.read(self._entries[package])
        bound = rb"\b%s\b" % word
        if package == importer:
            bound = rb"\b(?:def|class|as|for)\s+%s\b|\b%s\b[^\n=]*(?<![=!<>])=(?!=)" % (word, word)
        return re.search(bound, text) is None

    def _mentions(self, entry: Entry, words: Iterable[bytes]) -> bool:
        """Whether source has any of *words*; native code may do anything."""
        if not entry.path.endswith(".py"):
            return True
        text = self._modules.read(entry)
        return any(word in text for word in words)

    def _is_certain(self, name: str, broken: BrokenModule) -> bool:
        """Whether importing the handler runs into the problem, once source is parsed."""
        at = name
        while importer := self._importers[at]:
            # Importing a module imports its parents first.
            if at not in self._imports(importer):
                return False
            at = importer
        if not broken.missing:
            return True
        if broken.missing not in self._imports(name):
            return False
        if "." in broken.missing:
            return True
        quoted = rb"[\"']%s[\"']" % re.escape(broken.missing.encode())
        return not any(
            re.search(quoted, text) or any(word in text for word in _SEARCHES_ELSEWHERE)
            for text in map(self._modules.read, self._entries.values())
        )

    def _imports(self, name: str) -> set[str]:
        """The modules that a file imports when it is imported itself, for sure."""
        if name in self._imported:
            return self._imported[name]
        entry = self._entries[name]
        events = read_events(
            self._modules.read(entry),
            package=containing_packages(name, entry.path),
            python=self._modules.target.python,
            location=self._modules.locate(entry),
        )
        found = self._imported[name] = set()
        for event in () if isinstance(events, SourceError) else events:
            if isinstance(event, Import) and event.timing == "startup":
                found.update(iterate_parents(event.module), event.dotted_names)
        return found


def _broken(entry: Entry, line: int, *, error: str = "", missing: str = "") -> BrokenModule:
    return BrokenModule(entry=entry, line=line, error=error, missing=missing)


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
