"""Whether every import in the user's own source will find its module."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.verify.import_hints import suggest
from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossdeps.verify.python_source import Import
    from crossdeps.verify.scene import Scene
    from crossdeps.verify.source_files import SourceFile

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


def check_imports(scene: Scene) -> Iterator[Finding]:
    """Every import of the user's source finds its module; nothing is imported to find out."""
    handler = scene.surroundings.handler
    if handler is None or not scene.modules.has(handler.module):
        return
    yield from _check_syntax(scene, scene.sources)
    missing: dict[tuple[bool, str], list[tuple[SourceFile, Import]]] = defaultdict(list)
    for file in scene.sources:
        for one in file.imports:
            if "guarded" in {file.used, one.when}:
                continue
            name = scene.modules.missing(one)
            if name is not None:
                missing[file.used == one.when == "start", name].append((file, one))
    for (at_start, name), places in sorted(missing.items(), key=lambda item: item[0][1]):
        if at_start or (True, name) not in missing:
            rule = MISSING_IMPORT if at_start else MISSING_LATER_IMPORT
            yield _missing(scene, rule, name, places)


def _check_syntax(scene: Scene, files: Iterable[SourceFile]) -> Iterator[Finding]:
    version = ".".join(str(part) for part in scene.target.python_version)
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
    scene: Scene, rule: Rule, name: str, places: list[tuple[SourceFile, Import]]
) -> Finding:
    (file, one), *others = places
    major, minor = scene.target.python_version
    where = f"not in the package and not in the standard library of Python {major}.{minor}"
    if scene.provided:
        where += ", nor in the runtime"
    if not one.module:
        where = "outside its package: the file isn't in one that deep"
    written = one.text if not one.module or one.text.startswith(".") else name
    more = f" (and {len(others)} more imports of it)" if others else ""
    return rule.finding(
        f"{file.entry.path}:{one.line} imports {written}, which is {where}{more}",
        path=file.entry.path,
        hint=suggest(scene, name, one),
    )
