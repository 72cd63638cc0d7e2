"""Decides, for the target, the conditions under which source imports things."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_UNKNOWN = object()
_OPERATORS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
# What is true of every target: CPython 3 on Linux, running the module as an import.
_NAMES: dict[str, object] = {
    "TYPE_CHECKING": False,
    "PY2": False,
    "PY3": True,
    "__debug__": True,
    "__name__": "the module's own",
    "sys.platform": "linux",
    "os.name": "posix",
    "platform.system()": "Linux",
    "platform.python_implementation()": "CPython",
    "sys.implementation.name": "cpython",
}
# Known by their last name: typing.TYPE_CHECKING, six.PY2.
_FLAGS = frozenset({"TYPE_CHECKING", "PY2", "PY3"})


def verdict(test: ast.expr, python: str) -> bool | None:
    """Whether *test* is true on the target; None where source alone doesn't say.

    Understands ``TYPE_CHECKING``, ``sys.version_info``, ``sys.platform``, ``os.name``, the
    ``__main__`` guard, constants, and ``not``, ``and`` and ``or`` of them.

    :param python: full version of the target's Python
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        answer = verdict(test.operand, python)
        return None if answer is None else not answer
    if isinstance(test, ast.BoolOp):
        answers = [verdict(value, python) for value in test.values]
        deciding = isinstance(test.op, ast.Or)
        if deciding in answers:
            return deciding
        return None if None in answers else not deciding
    value = _value(test, python)
    return None if value is _UNKNOWN else bool(value)


def _value(node: ast.expr, python: str) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        values = tuple(_value(item, python) for item in node.elts)
        return _UNKNOWN if _UNKNOWN in values else values
    if isinstance(node, ast.Compare):
        return _compare(node, python)
    if isinstance(node, ast.Subscript):
        return _subscript(node, python)
    if isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
        return _named(node, ast.unparse(node), python)
    return _UNKNOWN


def _named(node: ast.Name | ast.Attribute | ast.Call, name: str, python: str) -> object:
    if name == "sys.version_info":
        return (*(int(part) for part in python.split(".")), "final", 0)
    if name.startswith("sys.version_info."):
        parts = dict(zip(("major", "minor", "micro"), python.split("."), strict=True))
        part = parts.get(name.rpartition(".")[2])
        return _UNKNOWN if part is None else int(part)
    if isinstance(node, ast.Call) and name not in _NAMES:
        return _starts_with(node, python)
    last = name.rpartition(".")[2]
    return _NAMES.get(last if last in _FLAGS else name, _UNKNOWN)


def _compare(node: ast.Compare, python: str) -> object:
    compare = _OPERATORS.get(type(node.ops[0]))
    left, right = _value(node.left, python), _value(node.comparators[0], python)
    if compare is None or len(node.ops) > 1 or _UNKNOWN in (left, right):
        return _UNKNOWN
    try:
        return compare(left, right)
    except TypeError:
        return _UNKNOWN


def _subscript(node: ast.Subscript, python: str) -> object:
    """``sys.version_info[0]`` and ``sys.version_info[:2]``."""
    value = _value(node.value, python)
    if not isinstance(value, tuple):
        return _UNKNOWN
    try:
        index = ast.literal_eval(node.slice)
    except ValueError:
        index = None
    if isinstance(index, int) and -len(value) <= index < len(value):
        return value[index]
    if isinstance(node.slice, ast.Slice) and not (node.slice.lower or node.slice.step):
        upper = node.slice.upper
        if isinstance(upper, ast.Constant) and isinstance(upper.value, int):
            return value[: upper.value]
    return _UNKNOWN


def _starts_with(node: ast.Call, python: str) -> object:
    """``sys.platform.startswith("win")``."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return _UNKNOWN
    value = _value(function.value, python)
    wanted = _value(node.args[0], python) if node.args else _UNKNOWN
    if (
        function.attr == "startswith"
        and isinstance(value, str)
        and isinstance(wanted, (str, tuple))
    ):
        return value.startswith(wanted)
    return _UNKNOWN
