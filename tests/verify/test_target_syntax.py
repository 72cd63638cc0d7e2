"""Source is judged as the target's Python would, whichever Python runs crossdeps."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from crossdeps.verify.older_syntax import rewrite_source
from crossdeps.verify.target_syntax import NEWEST_KNOWN, SourceError, parse_source

if TYPE_CHECKING:
    from tests.support.interpreters import Interpreter

# Source, and the first minor version of Python 3 that accepts it; 99 for none.
CASES = [
    ("x = 1", 8),
    ("if (n := 1): pass", 8),
    ("@a[0].b\ndef f(): ...", 8),
    ("match x:\n    case [1, *_]: ...", 10),
    ("match = 1\nprint(match)", 8),
    ("x = {n := 1}", 10),
    ("x = a[n := 1]", 10),
    ("x = {(n := 1)}, a[(n := 1)], a[( # x\n n := 1)]", 8),
    ("try: ...\nexcept* ValueError: ...", 11),
    ("try: ...\nexcept *(ValueError, KeyError) as e: ...", 11),
    ("x = a[*b]", 11),
    ("x = a[b, *c]", 11),
    ("x = a[(*b,)], [*b]", 8),
    ("def f(*args: *Ts): ...", 11),
    ("async def f():\n    return [[x async for x in g()] for y in z]", 11),
    ("async def f():\n    return [x for y in [z async for z in g()]]", 8),
    ("async def f():\n    return {k: [await x for x in g()] for k in z}", 11),
    ("def f[T](x: T): ...", 12),
    ("class A[T: int, *Ts, **P](B): ...", 12),
    ("class A[\n    T,\n]: ...", 12),
    ("type X = int", 12),
    ("type X[T] = list[T]", 12),
    ("type = 1\nprint(type(type))\ntype[0]", 8),
    ("x = f'{a['b']}'", 12),
    ("x = f\"{'\\n'.join(a)}\"", 12),
    ("x = f'{a +\nb}'", 12),
    ("x = f'''{a # why\n}'''", 12),
    ("x = f'{f'{1}'}'", 12),
    ("x = f'{a[\"b\"]!r:>{w}}' 'x' rf'{b=}\\d'", 8),
    ("x = f'''{a +\nb}''' f'{{}}' f'{x!r:^{width}.{precision}}'", 8),
    ("x = f'{a[\"b\"] != 1:{'>'}{10}}' \\\n  f'{d['x']}'", 12),
    ("class A[T = int]: ...", 13),
    ("type X[*Ts = *tuple[int]] = int", 13),
    ("try: ...\nexcept A, B: ...", 14),
    ("x = t'{a}'", 14),
    ("def f(:", 99),
    ("print 'x'", 99),
    ("class A[T: ...", 99),
    ("x = f'{a b}'", 99),
    ("x = f'{}'", 99),
    ("x = f'{a['b'}'", 99),
    ("type X = ", 99),
    ("def f[T](x y): ...", 99),
    ("raise A, 'b'", 99),
    ("return 1", 99),
    ("await x", 99),
    ("break", 99),
    ("def f(a, a): ...", 99),
    ("def f():\n    from os import *", 99),
    ("from __future__ import nothing", 99),
    ("def f():\n    x = 1\n    global x", 99),
    ("nonlocal x", 99),
    ("x = '''a", 99),
    ("  x = 1", 99),
]
TARGETS = [(3, minor) for minor in range(8, NEWEST_KNOWN[1] + 1)]


@pytest.mark.parametrize(("source", "first"), CASES)
def test_syntax_counts_from_its_version_on(source: str, first: int) -> None:
    """It is an error, and certainly one, before; and none from then on."""
    for target in TARGETS:
        found = parse_source(source.encode(), target)
        assert isinstance(found, SourceError) == (target < (3, first)), (target, found)
        assert not isinstance(found, SourceError) or found.certain, (target, found)


def test_the_syntax_of_later_releases_is_not_judged() -> None:
    """What no known parser accepts may be new; what some accepts is fine."""
    found = parse_source(b"lazy import json", (3, NEWEST_KNOWN[1] + 1))
    assert isinstance(found, SourceError)
    assert not found.certain


@pytest.mark.parametrize(("source", "first"), [case for case in CASES if case[1] < 99])
def test_rewriting_keeps_lines_and_what_is_valid(source: str, first: int) -> None:
    """An older parser reads what a newer one does, at the same lines."""
    rewritten = rewrite_source(f"{source}\nlast = 1\n".encode(), (3, 14))
    assert rewritten is not None
    tree = parse_source(rewritten, (3, 11))
    assert not isinstance(tree, SourceError), (rewritten, first)
    assert tree.body[-1].lineno == source.count("\n") + 2


@pytest.mark.parametrize("source", ["'", "f'{a", "f'", "f'''{", "t'{'", "f'{a!", "f'{a:{b}"])
def test_what_has_no_end_is_left_to_the_parser(source: str) -> None:
    assert rewrite_source(source.encode(), (3, 14)) is None


COMPILE = """
import json, sys, warnings
warnings.simplefilter("ignore")
def compiles(source):
    try:
        compile(source, "x", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
print(json.dumps([compiles(source) for source in json.load(sys.stdin)]))
"""


@pytest.mark.subprocess
def test_the_interpreters_agree(python_interpreters: tuple[Interpreter, ...]) -> None:
    """Each CPython of this machine compiles what is said to be valid for it, and nothing else."""
    for interpreter in python_interpreters:
        done = subprocess.run(
            [interpreter.executable, "-I", "-c", COMPILE],
            input=json.dumps([source for source, _ in CASES]),
            capture_output=True,
            text=True,
            check=True,
        )
        expected = [interpreter.version[:2] >= (3, first) for _, first in CASES]
        answers = zip(CASES, json.loads(done.stdout), expected, strict=True)
        assert [case for case, answer, right in answers if answer != right] == []
