"""The directories of ``sys.path`` on the target: the modules in them, and how source adds more."""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING, Literal

import msgspec

from crossdeps.verify.extension_names import parse_extension_name
from crossdeps.verify.module_names import iterate_parents, parse_module_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from crossdeps.bundle.model import Entry
    from crossdeps.target.model import Target

FUNCTION_ROOT = "/var/task"
"""Where Lambda puts the function, which is also its current directory."""
LAYER_ROOT = "/opt"
"""Where Lambda unpacks layers."""

_END = 1 << 30

Kind = Literal["package", "module", "namespace"]


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """The modules of a directory on ``sys.path``.

    :param location: where the directory is on the target
    :param files: dotted name -> the file that is imported, and whether it is a package
    :param folders: dotted names of all directories
    """

    location: str
    files: Mapping[str, tuple[Entry, bool]]
    folders: frozenset[str]

    def find(self, name: str) -> Found:
        """Return the regular module *name*, which the directory has."""
        entry, is_package = self.files[name]
        return Found(kind="package" if is_package else "module", entry=entry, roots=(self,))


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A module that the importer finds.

    :param entry: its file; None for a namespace package
    :param roots: the directories of ``sys.path`` in which its own modules are searched for
    """

    kind: Kind
    entry: Entry | None
    roots: tuple[Root, ...]


def index_root(location: str, files: Mapping[str, Entry], target: Target) -> Root:
    """Find the modules of a directory.

    :param files: entries by path relative to the directory
    """
    ranked: dict[str, tuple[tuple[bool, int], Entry]] = {}
    folders: dict[str, None] = {}
    for path, entry in files.items():
        folder, _, filename = path.rpartition("/")
        if "." in folder:
            continue
        if folder and folder not in folders:
            folders.update(dict.fromkeys(iterate_parents(folder.replace("/", "."))))
            folders[folder] = None  # by its path, so that it is taken apart once
        module = parse_module_path(path)
        if module is None:
            continue
        rank = {".py": 10, "pyc": 11}.get(filename[-3:], 0)
        if rank == 0:
            extension = parse_extension_name(filename)
            if extension is None or not extension.is_importable_by(target):
                continue
            rank = extension.rank
        key = (not module.is_package, rank)
        if module.name not in ranked or key < ranked[module.name][0]:
            ranked[module.name] = key, entry
    modules = {name: (entry, not key[0]) for name, (key, entry) in ranked.items()}
    return Root(location=location, files=modules, folders=frozenset(folders))


class PathChange(msgspec.Struct, frozen=True, kw_only=True):
    """A directory that source adds to ``sys.path``.

    :param directory: absolute POSIX path; None if the source alone does not tell
    :param index: where it is inserted
    """

    directory: str | None
    index: int = _END


def read_pth_file(text: str, location: str) -> Iterator[PathChange]:
    """Yield the directories that a ``.pth`` file adds (documentation of the module ``site``).

    Code that mentions ``sys.path`` counts as a directory that is not known.

    :param location: where the directory of the file is on the target
    """
    for line in map(str.rstrip, text.splitlines()):
        if line.startswith(("import ", "import\t")):
            if "sys.path" in line:
                yield PathChange(directory=None)
        elif line and not line.startswith("#"):
            yield PathChange(directory=posixpath.normpath(posixpath.join(location, line)))


class PathReader:
    """Reads the changes of ``sys.path`` by the statements of a file, in their order.

    Names are known that were bound to a path before.

    :param file: where the file is on the target
    """

    def __init__(self, file: str) -> None:
        self._names = {"__file__": file}

    def read(self, node: ast.stmt) -> Iterator[PathChange]:
        """Yield the changes that a statement makes by itself, without those of its blocks."""
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from self._assign(target, node.value)
        elif isinstance(node, ast.AugAssign) and _is_sys_path(node.target):
            yield from self._add_all(node.value)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from self._call(node.value)

    def _assign(self, target: ast.expr, value: ast.expr | None) -> Iterator[PathChange]:
        if isinstance(target, ast.Subscript):
            target = target.value  # sys.path[:0] = [...]
        if _is_sys_path(target) and value is not None:
            if isinstance(value, ast.BinOp) and _is_sys_path(value.right):
                yield from self._add_all(value.left, index=0)
            elif isinstance(value, ast.BinOp) and _is_sys_path(value.left):
                yield from self._add_all(value.right)
            else:
                yield from self._add_all(value, index=0)
        elif isinstance(target, ast.Name):
            path = None if value is None else self._evaluate(value)
            if path is None:
                self._names.pop(target.id, None)
            else:
                self._names[target.id] = path

    def _call(self, call: ast.Call) -> Iterator[PathChange]:
        function = call.func
        if not isinstance(function, ast.Attribute):
            return
        if function.attr == "addsitedir" and call.args:
            yield self._add(call.args[0])
        elif not _is_sys_path(function.value):
            return
        elif function.attr == "append" and len(call.args) == 1:
            yield self._add(call.args[0])
        elif function.attr == "insert" and len(call.args) == 2:
            index = call.args[0]
            number = index.value if isinstance(index, ast.Constant) else 0
            yield self._add(call.args[1], index=number if isinstance(number, int) else 0)
        elif function.attr == "extend" and len(call.args) == 1:
            yield from self._add_all(call.args[0])
        else:
            yield PathChange(directory=None)

    def _add(self, node: ast.expr, *, index: int = _END) -> PathChange:
        path = self._evaluate(node)
        if path is None:
            return PathChange(directory=None)
        return PathChange(directory=_absolute(path), index=index)

    def _add_all(self, node: ast.expr, *, index: int = _END) -> Iterator[PathChange]:
        if not isinstance(node, (ast.List, ast.Tuple)):
            yield PathChange(directory=None)
            return
        elements = node.elts
        for element in reversed(elements) if index == 0 else elements:
            if not (isinstance(element, ast.Starred) and _is_sys_path(element.value)):
                yield self._add(element, index=index)

    def _evaluate(self, node: ast.expr) -> str | None:
        """Evaluate an expression that gives a path; None if it is not known how."""
        path: str | None = None
        if isinstance(node, ast.Constant):
            path = node.value if isinstance(node.value, str) else None
        elif isinstance(node, ast.Name):
            path = self._names.get(node.id)
        elif isinstance(node, ast.JoinedStr):
            path = self._join(node.values, "")
        elif isinstance(node, ast.FormattedValue):
            path = None if node.format_spec else self._evaluate(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
            separator = "" if isinstance(node.op, ast.Add) else "/"
            path = self._join([node.left, node.right], separator)
        elif isinstance(node, ast.Attribute):
            path = self._evaluate_attribute(node)
        elif isinstance(node, ast.Subscript):
            path = self._evaluate_subscript(node)
        elif isinstance(node, ast.Call):
            path = self._evaluate_call(node)
        return path

    def _join(self, nodes: Iterable[ast.expr], separator: str) -> str | None:
        parts = [self._evaluate(node) for node in nodes]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return posixpath.join(*known) if separator else "".join(known)

    def _evaluate_attribute(self, node: ast.Attribute) -> str | None:
        if node.attr == "parent":
            path = self._evaluate(node.value)
            return None if path is None else posixpath.dirname(posixpath.normpath(path))
        return {"sep": "/", "pardir": "..", "curdir": "."}.get(node.attr)

    def _evaluate_subscript(self, node: ast.Subscript) -> str | None:
        """Evaluate ``path.parents[1]`` and ``os.environ["LAMBDA_TASK_ROOT"]``."""
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if index == "LAMBDA_TASK_ROOT":
            return FUNCTION_ROOT
        if not (isinstance(node.value, ast.Attribute) and node.value.attr == "parents"):
            return None
        path = self._evaluate(node.value.value)
        if path is None or not isinstance(index, int) or index < 0:
            return None
        for _ in range(min(index + 1, path.count("/") + 1)):
            path = posixpath.dirname(path)
        return path

    def _evaluate_call(self, node: ast.Call) -> str | None:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = node.args[0] if node.args else None
        path: str | None = None
        if name in {"getcwd", "cwd"}:
            path = FUNCTION_ROOT
        elif name in {"get", "getenv"} and isinstance(first, ast.Constant):
            path = FUNCTION_ROOT if first.value == "LAMBDA_TASK_ROOT" else None
        elif name in {"resolve", "absolute", "as_posix"} and owner is not None and first is None:
            path = self._evaluate(owner)
        elif name == "joinpath" and owner is not None:
            path = self._join([owner, *node.args], "/")
        elif name == "join" and not isinstance(owner, ast.Constant) and node.args:
            path = self._join(node.args, "/")
        elif name in {"Path", "PurePath", "PosixPath"}:
            path = self._join(node.args, "/") if node.args else "."
        elif first is not None and name in _OF_PATHS:
            path = self._evaluate(first)
            path = None if path is None else _OF_PATHS[name](path)
        return path


def _absolute(path: str) -> str:
    return posixpath.normpath(posixpath.join(FUNCTION_ROOT, path))


_OF_PATHS: dict[str, Callable[[str], str]] = {
    "dirname": posixpath.dirname,
    "abspath": _absolute,
    "realpath": _absolute,
    "normpath": posixpath.normpath,
    "str": str,
    "fspath": str,
}


def _is_sys_path(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "path"
        and isinstance(node.value, ast.Name)
        and node.value.id in {"sys", "_sys"}
    )
