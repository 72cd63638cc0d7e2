"""Rules on the user's source: the handler, the imports, and the syntax. Nothing is imported."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.text import first_words, plural
from crossdeps.verify.import_hints import HintFinder, describe_missing
from crossdeps.verify.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.followed_imports import SourceFile
    from crossdeps.verify.model import Handler
    from crossdeps.verify.modules import Missing
    from crossdeps.verify.python_source import Import

HANDLER_MODULE = Rule(
    id="handler-module",
    severity="error",
    title="a handler whose module is not in the package",
    symptom="`Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'`.",
    cause="The source was left out, is in another folder, or the handler is misspelled.",
    remedy="Add the source with `--source`, or give its location: `--handler src/app.handler`.",
)
HANDLER_FUNCTION = Rule(
    id="handler-function",
    severity="error",
    title="a handler that is not a function that the runtime can call",
    symptom=(
        "`Runtime.HandlerNotFound: Handler 'handler' undefined or not exported`, a `TypeError`"
        " about arguments, or `Object of type coroutine is not JSON serializable`."
    ),
    cause=(
        "The module does not define the name at its top level, or defines something that cannot be"
        " called with an event and a context. The Python runtimes do not await coroutines."
    ),
    remedy="Name an existing function, or give it the parameters `event` and `context`.",
)


def check_handler(context: CheckContext) -> Iterator[Finding]:
    """Check that the handler's module exists, and defines the function at its top level."""
    handler = context.runtime_context.handler
    if handler is None:
        return
    if handler.module not in context.modules:
        yield HANDLER_MODULE.finding(
            f"the handler {handler.text} requires the module {handler.module},"
            " which is not in the package",
            hint=_suggest_handler(context, handler),
        )
        return
    entry = context.modules.find_entry(handler.module)
    if entry is not None and entry.path.endswith(".py"):
        yield from _check_function(context, handler, entry)


def _suggest_handler(context: CheckContext, handler: Handler) -> str:
    """Suggest a module of the same name, in whatever folder it is."""
    last = handler.module.rpartition(".")[2]
    modules = [name for name in context.modules.user_modules if name.rpartition(".")[2] == last]
    if not modules:
        return "add your source with --source"
    path = min(modules, key=lambda name: (name.count("."), name)).replace(".", "/")
    hint = f"did you mean {path}.{handler.function}?"
    folder = path.removesuffix(f"/{handler.module.replace('.', '/')}")
    return hint if folder == path else f"{hint} Or add the content of {folder} with --source"


def _check_function(context: CheckContext, handler: Handler, entry: Entry) -> Iterator[Finding]:
    from crossdeps.verify.definitions import read_definitions  # noqa: PLC0415 - rare
    from crossdeps.verify.target_syntax import SourceError  # noqa: PLC0415 - as above

    definitions = read_definitions(context.read(entry), context.target.python_version)
    if isinstance(definitions, SourceError):
        return  # reported by the rules on syntax
    definition = definitions.get(handler.function)
    if definition is None and "*" not in definitions:
        import difflib  # noqa: PLC0415 - only a misspelled handler needs it

        matches = difflib.get_close_matches(handler.function, definitions, n=1)
        functions = [name for name, item in definitions.items() if item.is_function]
        defined = first_words(functions, 5) or "no function"
        yield HANDLER_FUNCTION.entry_finding(
            entry,
            f"{entry.path} does not define {handler.function}, which the handler {handler.text}"
            " names",
            hint=f"did you mean {matches[0]}?" if matches else f"it defines {defined}",
        )
    elif definition and definition.call_error:
        yield HANDLER_FUNCTION.entry_finding(
            entry,
            f"{entry.path}:{definition.line}: {handler.function} {definition.call_error}",
            hint="the runtime calls it with two arguments: def handler(event, context)",
        )


