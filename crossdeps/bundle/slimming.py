"""What packages ship and no deployed function reads: tests, stubs, native sources, documents.

Nothing is judged by its name alone: a test module that a package imports is kept (NumPy has one),
a stub that a lazy loader reads at run time too, a source file that code names, because it compiles
it at run time, and a folder called docs that holds code. Code is read as text, not parsed: what a
parser accepts depends on the Python that runs it, and the result must not.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import compile_globs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crossdeps.bundle.model import Entry, Layout

Rule = Literal["tests", "stubs", "native-sources", "documents"]

_TEST_FOLDERS = frozenset({"test", "tests", "SelfTest"})
_DOCUMENT_FOLDERS = frozenset({"doc", "docs", "man", "info"})
_DOCUMENTS = re.compile(r"\.(rst|md|txt|pdf|ipynb|[1-8](\.gz)?)$", re.IGNORECASE)
_CODE = re.compile(r"\.(py|so|pyd|dylib|dll)$|\.so\.")
_NATIVE = r"c|cc|cpp|cxx|cu|h|hh|hpp|hxx|cuh|pyx|pxd|pxi|f|f90|a"
_NATIVE_SOURCES = re.compile(rf"\.({_NATIVE})$", re.IGNORECASE)
# Looked for by its end: a pattern that starts with any word is ten times slower.
_NATIVE_ENDINGS = re.compile(rf"\.(?:{_NATIVE})\b".encode(), re.IGNORECASE)
_LAST_NAME = re.compile(rb"[\w+.-]+\Z")
_LONGEST_NAME = 100
_LICENCE = re.compile(r"(^|/)(licen[cs]e|copying|copyright|notice|patents|authors)", re.IGNORECASE)
_STUB_LOADER = b"attach_stub"
_IMPORT = re.compile(
    rb"(?:^|;)[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]+)"
    rb"|import[ \t]+([^\n#;]+))",
    re.MULTILINE,
)
_DOTTED_STRING = re.compile(rb"""["']([^\W\d]\w*(?:\.\w+)+)["']""")


def find_removable(entries: Sequence[Entry], prefix: str) -> dict[str, Rule]:
    """The paths of packages' files that can be left out, each with the rule that says so.

    Files of the user and of .dist-info directories, and licences, are never among them.
    """
    files = {
        entry.path.removeprefix(prefix): entry
        for entry in entries
        if not entry.path.removeprefix(prefix).partition("/")[0].endswith(".dist-info")
    }
    owned = [path for path, entry in files.items() if entry.owner and not _LICENCE.search(path)]
    removable: dict[str, Rule] = {}
    removable.update(dict.fromkeys(_documents(owned, files), "documents"))
    removable.update(dict.fromkeys(filter(_NATIVE_SOURCES.search, owned), "native-sources"))
    removable.update(dict.fromkeys((path for path in owned if path.endswith(".pyi")), "stubs"))
    removable.update(dict.fromkeys(_tests(owned, files), "tests"))
    if not removable:
        return {}
    for path in _needed(removable, files):
        removable.pop(path, None)
    return {prefix + path: rule for path, rule in removable.items()}


def _documents(owned: Iterable[str], files: Iterable[str]) -> Iterator[str]:
    with_code = {parent for path in files if _CODE.search(path) for parent in _parents(path)}
    for path in owned:
        folders = [p for p in _parents(path) if posixpath.basename(p) in _DOCUMENT_FOLDERS]
        if _DOCUMENTS.search(path) and any(folder not in with_code for folder in folders):
            yield path


def _tests(owned: Iterable[str], files: Mapping[str, Entry]) -> Iterator[str]:
    with_modules = {parent for path in files if path.endswith(".py") for parent in _parents(path)}
    tops: dict[str | None, set[str]] = defaultdict(set)
    for path, entry in files.items():
        tops[entry.owner].add(path.partition("/")[0])
    for path in owned:
        for folder in _parents(path):
            if posixpath.basename(folder) not in _TEST_FOLDERS or folder not in with_modules:
                continue
            # A project may be nothing but a package of that name.
            if "/" in folder or not tops[files[path].owner] <= _TEST_FOLDERS:
                yield path
                break


def _parents(path: str) -> Iterator[str]:
    """The folders that *path* is in, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


@dataclass(kw_only=True, slots=True)
class _Uses:
    """What code uses of the files that could be left out."""

    modules: set[str] = field(default_factory=set)
    native_sources: set[str] = field(default_factory=set)
    stub_loaders: set[str] = field(default_factory=set)

    def read(self, path: str, text: bytes, *, in_tests: bool) -> None:
        for ending in _NATIVE_ENDINGS.finditer(text):
            end = ending.end()
            name = _LAST_NAME.search(text[max(0, end - _LONGEST_NAME) : end])
            if name:
                self.native_sources.add(name[0].decode("ascii", "replace").lower())
        if _STUB_LOADER in text:
            self.stub_loaders.add(path)
        # What lies in a test folder reaches its neighbours without naming the folder.
        if in_tests or b"test" in text or b"SelfTest" in text:
            self.modules.update(imported_modules(path, text))


def _needed(removable: Mapping[str, Rule], files: Mapping[str, Entry]) -> set[str]:
    """The paths among *removable* that the code which stays uses, directly or not."""
    modules: dict[str, str] = {}
    for path, rule in removable.items():
        if rule == "tests" and path.endswith(".py"):
            modules[_module_name(path)] = path
    uses = _Uses()
    needed: set[str] = set()
    pending = [path for path in files if path.endswith(".py") and path not in removable]
    with ContentReader() as reader:
        while pending:
            for path in pending:
                text = reader.read(files[path].content)
                uses.read(path, text, in_tests=path in needed)
            used = {modules[name] for name in _with_packages(uses.modules) if name in modules}
            pending = sorted(used - needed)
            needed |= used
    for path, rule in removable.items():
        name = posixpath.basename(path).lower()
        if (rule == "native-sources" and name in uses.native_sources) or (
            rule == "stubs" and f"{path.removesuffix('i')}" in uses.stub_loaders
        ):
            needed.add(path)
    return needed


def _with_packages(modules: Iterable[str]) -> set[str]:
    """*modules* and the packages that are imported before them."""
    every: set[str] = set()
    for module in modules:
        name = module
        while name and name not in every:
            every.add(name)
            name = name.rpartition(".")[0]
    return every


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_modules(path: str, text: bytes) -> Iterator[str]:
    """Every dotted name that the code at *path* may import, and some that it doesn't.

    :param path: of the file, from the folder that is on ``sys.path``
    """
    package = path.rpartition("/")[0].split("/")
    for source, names, plain in _IMPORT.findall(text):
        if plain:
            for part in plain.split(b","):
                yield part.split()[0].decode("utf-8", "replace") if part.split() else ""
            continue
        base = _absolute(source.decode("utf-8", "replace"), package)
        yield base
        for part in re.sub(rb"#[^\n]*|[()\\]", b"", names).split(b","):
            words = part.split()
            if words:
                yield f"{base}.{words[0].decode('utf-8', 'replace')}".lstrip(".")
    for name in _DOTTED_STRING.findall(text):
        yield name.decode("utf-8", "replace")


def _absolute(source: str, package: Sequence[str]) -> str:
    name = source.lstrip(".")
    level = len(source) - len(name)
    if not level:
        return name
    base = package[: max(0, len(package) - level + 1)]
    return ".".join([*base, *([name] if name else [])])


Removed = tuple[str, str, int]


def trim(entries: Sequence[Entry], layout: Layout) -> tuple[tuple[Entry, ...], tuple[Removed, ...]]:
    """What stays of *entries*, and what each rule saved: (rule, owner, bytes).

    Files in a .dist-info directory always stay: ``importlib.metadata``, entry points and licences
    live there. So does the user's source, whose globs were applied as it was read.

    :raises UsageError: if a glob can't be understood
    """
    excluded = compile_globs(layout.exclude)
    included = compile_globs(layout.include)
    left: list[Entry] = []
    removed: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        path = entry.path.removeprefix(layout.prefix)
        if entry.owner is None or _is_metadata(path) or not excluded(path) or included(path):
            left.append(entry)
        else:
            removed["exclude", entry.owner] += entry.size
    removable = find_removable(left, layout.prefix) if layout.slim else {}
    kept: list[Entry] = []
    for entry in left:
        rule = removable.get(entry.path)
        if rule is None or included(entry.path.removeprefix(layout.prefix)):
            kept.append(entry)
        else:
            removed[rule, entry.owner or ""] += entry.size
    return tuple(kept), tuple((*key, size) for key, size in sorted(removed.items()))


def _is_metadata(path: str) -> bool:
    return path.partition("/")[0].endswith(".dist-info")
