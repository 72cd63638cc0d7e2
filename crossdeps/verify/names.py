"""Names that hide other modules, or that some file systems can't tell apart; modes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.text import join_words
from crossdeps.verify.images import runtime_modules
from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.module_names import stdlib_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.context import CheckContext

SHADOWS_STDLIB = Rule(
    id="shadows-stdlib",
    severity="warning",
    title="a module with the name of a standard library module",
    symptom="`AttributeError` or `ImportError` from modules that have nothing to do with it.",
    cause=(
        "The package's folder comes before the standard library on Lambda's import path, so the"
        " module is imported in its place: an old backport (enum34, typing, dataclasses), or a"
        " file of one's own called queue.py or types.py."
    ),
    remedy="Leave the backport out, or rename the file.",
)
SHADOWS_RUNTIME = Rule(
    id="shadows-runtime",
    severity="warning",
    title="a module with the name of one with which the runtime calls the handler",
    symptom="The function fails before the handler is reached, or after a runtime update.",
    cause="awslambdaric was installed into the package; it is meant for container images.",
    remedy="Leave it out of packages for hosted runtimes.",
)
CASE_COLLISION = Rule(
    id="case-collision",
    severity="warning",
    title="paths that differ only in case",
    symptom="None on Linux; unpacked on macOS or Windows, one of the files is lost.",
    cause="A project ships both, or two projects use the same name in different case.",
    remedy="Don't unpack the artifact on such a file system to deploy it from there.",
)
UNREADABLE_MODE = Rule(
    id="unreadable-mode",
    severity="error",
    title="a file that the target's user may not read",
    symptom="`PermissionError: [Errno 13] Permission denied`, or `ModuleNotFoundError`.",
    cause=(
        "The host runs functions as another user than the owner of the files; the file has no read"
        " permission for others (a strict umask, or a zip written with mode 0600)."
    ),
    remedy="Give files mode 0644, programs 0755: `chmod -R go+rX`; crossdeps always does.",
)


def check_shadowing(context: CheckContext) -> Iterator[Finding]:
    """No top-level module hides one of the standard library or the runtime."""
    major, minor = context.target.python_version
    stdlib = stdlib_modules((major, minor))
    runtime = runtime_modules(context.target)
    for module, entry in sorted(_top_level(context).items()):
        if module in stdlib:
            yield SHADOWS_STDLIB.finding(
                f"{module} is a module of the standard library of Python {major}.{minor};"
                " the one in the package hides it",
                path=entry.path,
                owner=entry.owner,
                hint=_without(context, entry.owner) or "rename it",
            )
        elif module in runtime:
            yield SHADOWS_RUNTIME.finding(
                f"{module} is a module with which {context.target.runtime_name} calls the handler;"
                " the one in the package hides it",
                path=entry.path,
                owner=entry.owner,
                hint=_without(context, entry.owner) or "leave it out: the runtime has its own",
            )


def _without(context: CheckContext, owner: str | None) -> str | None:
    return f"build without it: {context.build_command} --exclude-project {owner}" if owner else None


def _top_level(context: CheckContext) -> dict[str, Entry]:
    """Each top-level module or package that hides others, with one of its files.

    A folder without __init__ hides nothing: a namespace package comes last (PEP 420).
    """
    found: dict[str, Entry] = {}
    for entry in context.bundle.entries:
        inside = context.inside(entry.path)
        if inside is None:
            continue
        first, _, rest = inside.partition("/")
        stem, dot, suffix = first.partition(".")
        module = stem if (dot and suffix in {"py", "pyc"}) or suffix.endswith("so") else ""
        if rest in {"__init__.py", "__init__.pyc"} and not dot:
            found[first] = entry
        elif not rest and module.isidentifier():
            found.setdefault(module, entry)
    return found


def check_case(context: CheckContext) -> Iterator[Finding]:
    """No two paths are the same where case doesn't count."""
    folded: dict[str, list[Entry]] = defaultdict(list)
    for entry in context.bundle.entries:
        folded[entry.path.casefold()].append(entry)
    for _, entries in sorted(folded.items()):
        if len(entries) > 1:
            names = join_words([entry.path for entry in entries])
            yield CASE_COLLISION.finding(
                f"{names} differ only in case", path=entries[0].path, owner=entries[0].owner
            )


def check_modes(context: CheckContext) -> Iterator[Finding]:
    """Every file may be read by everybody.

    A mode of 0 comes from a zip written without Unix modes; unzipping gives those a usable one.
    """
    for entry in context.bundle.entries:
        mode = entry.mode & 0o777
        if mode and not mode & 0o004:
            yield UNREADABLE_MODE.finding(
                f"{entry.path} has mode {mode:04o}; others may not read it",
                path=entry.path,
                owner=entry.owner,
                hint=f"chmod -R go+rX, or build it anew: {context.build_command}",
            )
