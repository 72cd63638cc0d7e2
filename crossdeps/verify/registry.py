"""All rules, in the order in which they are checked and documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify import installed_files as bytecode
from crossdeps.verify import installed_files as records
from crossdeps.verify import installed_files as startup
from crossdeps.verify import linking as libraries
from crossdeps.verify import linking as symbols
from crossdeps.verify import machine, names, projects, size
from crossdeps.verify import projects as requirements
from crossdeps.verify import projects as sdk
from crossdeps.verify import source as handler
from crossdeps.verify import source as source_imports
from crossdeps.verify.context import CheckContext
from crossdeps.verify.model import Ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crossdeps.bundle.model import Bundle
    from crossdeps.target.model import Target
    from crossdeps.verify.model import Finding, Rule, RuntimeContext

CHECKS: tuple[Callable[[CheckContext], Iterator[Finding]], ...] = (
    machine.check_machine,
    machine.check_damage,
    machine.check_extensions,
    machine.check_libc,
    symbols.check_symbol_versions,
    libraries.check_needed_libraries,
    projects.check_wheel_tags,
    projects.check_requires_python,
    requirements.check_requirements,
    requirements.check_requirement_lines,
    records.check_records,
    names.check_modes,
    names.check_shadowing,
    names.check_case,
    startup.check_pth_files,
    startup.check_scripts,
    bytecode.check_bytecode_only,
    bytecode.check_bytecode,
    handler.check_handler,
    source_imports.check_imports,
    sdk.check_split_sdk,
    size.check_size,
)

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        machine.WRONG_MACHINE,
        machine.WRONG_EXTENSION,
        machine.WRONG_LIBC,
        machine.DAMAGED_BINARY,
        symbols.GLIBC_TOO_OLD,
        symbols.SYMBOL_TOO_NEW,
        libraries.MISSING_LIBRARY,
        libraries.ABSENT_LIBRARY,
        libraries.UNKNOWN_LIBRARY,
        projects.WRONG_WHEEL,
        projects.WHEEL_TAG,
        projects.REQUIRES_PYTHON,
        requirements.UNMET_REQUIREMENT,
        requirements.WRONG_VERSION,
        projects.UNREADABLE_METADATA,
        records.RECORD_MISSING,
        records.RECORD_CHANGED,
        names.UNREADABLE_MODE,
        names.SHADOWS_STDLIB,
        names.SHADOWS_RUNTIME,
        names.CASE_COLLISION,
        startup.EDITABLE_INSTALL,
        startup.STARTUP_CODE,
        startup.HOST_SCRIPT,
        bytecode.BYTECODE_ONLY,
        bytecode.BYTECODE,
        handler.HANDLER_MODULE,
        handler.HANDLER_FUNCTION,
        source_imports.SOURCE_SYNTAX,
        source_imports.MISSING_IMPORT,
        source_imports.MISSING_LATER_IMPORT,
        source_imports.UNREAD_SOURCE,
        sdk.SPLIT_SDK,
        size.TOO_LARGE,
    )
}


def verify(
    bundle: Bundle,
    target: Target,
    *,
    ignore: Iterable[Ignore] = (),
    assumed: Iterable[str] = (),
    runtime_context: RuntimeContext | None = None,
) -> tuple[Finding, ...]:
    """Everything about *bundle* that its user should know before it runs on *target*.

    :param ignore: what the user doesn't want to hear of
    :param assumed: normalised names of projects that will be on the target although the bundle
        doesn't have them, such as those left out on purpose; what the target's runtime provides
        is assumed anyway
    :param runtime_context: layers, what the runtime has, and the handler
    :returns: errors first, then by rule in the order of the reference, then by path
    :raises ArtifactReadError: if a file of the bundle can't be read again
    """
    silenced = tuple(ignore)
    order = {rule: position for position, rule in enumerate(RULES)}
    context = CheckContext(
        bundle, target, assumed=frozenset(assumed), runtime_context=runtime_context
    )
    with context:
        findings = [finding for check in CHECKS for finding in check(context)]
    found = {(finding.rule, finding.owner) for finding in findings}
    told = [
        finding
        for finding in findings
        if not any((rule, finding.owner) in found for rule in RULES[finding.rule].explained_by)
        and not any(item.matches(finding) for item in silenced)
    ]
    return tuple(
        sorted(
            told,
            key=lambda item: (item.severity != "error", order[item.rule], item.path, item.message),
        )
    )


def parse_ignores(texts: Iterable[str]) -> tuple[Ignore, ...]:
    """Read ``RULE`` and ``RULE:GLOB``.

    :raises UsageError: if there is no such rule
    """
    return tuple(Ignore.parse(text, RULES) for text in texts)


_INTRODUCTION = """\
# Rules of `crossdeps check`

Each finding names its rule in brackets. An **error** will fail on the target: the command exits
with 7. A **warning** may fail, or costs something: the exit code stays 0, unless `--strict` is
given. `--ignore RULE` silences a rule, `--ignore 'RULE:GLOB'` only where the path matches.

The same rules run at the end of `crossdeps build`, before anything is written.

A foreign binary counts where the target would load it. Windows launchers, a helper for each
platform side by side, and compiled modules whose Python source is there too are left in peace.
"""


def render_reference(rules: Iterable[Rule]) -> str:
    """The page in Markdown: the table of rules, then each with symptom, cause and remedy."""
    listed = list(rules)
    table = ["| rule | severity | what it finds |", "|---|---|---|"]
    table += [
        f"| [`{rule.id}`](#rule-{rule.id}) | {rule.severity} | {rule.title} |" for rule in listed
    ]
    sections = [
        f"(rule-{rule.id})=\n"
        f"## `{rule.id}`\n\n"
        f"{_sentence(rule.title)}: {rule.severity}.\n\n"
        f"**Symptom.** {rule.symptom}\n\n"
        f"**Cause.** {rule.cause}\n\n"
        f"**Remedy.** {rule.remedy}\n"
        for rule in listed
    ]
    return "\n".join([_INTRODUCTION, "\n".join(table), "", *sections])


def _sentence(title: str) -> str:
    return title[0].upper() + title[1:]
