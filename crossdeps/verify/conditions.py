"""Evaluates, for the target, the conditions under which source imports modules."""

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
# Values on every target: CPython 3 on Linux, importing the module.
_VALUES: dict[str, object] = {
    "TYPE_CHECKING": False,
    "PY2": False,
    "PY3": True,
    "__debug__": True,
    "__name__": "name of the module",
    "sys.platform": "linux",
    "os.name": "posix",
    "platform.system()": "Linux",
    "platform.python_implementation()": "CPython",
    "sys.implementation.name": "cpython",
}
# Recognized in any module: typing.TYPE_CHECKING, six.PY2.
_FLAGS = frozenset({"TYPE_CHECKING", "PY2", "PY3"})


def evaluate_condition(test: ast.expr, python: str) -> bool | None:
    """Whether *test* is true on the target; None if the source alone doesn't tell.

    Supports ``TYPE_CHECKING``, ``sys.version_info``, ``sys.platform``, ``os.name``, the
    ``__main__`` guard, constants, and ``not``, ``and`` and ``or`` of them.

    :param python: full version of the target's Python
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        result = evaluate_condition(test.operand, python)
        return None if result is None else not result
    if isinstance(test, ast.BoolOp):
        results = [evaluate_condition(value, python) for value in test.values]
        deciding = isinstance(test.op, ast.Or)
        if deciding in results:
            return deciding
        return None if None in results else not deciding
    value = _evaluate(test, python)
    return None if value is _UNKNOWN else bool(value)


def _evaluate(node: ast.expr, python: str) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        values = tuple(_evaluate(item, python) for item in node.elts)
        return _UNKNOWN if _UNKNOWN in values else values
    if isinstance(node, ast.Compare):
        return _evaluate_comparison(node, python)
    if isinstance(node, ast.Subscript):
        return _evaluate_subscript(node, python)
    if isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
        return _evaluate_name(node, ast.unparse(node), python)
    return _UNKNOWN


def _evaluate_name(node: ast.Name | ast.Attribute | ast.Call, name: str, python: str) -> object:
    if name == "sys.version_info":
        return (*(int(part) for part in python.split(".")), "final", 0)
    last = name.rpartition(".")[2]
    if name.startswith("sys.version_info."):
        parts = dict(zip(("major", "minor", "micro"), python.split("."), strict=True))
        return int(parts[last]) if last in parts else _UNKNOWN
    if isinstance(node, ast.Call) and name not in _VALUES:
        return _evaluate_startswith(node, python)
    return _VALUES.get(last if last in _FLAGS else name, _UNKNOWN)


def _evaluate_comparison(node: ast.Compare, python: str) -> object:
    compare = _OPERATORS.get(type(node.ops[0]))
    left, right = _evaluate(node.left, python), _evaluate(node.comparators[0], python)
    if compare is None or len(node.ops) > 1 or _UNKNOWN in (left, right):
        return _UNKNOWN
    try:
        return compare(left, right)
    except TypeError:
        return _UNKNOWN


def _evaluate_subscript(node: ast.Subscript, python: str) -> object:
    """Evaluate ``sys.version_info[0]`` and ``sys.version_info[:2]``."""
    value = _evaluate(node.value, python)
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


def _evaluate_startswith(node: ast.Call, python: str) -> object:
    """Evaluate ``sys.platform.startswith("win")``."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr != "startswith" or not node.args:
        return _UNKNOWN
    value, prefix = _evaluate(function.value, python), _evaluate(node.args[0], python)
    if isinstance(value, str) and isinstance(prefix, (str, tuple)):
        return value.startswith(prefix)
    return _UNKNOWN
