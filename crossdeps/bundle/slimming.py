"""Excluding files: by pattern, and what packages ship but no deployed function reads.

That is tests, stubs, native sources and documents. A name alone doesn't decide: kept are test
modules that a package imports (NumPy has one), stubs that a lazy loader reads at run time, source
files that code mentions because it compiles them at run time, and a directory docs with code. Code
is read as text instead of parsed: what a parser accepts depends on the Python that runs it, and the
result must not.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.model import compile_globs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crossdeps.bundle.model import Entry, Layout

Rule = Literal["tests", "stubs", "native-sources", "documents"]

Removed = tuple[str, str, int]

_TEST_DIRECTORIES = frozenset({"test", "tests", "SelfTest"})
_DOCUMENT_DIRECTORIES = frozenset({"doc", "docs", "man", "info"})
# Patterns are compiled when they are first used: most artifacts are made without --slim.
_DOCUMENT = r"(?i)\.(rst|md|txt|pdf|ipynb|[1-8](\.gz)?)$"
_CODE = r"\.(py|so|pyd|dylib|dll)$|\.so\."
_NATIVE = r"c|cc|cpp|cxx|cu|h|hh|hpp|hxx|cuh|pyx|pxd|pxi|f|f90|a"
_NATIVE_SOURCE = rf"(?i)\.({_NATIVE})$"
# Names are found by their ends: a pattern that starts with any word is ten times slower.
_NATIVE_ENDING = rf"(?i)\.(?:{_NATIVE})\b".encode()
_LAST_NAME = rb"[\w+.-]+\Z"
_MAX_NAME_LENGTH = 100
_LICENCE = r"(?i)(^|/)(licen[cs]e|copying|copyright|notice|patents|authors)"
_STUB_LOADER = b"attach_stub"
_IMPORT = (
    rb"(?m)(?:^|;)[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]+)"
    rb"|import[ \t]+([^\n#;]+))"
)
_DOTTED_STRING = rb"""["']([^\W\d]\w*(?:\.\w+)+)["']"""


def exclude_files(
    entries: Sequence[Entry], layout: Layout
) -> tuple[tuple[Entry, ...], tuple[Removed, ...]]:
    """Return the *entries* that are kept, and what each rule removed: (rule, owner, bytes).

    Files in a .dist-info directory are kept: ``importlib.metadata`` reads them. So is the user's
    source, to which the patterns were applied when it was read.

    :raises UsageError: if a pattern is invalid
    """
    is_excluded = compile_globs(layout.exclude)
    is_included = compile_globs(layout.include)
    candidates: list[Entry] = []
    removed: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        path = entry.path.removeprefix(layout.prefix)
        if entry.owner is None or _is_metadata(path) or not is_excluded(path) or is_included(path):
            candidates.append(entry)
        else:
            removed["exclude", entry.owner] += entry.size
    removable = find_removable(candidates, layout.prefix) if layout.slim else {}
    kept: list[Entry] = []
    for entry in candidates:
        rule = removable.get(entry.path)
        if rule is None or is_included(entry.path.removeprefix(layout.prefix)):
            kept.append(entry)
        else:
            removed[rule, entry.owner or ""] += entry.size
    return tuple(kept), tuple((*key, size) for key, size in sorted(removed.items()))


def _is_metadata(path: str) -> bool:
    return path.partition("/")[0].endswith(".dist-info")


def find_removable(entries: Sequence[Entry], prefix: str) -> dict[str, Rule]:
    """Return the paths of packages' files that can be removed, each with its rule.

    Files of the user and of .dist-info directories, and licences, are never among them.
    """
    files = {
        entry.path.removeprefix(prefix): entry
        for entry in entries
        if not _is_metadata(entry.path.removeprefix(prefix))
    }
    owned = [path for path, entry in files.items() if entry.owner and not re.search(_LICENCE, path)]
    removable: dict[str, Rule] = {}
    removable.update(dict.fromkeys(_find_documents(owned, files), "documents"))
    native_sources = (path for path in owned if re.search(_NATIVE_SOURCE, path))
    removable.update(dict.fromkeys(native_sources, "native-sources"))
    removable.update(dict.fromkeys((path for path in owned if path.endswith(".pyi")), "stubs"))
    removable.update(dict.fromkeys(_find_tests(owned, files), "tests"))
    if not removable:
        return {}
    for path in _find_needed(removable, files):
        removable.pop(path, None)
    return {prefix + path: rule for path, rule in removable.items()}


def _find_documents(owned: Iterable[str], files: Iterable[str]) -> Iterator[str]:
    with_code = {parent for path in files if re.search(_CODE, path) for parent in _parents(path)}
    for path in owned:
        directories = [p for p in _parents(path) if posixpath.basename(p) in _DOCUMENT_DIRECTORIES]
        if re.search(_DOCUMENT, path) and any(each not in with_code for each in directories):
            yield path


def _find_tests(owned: Iterable[str], files: Mapping[str, Entry]) -> Iterator[str]:
    with_modules = {parent for path in files if path.endswith(".py") for parent in _parents(path)}
    tops: dict[str | None, set[str]] = defaultdict(set)
    for path, entry in files.items():
        tops[entry.owner].add(path.partition("/")[0])
    for path in owned:
        for directory in _parents(path):
            if (
                posixpath.basename(directory) not in _TEST_DIRECTORIES
                or directory not in with_modules
            ):
                continue
            # A project may consist of only a package of that name.
            if "/" in directory or not tops[files[path].owner] <= _TEST_DIRECTORIES:
                yield path
                break


def _parents(path: str) -> Iterator[str]:
    """Yield the directories that *path* is in, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


class _Uses:
    """What code uses of the files that could be removed."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.native_sources: set[str] = set()
        self.stub_loaders: set[str] = set()

    def read(self, path: str, text: bytes, *, in_tests: bool) -> None:
        for ending in re.finditer(_NATIVE_ENDING, text):
            end = ending.end()
            name = re.search(_LAST_NAME, text[max(0, end - _MAX_NAME_LENGTH) : end])
            if name:
                self.native_sources.add(name[0].decode("ascii", "replace").lower())
        if _STUB_LOADER in text:
            self.stub_loaders.add(path)
        # Modules in a test directory import each other without naming the directory.
        if in_tests or b"test" in text or b"SelfTest" in text:
            self.modules.update(imported_modules(path, text))


def _find_needed(removable: Mapping[str, Rule], files: Mapping[str, Entry]) -> set[str]:
    """Return the paths among *removable* that the kept code uses, directly or not."""
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
    """Return *modules* and the packages that are imported before them."""
    names: set[str] = set()
    for module in modules:
        name = module
        while name and name not in names:
            names.add(name)
            name = name.rpartition(".")[0]
    return names


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_modules(path: str, text: bytes) -> Iterator[str]:
    """Yield every dotted name that the code at *path* may import, and some that it doesn't.

    :param path: relative to the directory that is on ``sys.path``
    """
    package = path.rpartition("/")[0].split("/")
    for source, names, plain in re.findall(_IMPORT, text):
        if plain:
            for part in plain.split(b","):
                yield b"".join(part.split()[:1]).decode("utf-8", "replace")
            continue
        base = _absolute(source.decode("utf-8", "replace"), package)
        yield base
        for part in re.sub(rb"#[^\n]*|[()\\]", b"", names).split(b","):
            if words := part.split():
                yield f"{base}.{words[0].decode('utf-8', 'replace')}".lstrip(".")
    for name in re.findall(_DOTTED_STRING, text):
        yield name.decode("utf-8", "replace")


def _absolute(source: str, package: Sequence[str]) -> str:
    name = source.lstrip(".")
    level = len(source) - len(name)
    if not level:
        return name
    base = package[: max(0, len(package) - level + 1)]
    return ".".join([*base, *([name] if name else [])])
