"""What to do about an import that won't find its module."""

from __future__ import annotations

import ast
import difflib
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.module_names import PROVIDED_MODULES, ever_in_stdlib, find_project
from crossdeps.verify.python_source import parse, top_level_names
from crossdeps.wheels.record import parse_installed_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.model import Handler
    from crossdeps.verify.modules import SourceFile
    from crossdeps.verify.python_source import Import


def suggest(context: CheckContext, name: str, one: Import) -> str:
    """What likely helps: by the bundle's own RECORDs first, then by its folders, then by name.

    :param name: the dotted name that wasn't found
    """
    if not one.module:
        return "import it by its full name, or lay the source out within its package"
    owner = _left_out_of(context, name)
    if owner:
        path = name.replace(".", "/")
        return f"{owner} has it, but it was left out: keep it with --include '{path}*'"
    nested = _nested(context, name)
    if nested:
        return f"it is in the folder {nested}: lay that folder's content out with --source"
    top = name.partition(".")[0]
    if one.text.startswith(".") or top in context.modules.own:
        return "the file wasn't laid out: look at --source, --exclude and .gitignore"
    return _suggest_project(context, name, top)


def _suggest_project(context: CheckContext, name: str, top: str) -> str:
    project = find_project(name)
    if ever_in_stdlib(top):
        version = ".".join(str(part) for part in context.target.python_version)
        instead = f"; the project {project} can stand in for it" if project else ""
        return f"it isn't in the standard library of Python {version}{instead}"
    if project in PROVIDED_MODULES and context.target.runtime_name is None:
        return f"add {project} to the requirements; or name the --runtime, if that has it"
    if project:
        return f"the project {project} likely has it: add it to the requirements"
    return f"add the project that has it to the requirements, often one of the same name: {top}"


def _left_out_of(context: CheckContext, name: str) -> str | None:
    """The project of the bundle whose RECORD lists the module, although it isn't there."""
    path = name.replace(".", "/")
    for project in context.bundle.projects:
        entry = context.entries.get(f"{project.dist_info}/RECORD")
        if entry is None:
            continue
        for row in parse_installed_record(context.read(entry)):
            if row.path in {f"{path}.py", f"{path}/__init__.py"} or row.path.startswith(
                (f"{path}.cpython-", f"{path}.abi3.")
            ):
                return project.name
    return None


def _nested(context: CheckContext, name: str) -> str | None:
    """A folder of the user's source in which the module lies, where it isn't at the root."""
    path = name.replace(".", "/")
    for entry in context.bundle.entries:
        inside = context.inside(entry.path) if entry.owner is None else None
        for ending in (f"/{path}.py", f"/{path}/__init__.py"):
            if inside and inside.endswith(ending):
                return inside.removesuffix(ending)
    return None


MISSING_IMPORT = Rule(
    id="missing-import",
    severity="error",
    title="the source imports a module that won't be there",
    symptom="`Runtime.ImportModuleError: Unable to import module 'app': No module named 'yaml'`.",
    cause=(
        "The requirements don't name the project that has the module, or the module was left out,"
        " or it isn't in the standard library of the target's Python."
    ),
    remedy=(
        "Add the project to the requirements. An import that may fail belongs into `try` with"
        " `except ImportError`."
    ),
)
MISSING_LATER_IMPORT = Rule(
    id="missing-later-import",
    severity="warning",
    title="source that isn't run at the start imports a module that won't be there",
    symptom="`ModuleNotFoundError` when the function or file with the import is used.",
    cause=(
        "The import stands in a function, under a condition, or in a file that the"
        " handler doesn't import by itself, such as a script or a test."
    ),
    remedy="Add the project, or leave the file out of the package (`--exclude`).",
)
SOURCE_SYNTAX = Rule(
    id="source-syntax",
    severity="error",
    title="source that the target's Python can't parse",
    symptom="`Runtime.UserCodeSyntaxError: Syntax error in module 'app'`.",
    cause="The source uses syntax of a newer Python, such as `match` on 3.9, or has a mistake.",
    remedy="Build for a newer runtime, or change the source.",
)
UNREAD_SOURCE = Rule(
    id="unread-source",
    severity="warning",
    title="source that crossdeps couldn't parse",
    symptom="None; the imports of the file weren't checked.",
    cause=(
        "The file has syntax that is newer than the Python that runs crossdeps, or is nested too"
        " deeply."
    ),
    remedy="Run crossdeps with the target's Python or a newer one.",
)


def check_imports(context: CheckContext) -> Iterator[Finding]:
    """Every import of the user's source finds its module; nothing is imported to find out."""
    handler = context.runtime_context.handler
    if handler is None or not context.modules.has(handler.module):
        return
    yield from _check_syntax(context, context.sources)
    missing: dict[tuple[bool, str], list[tuple[SourceFile, Import]]] = defaultdict(list)
    for file in context.sources:
        for one in file.imports:
            if "guarded" in {file.used, one.when}:
                continue
            name = context.modules.missing(one)
            if name is not None:
                missing[file.used == one.when == "start", name].append((file, one))
    for (at_start, name), places in sorted(missing.items(), key=lambda item: item[0][1]):
        if at_start or (True, name) not in missing:
            rule = MISSING_IMPORT if at_start else MISSING_LATER_IMPORT
            yield _missing(context, rule, name, places)


def _check_syntax(context: CheckContext, files: Iterable[SourceFile]) -> Iterator[Finding]:
    version = ".".join(str(part) for part in context.target.python_version)
    for file in files:
        fault = file.fault
        if fault is None:
            continue
        place = file.entry.path if fault.line is None else f"{file.entry.path}:{fault.line}"
        if fault.certain and file.used == "start":
            yield SOURCE_SYNTAX.finding(
                f"{place} isn't Python {version}: {fault.message}", path=file.entry.path
            )
        else:
            yield UNREAD_SOURCE.finding(
                f"{place} couldn't be parsed: {fault.message}", path=file.entry.path
            )


def _missing(
    context: CheckContext, rule: Rule, name: str, places: list[tuple[SourceFile, Import]]
) -> Finding:
    (file, one), *others = places
    major, minor = context.target.python_version
    where = f"not in the package and not in the standard library of Python {major}.{minor}"
    if context.provided:
        where += ", nor in the runtime"
    if not one.module:
        where = "outside its package: the file isn't in one that deep"
    written = one.text if not one.module or one.text.startswith(".") else name
    more = f" (and {len(others)} more imports of it)" if others else ""
    return rule.finding(
        f"{file.entry.path}:{one.line} imports {written}, which is {where}{more}",
        path=file.entry.path,
        hint=suggest(context, name, one),
    )


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


def check_handler(context: CheckContext) -> Iterator[Finding]:
    """The module of the handler is there, and its top level defines the function."""
    handler = context.runtime_context.handler
    if handler is None:
        return
    if not context.modules.has(handler.module):
        yield _missing_module(context, handler)
        return
    entry = context.modules.entry(handler.module)
    if entry is not None and entry.path.endswith(".py"):
        yield from _check_function(context, handler, entry)


def _missing_module(context: CheckContext, handler: Handler) -> Finding:
    """Say where a module of that name is, whatever folder it is in."""
    last = handler.module.rpartition(".")[2]
    same = [name for name in context.modules.own if name.rpartition(".")[2] == last]
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


def _check_function(context: CheckContext, handler: Handler, entry: Entry) -> Iterator[Finding]:
    tree = parse(context.read(entry), context.target.python_version)
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
