"""Whether the host finds the handler, and whether it is a function that it can call."""

from __future__ import annotations

import ast
import difflib
from typing import TYPE_CHECKING

from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.python_source import parse, top_level_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.scene import Scene
    from crossdeps.verify.surroundings import Handler

HANDLER_MODULE = Rule(
    id="handler-module",
    severity="error",
    title="the handler's module isn't in the package",
    symptom="`Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'`.",
    cause="The source was left out, lies in another folder, or the handler is spelt otherwise.",
    remedy="Lay the source out with `--source`, or say where it is: `--handler src/app.handler`.",
)
HANDLER_FUNCTION = Rule(
    id="handler-function",
    severity="error",
    title="the handler isn't a function that the runtime can call",
    symptom=(
        "`Runtime.HandlerNotFound: Handler 'handler' undefined or not exported`, a `TypeError`"
        " about arguments, or `Object of type coroutine is not JSON serializable`."
    ),
    cause=(
        "The module doesn't define the name at its top level, or defines something that can't be"
        " called with an event and a context; the Python runtimes don't await coroutines."
    ),
    remedy="Name the function that is there, or give it the parameters `event` and `context`.",
)


def check_handler(scene: Scene) -> Iterator[Finding]:
    """The module of the handler is there, and its top level defines the function."""
    handler = scene.surroundings.handler
    if handler is None:
        return
    if not scene.modules.has(handler.module):
        yield _missing_module(scene, handler)
        return
    entry = scene.modules.entry(handler.module)
    if entry is not None and entry.path.endswith(".py"):
        yield from _check_function(scene, handler, entry)


def _missing_module(scene: Scene, handler: Handler) -> Finding:
    """Say where a module of that name is, whatever folder it is in."""
    last = handler.module.rpartition(".")[2]
    same = [name for name in scene.modules.own if name.rpartition(".")[2] == last]
    hint = "lay your source out with --source"
    if same:
        place = min(same, key=lambda name: (name.count("."), name)).replace(".", "/")
        hint = f"did you mean {place}.{handler.function}?"
        if place.endswith(f"/{handler.module.replace('.', '/')}"):
            folder = place.removesuffix(f"/{handler.module.replace('.', '/')}")
            hint += f" Or lay the content of {folder} out, with --source"
    return HANDLER_MODULE.finding(
        f"the handler {handler.text} needs the module {handler.module}, which isn't in the package",
        hint=hint,
    )


def _check_function(scene: Scene, handler: Handler, entry: Entry) -> Iterator[Finding]:
    tree = parse(scene.read(entry), scene.target.python_version)
    if not isinstance(tree, ast.Module):
        return  # told by the rule on syntax
    names = top_level_names(tree)
    if handler.function not in names:
        if "*" in names:
            return
        near = difflib.get_close_matches(handler.function, names, n=1)
        functions = [name for name, node in names.items() if isinstance(node, ast.FunctionDef)]
        there = f"it defines {', '.join(functions[:5])}" if functions else "it defines no function"
        yield HANDLER_FUNCTION.finding(
            f"{entry.path} doesn't define {handler.function}, which the handler"
            f" {handler.text} names",
            path=entry.path,
            owner=entry.owner,
            hint=f"did you mean {near[0]}?" if near else there,
        )
        return
    problem = _problem_with(names[handler.function])
    if problem:
        yield HANDLER_FUNCTION.finding(
            f"{entry.path}:{names[handler.function].lineno}: {handler.function} {problem}",
            path=entry.path,
            owner=entry.owner,
            hint="the runtime calls it with two arguments: def handler(event, context)",
        )


def _problem_with(node: ast.stmt) -> str:
    """What keeps the runtime from calling a definition; decorators may change anything."""
    if isinstance(node, ast.AsyncFunctionDef) and not node.decorator_list:
        return "is a coroutine function, which the Python runtimes don't await"
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return ""
    positional = [*node.args.posonlyargs, *node.args.args]
    required = len(positional) - len(node.args.defaults)
    if required > 2:
        return f"requires {required} arguments, and is called with two"
    if len(positional) < 2 and node.args.vararg is None:
        taken = "no argument" if not positional else "one argument"
        return f"takes {taken}, and is called with two"
    needed = [
        argument.arg
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if default is None
    ]
    return f"requires the keyword argument {needed[0]}" if needed else ""
