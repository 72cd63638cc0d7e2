"""Rules on paths: modules that hide others, names that differ only in case, permissions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.text import join_words
from crossdeps.verify.model import Rule
from crossdeps.verify.module_names import parse_module_path, stdlib_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.finding import Finding
    from crossdeps.verify.context import CheckContext

UNREADABLE_MODE = Rule(
    id="unreadable-mode",
    severity="error",
    title="a file or folder that the target's user cannot read",
    symptom="`PermissionError: [Errno 13] Permission denied`, or `ModuleNotFoundError`.",
    cause=(
        "The runtime runs functions as a user other than the owner of the files, and the file is"
        " not readable by others, or the folder cannot be listed and searched by others (a strict"
        " umask, or a zip written with mode 0600). Python takes a folder that it cannot list for an"
        " empty one."
    ),
    remedy="Set mode 0644, and 0755 for programs: `chmod -R go+rX`. crossdeps always does.",
)
SHADOWS_STDLIB = Rule(
    id="shadows-stdlib",
    severity="warning",
    title="a module with the name of a standard library module",
    symptom="`AttributeError` or `ImportError` in unrelated modules.",
    cause=(
        "On Lambda the package's folder comes before the standard library on the import path, so"
        " this module is imported instead: an old backport (enum34, typing, dataclasses), or a"
        " source file named queue.py or types.py."
    ),
    remedy="Remove the backport, or rename the file.",
)
BREAKS_STDLIB = Rule(
    id="breaks-stdlib",
    severity="error",
    title="a module that replaces one of the standard library, and fails",
    symptom="`SyntaxError`, or `AttributeError: module 'enum' has no attribute 'IntFlag'`.",
    cause=(
        "A project brings a module of the standard library for older versions of Python: enum34,"
        " asyncio, pathlib, uuid. On Lambda it is imported instead, and the target's Python cannot"
        " import it, or cannot do without what it lacks."
    ),
    remedy="Remove the project from the requirements: the standard library has the module.",
)
SHADOWS_RUNTIME = Rule(
    id="shadows-runtime",
    severity="warning",
    title="a module with the name of one that the runtime uses to call the handler",
    symptom="The function fails before the handler is reached, or after a runtime update.",
    cause="awslambdaric was installed into the package; it is meant for container images.",
    remedy="Exclude it from packages for hosted runtimes.",
)
CASE_COLLISION = Rule(
    id="case-collision",
    severity="warning",
    title="paths that differ only in case",
    symptom="None on Linux. When unpacked on macOS or Windows, all but one of the files are lost.",
    cause="A project contains both, or two projects use the same name in different case.",
    remedy="Do not deploy from a copy that was unpacked on a case-insensitive file system.",
)

# The client that calls the handler: a copy in the package is imported instead of the runtime's.
_LAMBDA_MODULES = frozenset({"awslambdaric", "bootstrap"})


def check_modes(context: CheckContext) -> Iterator[Finding]:
    """Check that everyone can read every file and folder, of the layers too.

    A mode of 0 is that of a zip written without Unix modes; unzip replaces it with a usable one.
    """
    hint = f"run chmod -R go+rX, or rebuild: {context.build_command}"
    for bundle in (context.bundle, *context.runtime_context.layers):
        place = "" if bundle is context.bundle else f" in {context.describe(bundle)}"
        for path, mode in bundle.closed_folders:
            yield UNREADABLE_MODE.finding(
                f"{path}/{place} has mode {mode & 0o777:04o}, which does not let others list and"
                " search it",
                path=f"{path}/",
                hint=hint,
            )
        for entry in bundle.entries:
            mode = entry.mode & 0o777
            if mode and not mode & 0o004:
                yield UNREADABLE_MODE.entry_finding(
                    entry,
                    f"{entry.path}{place} has mode {mode:04o}, which does not let others read it",
                    hint=hint,
                )


def check_shadowing(context: CheckContext) -> Iterator[Finding]:
    """Check that no top-level module hides one of the standard library or the runtime."""
    major, minor = context.target.python_version
    stdlib = stdlib_modules((major, minor))
    runtime = _LAMBDA_MODULES if context.target.runtime_name else frozenset()
    for module, entry in sorted(_find_top_level(context).items()):
        if module in stdlib:
            rule, hint = SHADOWS_STDLIB, "rename it"
            failure = _find_failure(context, module) if entry.owner else None
            if failure:
                yield BREAKS_STDLIB.entry_finding(
                    entry,
                    f"{module} hides the module of the standard library of Python {major}.{minor},"
                    f" and fails: {failure}",
                    hint=_exclude_hint(context, entry),
                )
                continue
            hidden = f"a module of the standard library of Python {major}.{minor}"
        elif module in runtime:
            rule, hint = SHADOWS_RUNTIME, "remove it: the runtime has its own"
            hidden = f"a module that {context.target.runtime_name} uses to call the handler"
        else:
            continue
        if entry.owner:
            hint = _exclude_hint(context, entry)
        yield rule.entry_finding(
            entry, f"{module} is {hidden}; the one in the package hides it", hint=hint
        )


def _find_failure(context: CheckContext, module: str) -> str | None:
    from crossdeps.verify.dependency_source import (  # noqa: PLC0415 - rare
        find_import_failure,
    )

    return find_import_failure(context.index_modules(), module)


def _exclude_hint(context: CheckContext, entry: Entry) -> str:
    return f"build without it: {context.build_command} --exclude-project {entry.owner}"


def _find_top_level(context: CheckContext) -> dict[str, Entry]:
    """Map each top-level module or package that can hide others to one of its files.

    A folder without ``__init__`` hides nothing: namespace packages come last (PEP 420).
    """
    found: dict[str, Entry] = {}
    for path, entry in context.package_files.items():
        is_code = path.endswith((".py", ".pyc", ".so")) and path.count("/") < 2
        parsed = parse_module_path(path) if is_code else None
        if parsed and "." not in parsed.name:
            if parsed.is_package:
                found[parsed.name] = entry
            else:
                found.setdefault(parsed.name, entry)
    return found


def check_case(context: CheckContext) -> Iterator[Finding]:
    """Check that no two paths are equal on a case-insensitive file system."""
    folded = [entry.path.casefold() for entry in context.bundle.entries]
    if len(set(folded)) == len(folded):
        return
    by_folded_path: dict[str, list[Entry]] = defaultdict(list)
    for entry, path in zip(context.bundle.entries, folded, strict=True):
        by_folded_path[path].append(entry)
    for _, entries in sorted(by_folded_path.items()):
        if len(entries) > 1:
            paths = join_words([entry.path for entry in entries])
            yield CASE_COLLISION.entry_finding(entries[0], f"{paths} differ only in case")
