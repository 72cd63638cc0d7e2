"""Excluding files: by pattern, and what packages ship but no deployed function reads.

That is tests, stubs, native sources and documents. A name alone doesn't decide: kept are test
modules that a package imports (NumPy has one) or documents for the tests of others, stubs that a
lazy loader or a type checker reads, sources that are compiled at run time, those of a project that
consists of them or has a program, and a directory docs with code. Code is read as text instead of
parsed: what a parser accepts depends on the Python that runs it, and the result must not.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.bundle.code_uses import NATIVE_ENDINGS, TEST_DIRECTORIES, Uses, test_directories
from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.file_uses import find_file_uses, find_test_data
from crossdeps.bundle.model import compile_globs
from crossdeps.bundle.project_content import CODE, Rule, find_content, parents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from crossdeps.bundle.model import Entry, Layout
    from crossdeps.derived import DerivedCache

Removed = tuple[str, str, int]

_DOCUMENT_DIRECTORIES = frozenset({"doc", "docs", "man", "info"})
# Endings in lower case.
_DOCUMENTS = (
    *(".rst", ".md", ".txt", ".pdf", ".ipynb"),
    *(f".{section}{ending}" for section in range(1, 9) for ending in ("", ".gz")),
)
_NATIVE_SOURCES = tuple(f".{ending}" for ending in NATIVE_ENDINGS)
# Compiled when it is first used: most artifacts are made without --slim.
_LICENCE = r"(?i)(^|/)(licen[cs]e|copying|copyright|notice|patents|authors)"


def exclude_files(
    entries: Sequence[Entry], layout: Layout, cache: DerivedCache | None = None
) -> tuple[tuple[Entry, ...], tuple[Removed, ...]]:
    """Return the *entries* that are kept, and what each rule removed: (rule, owner, bytes).

    Files in a .dist-info directory are kept: ``importlib.metadata`` reads them. So is the user's
    source, to which the patterns were applied when it was read.

    :param cache: keeps what the code of a wheel uses
    :raises UsageError: if a pattern is invalid
    """
    is_excluded = compile_globs(layout.exclude)
    is_included = compile_globs(layout.include)
    candidates: list[Entry] = []
    removed: dict[tuple[str, str], int] = defaultdict(int)
    counted: set[tuple[str, str]] = set()

    def remove(entry: Entry, rule: str) -> None:
        # Several projects may have the same file.
        if (key := (entry.path, entry.sha256)) not in counted:
            counted.add(key)
            removed[rule, entry.owner or ""] += entry.size

    for entry in entries:
        path = entry.path.removeprefix(layout.prefix)
        if entry.owner is None or _is_metadata(path) or not is_excluded(path) or is_included(path):
            candidates.append(entry)
        else:
            remove(entry, "exclude")
    removable = find_removable(candidates, layout.prefix, cache) if layout.slim else {}
    kept: list[Entry] = []
    for entry in candidates:
        rule = removable.get(entry.path)
        if rule is None or is_included(entry.path.removeprefix(layout.prefix)):
            kept.append(entry)
        else:
            remove(entry, rule)
    return tuple(kept), tuple((*key, size) for key, size in sorted(removed.items()))


def _is_metadata(path: str) -> bool:
    return path.partition("/")[0].endswith(".dist-info")


def find_removable(
    entries: Sequence[Entry], prefix: str, cache: DerivedCache | None = None
) -> dict[str, Rule]:
    """Return the paths of packages' files that can be removed, each with its rule.

    Files of the user and of .dist-info directories, and licences, are never among them.

    :param cache: keeps what the code of a wheel uses
    """
    files: dict[str, Entry] = {}
    owners: dict[str, set[str | None]] = defaultdict(set)
    for entry in entries:
        path = entry.path.removeprefix(prefix)
        if not _is_metadata(path):
            files.setdefault(path, entry)
            owners[path].add(entry.owner)
    removable = _find_by_name(files, owners)
    if not removable:
        return {}
    with ContentReader() as reader:
        helpers = _keep_content(removable, files, reader, cache)
    for path in _find_needed(removable, files, helpers, cache):
        removable.pop(path, None)
    return {prefix + path: rule for path, rule in removable.items()}


def _find_by_name(
    files: Mapping[str, Entry], owners: Mapping[str, set[str | None]]
) -> dict[str, Rule]:
    removable: dict[str, Rule] = {}
    documents = []
    for path in files:
        if None in owners[path]:
            continue
        lower = path.lower()
        if lower.endswith(_DOCUMENTS):
            documents.append(path)
        elif len(owners[path]) > 1:
            continue  # it may be content of one of them
        elif lower.endswith(_NATIVE_SOURCES):
            removable[path] = "native-sources"
        elif path.endswith(".pyi"):
            removable[path] = "stubs"
    removable.update(dict.fromkeys(_find_documents(documents, files), "documents"))
    removable.update(dict.fromkeys(_find_tests(files, owners), "tests"))
    return {path: rule for path, rule in removable.items() if not re.search(_LICENCE, path)}


def _find_documents(documents: Sequence[str], files: Iterable[str]) -> Iterator[str]:
    """Yield those of *documents* that are in a directory for them, which has no code."""
    in_directories = {
        path: directories
        for path in documents
        if (directories := [p for p in parents(path) if _is_for_documents(p)])
    }
    if not in_directories:
        return
    candidates = {each for directories in in_directories.values() for each in directories}
    with_code = {
        parent
        for path in files
        if re.search(CODE, path)
        for parent in parents(path)
        if parent in candidates
    }
    for path, directories in in_directories.items():
        if not with_code.issuperset(directories):
            yield path


def _is_for_documents(directory: str) -> bool:
    return posixpath.basename(directory) in _DOCUMENT_DIRECTORIES


def _find_tests(files: Iterable[str], owners: Mapping[str, set[str | None]]) -> Iterator[str]:
    in_tests = {path: found for path in files if (found := test_directories(path))}
    with_modules = {
        directory
        for path, directories in in_tests.items()
        if path.endswith(".py")
        for directory in directories
    }
    tops: dict[str | None, set[str]] = defaultdict(set)
    for path in files if with_modules else ():
        for owner in owners[path]:
            tops[owner].add(path.partition("/")[0])
    for path, directories in in_tests.items():
        # A project may consist of only a package of that name.
        if all(
            owner is not None
            and any(
                directory in with_modules
                and ("/" in directory or not tops[owner] <= TEST_DIRECTORIES)
                for directory in directories
            )
            for owner in owners[path]
        ):
            yield path


def _keep_content(
    removable: dict[str, Rule],
    files: Mapping[str, Entry],
    reader: ContentReader,
    cache: DerivedCache | None,
) -> set[str]:
    """Take out of *removable* what its project may read at run time, by what it consists of.

    :returns: dotted names of modules in test directories that are meant for the tests of others
    """
    by_owner: dict[str | None, dict[str, Entry]] = defaultdict(dict)
    for path, entry in files.items():
        by_owner[entry.owner][path] = entry
    helpers: set[str] = set()
    for owner in sorted({files[path].owner or "" for path in removable}):
        entries = by_owner[owner]
        uses = find_file_uses(entries, reader, cache)
        helpers.update(uses.helpers)
        own = {path: removable[path] for path in entries if path in removable}
        for path in find_content(own, entries, uses):
            del removable[path]
    return helpers


def _find_needed(
    removable: Mapping[str, Rule],
    files: Mapping[str, Entry],
    helpers: Collection[str],
    cache: DerivedCache | None,
) -> set[str]:
    """Return the paths among *removable* that the kept code uses, directly or not.

    :param helpers: modules in test directories that are used as well
    """
    modules: dict[str, str] = {}
    data: list[str] = []
    for path, rule in removable.items():
        if rule == "tests" and path.endswith(".py"):
            modules[_module_name(path)] = path
        elif rule == "tests":
            data.append(path)
    data.sort()
    uses = Uses(cache)
    needed: set[str] = set()
    with uses, ContentReader() as reader:
        uses.add(
            {
                path: entry.content
                for path, entry in files.items()
                if path.endswith(".py") and path not in removable
            }
        )
        uses.modules.update(helpers)
        while True:
            used = {modules[name] for name in _with_packages(uses.modules) if name in modules}
            if used <= needed:
                break
            # Modules in a test directory import each other without naming the directory.
            for path in sorted(used - needed):
                uses.read(path, files[path].content, in_tests=True)
                if data:
                    needed |= find_test_data(path, reader.read(files[path].content), data)
            needed |= used
    for path, rule in removable.items():
        name = posixpath.basename(path).lower()
        if (rule == "native-sources" and name in uses.native_sources) or (
            rule == "stubs" and path.removesuffix("i") in uses.stub_loaders
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