SOURCE_SYNTAX = Rule(
    id="source-syntax",
    severity="error",
    title="source that the target's Python cannot compile",
    symptom="`Runtime.UserCodeSyntaxError: Syntax error in module 'app'`.",
    cause=(
        "The source has an error, or syntax of a newer Python (`match` on 3.9) or of Python 2."
        " Source of projects counts where the handler imports it."
    ),
    remedy="Build for a newer runtime, change the source, or require another version.",
)
MISSING_IMPORT = Rule(
    id="missing-import",
    severity="error",
    title="source that imports a module that will not be available",
    symptom="`Runtime.ImportModuleError: Unable to import module 'app': No module named 'yaml'`.",
    cause=(
        "The requirements do not include the project that provides the module, the module was left"
        " out, or it is not in the standard library of the target's Python."
    ),
    remedy=(
        "Add the project to the requirements. Put an import that may fail into `try` with"
        " `except ImportError`."
    ),
)
MISSING_LATER_IMPORT = Rule(
    id="missing-later-import",
    severity="warning",
    title="source not run at startup that imports a module that will not be available",
    symptom="`ModuleNotFoundError` when the function or file with the import is used.",
    cause=(
        "The import is in a function, under a condition, or in a file that the handler does not"
        " import itself, such as a script or a test."
    ),
    remedy="Add the project, or exclude the file from the package (`--exclude`).",
)
UNREAD_SOURCE = Rule(
    id="unread-source",
    severity="warning",
    title="source that crossdeps could not parse",
    symptom="None. The imports of the file were not checked.",
    cause=(
        "The file is too deeply nested, or the target's Python is newer than the syntax that"
        " crossdeps knows, and the Python that runs it."
    ),
    remedy="Run crossdeps with the target's Python or a newer one.",
)


def check_imports(context: CheckContext) -> Iterator[Finding]:
    """Check that the user's source can be parsed, and that each import finds its module."""
    handler = context.runtime_context.handler
    if handler is None or handler.module not in context.modules:
        return
    yield from _check_syntax(context)
    found: dict[tuple[bool, str], list[tuple[SourceFile, Import, Missing]]] = defaultdict(list)
    for file in context.sources:
        for item, missing in file.missing:
            if "optional" not in {file.timing, item.timing}:
                at_startup = file.timing == item.timing == "startup" and missing.certain
                found[at_startup, missing.name].append((file, item, missing))
    hints = HintFinder(context)
    for (at_startup, name), locations in sorted(found.items(), key=lambda item: item[0][1]):
        if at_startup or (True, name) not in found:
            (file, item, missing), *others = locations
            more = f" (and {plural(len(others), 'more import')} of it)" if others else ""
            yield (MISSING_IMPORT if at_startup else MISSING_LATER_IMPORT).entry_finding(
                file.entry,
                f"{file.entry.path}:{item.line} {describe_missing(context, item, missing)}{more}",
                hint=hints.suggest(missing, item),
            )


def _check_syntax(context: CheckContext) -> Iterator[Finding]:
    version = ".".join(str(part) for part in context.target.python_version)
    for file in context.sources:
        error = file.error
        if error:
            line = "" if error.line is None else f":{error.line}"
            rule, text = UNREAD_SOURCE, "could not be parsed"
            if error.certain and file.timing == "startup":
                rule, text = SOURCE_SYNTAX, f"is not valid in Python {version}"
            yield rule.entry_finding(file.entry, f"{file.entry.path}{line} {text}: {error.message}")


def check_dependencies(context: CheckContext) -> Iterator[Finding]:
    """Check that the source of projects that the handler imports can be imported."""
    if context.runtime_context.handler is None:
        return
    from crossdeps.verify.dependency_source import find_broken_modules  # noqa: PLC0415 - as above

    version = "Python " + ".".join(str(part) for part in context.target.python_version)
    hints = HintFinder(context)
    for broken in find_broken_modules(context):
        entry, place = broken.entry, f"{broken.entry.path}:{broken.line}"
        if broken.error:
            hint = f"require a version of {entry.owner} that supports {version}"
            message = f"{place} is not valid in {version}: {broken.error}"
            yield SOURCE_SYNTAX.entry_finding(entry, message, hint=hint)
        else:
            yield MISSING_IMPORT.entry_finding(
                entry,
                f"{place} imports {broken.missing}, which is neither in the package nor in the"
                f" standard library of {version}",
                hint=hints.suggest_for_project(broken.missing),
            )
