"""Figures of the package's modules: ``python -m benchmarks.structure [--check] [PACKAGE]``.

Nothing is imported: the source is parsed. Imports count wherever they stand, those for types only
and those inside functions included.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MODULES = 209
LINES = 300
FUNCTION_LINES = 60
SMALL = 60

_VERBS = ("build", "lock", "check", "why", "tags", "diff", "report", "cache")
_SHARED_NAMES = frozenset({"__init__.py", "model.py", *(f"{verb}.py" for verb in _VERBS)})


@dataclass(frozen=True, kw_only=True)
class Module:
    """One source file.

    :param name: dotted; a package's is that of its ``__init__.py``
    """

    name: str
    path: Path
    text: str

    @property
    def lines(self) -> int:
        """Number of lines, empty ones included."""
        return len(self.text.splitlines())

    @property
    def is_package(self) -> bool:
        """Whether it is an ``__init__.py``."""
        return self.path.name == "__init__.py"

    @cached_property
    def tree(self) -> ast.Module:
        """The source, parsed."""
        return ast.parse(self.text)

    def long_functions(self) -> Iterator[tuple[str, int]]:
        """Name and length of functions that don't fit a screen."""
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield f"{self.name}.{node.name}", length

    def names(self) -> Iterator[tuple[str, str]]:
        """What is imported, anywhere in the file: a module, and a name in it or nothing."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from ((base, alias.name) for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        kept = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*kept, *([node.module] if node.module else [])])


class Structure:
    """What is to be known of all modules under *root*, a package's folder."""

    def __init__(self, root: Path) -> None:
        found = [_read(path, root) for path in sorted(root.rglob("*.py"))]
        self.modules = {module.name: module for module in found}
        self.imports = {module.name: self._imports(module) for module in found}

    def lines(self) -> int:
        """Lines of all modules."""
        return sum(module.lines for module in self.modules.values())

    def large(self) -> list[str]:
        """Files that are too long, longest first."""
        return _by_size((m.name, m.lines) for m in self.modules.values() if m.lines > LINES)

    def long_functions(self) -> list[str]:
        """Functions that are too long, longest first."""
        return _by_size(pair for m in self.modules.values() for pair in m.long_functions())

    def cycles(self) -> list[str]:
        """Groups of modules that import one another."""
        return [" <-> ".join(sorted(group)) for group in _components(self.imports)]

    def duplicates(self) -> list[str]:
        """File names that stand for several things."""
        places: dict[str, list[str]] = defaultdict(list)
        for module in self.modules.values():
            places[module.path.name].append(module.name)
        return [
            f"{name}: {', '.join(sorted(names))}"
            for name, names in sorted(places.items())
            if len(names) > 1 and name not in _SHARED_NAMES
        ]

    def small(self) -> list[str]:
        """Short modules that a single other module imports, itself or through an ``__init__``.

        The package's own ``__init__`` counts as an importer: it stands for the users of the names
        that it exports.
        """
        importers: dict[str, set[str]] = defaultdict(set)
        for module in self.modules.values():
            if not module.is_package or "." not in module.name:
                for base, name in module.names():
                    importers[self._home(base, name)].add(module.name)
        return [
            f"{name} ({module.lines} lines), by {''.join(importers[name])}"
            for name, module in sorted(self.modules.items())
            if module.lines < SMALL and not module.is_package and len(importers[name]) == 1
        ]

    def broken_limits(self) -> dict[str, list[str]]:
        """What is against a rule, by rule."""
        count = len(self.modules)
        found = {
            f"more than {MODULES} modules": [f"{count}"] if count > MODULES else [],
            f"files over {LINES} lines": self.large(),
            "import cycles": self.cycles(),
            "file names used twice": self.duplicates(),
            f"modules under {SMALL} lines with one importer": self.small(),
        }
        return {rule: places for rule, places in found.items() if places}

    def _imports(self, module: Module) -> set[str]:
        found = {self._module(base, name) for base, name in module.names()}
        return (found & self.modules.keys()) - {module.name}

    def _module(self, base: str, name: str) -> str:
        whole = f"{base}.{name}"
        return whole if whole in self.modules else base

    def _home(self, base: str, name: str) -> str:
        """The module that has *name*, where *base* is a package that hands it on."""
        found = self._module(base, name)
        package = self.modules.get(found)
        if package is None or not package.is_package:
            return found
        homes = (home for home, exported in package.names() if exported == name and home != base)
        return next(homes, found)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structure", description=__doc__)
    default = Path(__file__).parents[1] / "crossdeps"
    parser.add_argument("package", nargs="?", type=Path, default=default, help="default: crossdeps")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a limit is broken")
    said = parser.parse_args()
    structure = Structure(said.package.resolve())
    print(f"{len(structure.modules):6} modules\n{structure.lines():6} lines")
    _tell(f"files over {LINES} lines", structure.large())
    _tell(f"functions over {FUNCTION_LINES} lines", structure.long_functions())
    _tell("import cycles", structure.cycles())
    _tell("file names used twice", structure.duplicates())
    _tell(f"modules under {SMALL} lines with one importer", structure.small())
    if not said.check:
        return 0
    broken = structure.broken_limits()
    for rule, places in broken.items():
        print(f"limit: {rule}: {len(places)}", file=sys.stderr)
    return 1 if broken else 0


def _read(path: Path, root: Path) -> Module:
    parts = path.relative_to(root.parent).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name=name, path=path, text=path.read_text(encoding="utf-8"))


def _components(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Sets of more than one node, each reachable from all others of its set."""
    reachable = {node: _reachable(node, graph) for node in graph}
    found: list[set[str]] = []
    for node, others in reachable.items():
        if node in others and not any(node in group for group in found):
            found.append({other for other in others if node in reachable[other]})
    return found


def _reachable(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    pending = list(graph[start])
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending += graph[node]
    return seen


def _by_size(pairs: Iterator[tuple[str, int]]) -> list[str]:
    ordered = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
    return [f"{size:4} {name}" for name, size in ordered]


def _tell(title: str, places: Sequence[str]) -> None:
    print(f"{len(places):6} {title}")
    for place in places:
        print(f"         {place}")


if __name__ == "__main__":
    sys.exit(main())
