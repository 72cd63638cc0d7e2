"""The table of rules: their order, their checks, and their reference page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify import (
    installed_files,
    layers,
    layout,
    linking,
    machine,
    paths,
    projects,
    records,
    size,
    source,
)
from crossdeps.verify.context import CheckContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crossdeps.bundle.model import Bundle
    from crossdeps.derived import DerivedCache
    from crossdeps.finding import Finding
    from crossdeps.target.model import Target
    from crossdeps.verify.model import Ignore, Rule, RuntimeContext

CHECKS: tuple[Callable[[CheckContext], Iterator[Finding]], ...] = (
    machine.check_binaries,
    machine.check_python_symbols,
    machine.check_module_names,
    linking.check_symbol_versions,
    linking.check_needed_libraries,
    projects.check_wheel_tags,
    projects.check_requires_python,
    projects.check_requirements,
    layers.check_layer_versions,
    projects.check_requirement_lines,
    projects.check_split_sdk,
    records.check_records,
    records.check_unrecorded,
    installed_files.check_unzipped_wheels,
    installed_files.check_pth_files,
    installed_files.check_scripts,
    installed_files.check_bytecode_only,
    installed_files.check_bytecode,
    layout.check_layout,
    layers.check_hidden_packages,
    paths.check_modes,
    paths.check_shadowing,
    paths.check_case,
    source.check_handler,
    source.check_imports,
    source.check_dependencies,
    size.check_size,
)

# In the order of the reference, which is that of findings of the same severity.
RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        layout.NOTHING_IMPORTABLE,
        layout.OTHER_PYTHON_LAYER,
        layout.NOT_ON_IMPORT_PATH,
        machine.WRONG_MACHINE,
        machine.WRONG_EXTENSION,
        machine.WRONG_LIBC,
        machine.DAMAGED_BINARY,
        machine.MISSING_SYMBOL,
        machine.RENAMED_MODULE,
        linking.GLIBC_TOO_OLD,
        linking.SYMBOL_TOO_NEW,
        linking.MISSING_LIBRARY,
        linking.ABSENT_LIBRARY,
        linking.UNKNOWN_LIBRARY,
        projects.WRONG_WHEEL,
        projects.WHEEL_TAG,
        projects.REQUIRES_PYTHON,
        projects.UNMET_REQUIREMENT,
        projects.WRONG_VERSION,
        layers.LAYER_VERSION,
        projects.UNREADABLE_METADATA,
        records.RECORD_MISSING,
        records.RECORD_CHANGED,
        records.RECORD_ABSENT,
        records.RECORD_UNLISTED,
        installed_files.UNZIPPED_WHEEL,
        installed_files.UNINSTALLED_DATA,
        layers.HIDDEN_PACKAGE,
        paths.UNREADABLE_MODE,
        paths.BREAKS_STDLIB,
        paths.SHADOWS_STDLIB,
        paths.SHADOWS_RUNTIME,
        paths.CASE_COLLISION,
        installed_files.EDITABLE_INSTALL,
        installed_files.STARTUP_CODE,
        installed_files.HOST_SCRIPT,
        installed_files.BYTECODE_ONLY,
        installed_files.BYTECODE,
        source.HANDLER_MODULE,
        source.HANDLER_FUNCTION,
        source.SOURCE_SYNTAX,
        source.MISSING_IMPORT,
        source.MISSING_LATER_IMPORT,
        source.UNREAD_SOURCE,
        projects.SPLIT_SDK,
        size.TOO_LARGE,
    )
}


def verify(
    bundle: Bundle,
    target: Target,
    *,
    ignore: Iterable[Ignore] = (),
    expected_missing: Iterable[str] = (),
    runtime_context: RuntimeContext | None = None,
    cache: DerivedCache | None = None,
) -> tuple[Finding, ...]:
    """Check *bundle* for problems that it will have on *target*.

    :param ignore: patterns of findings to leave out
    :param expected_missing: normalized names of projects that will be on the target although they
        are not in the bundle, such as those left out on purpose, besides those of the runtime
    :param runtime_context: layers, what the runtime provides, and the handler
    :param cache: keeps what the code of a wheel uses
    :returns: errors first, then in the order of the reference, then by path
    :raises ArtifactReadError: if a file of the bundle cannot be read again
    """
    ignored = tuple(ignore)
    order = {rule: position for position, rule in enumerate(RULES)}
    with CheckContext(
        bundle,
        target,
        expected_missing=frozenset(expected_missing),
        runtime_context=runtime_context,
        ignored=ignored,
        cache=cache,
    ) as context:
        findings = [finding for check in CHECKS for finding in check(context)]
    explained = {(finding.rule, finding.owner) for finding in findings}
    kept = (
        finding
        for finding in findings
        if explained.isdisjoint((id_, finding.owner) for id_ in RULES[finding.rule].explained_by)
        and not context.ignores(finding)
    )
    return tuple(
        sorted(
            kept,
            key=lambda item: (item.severity != "error", order[item.rule], item.path, item.message),
        )
    )


_INTRODUCTION = """\
# Rules of `crossdeps check`

Each finding shows its rule in brackets. An **error** will fail on the target: the command exits
with 7. A **warning** may fail, or has a cost: the exit code stays 0, unless `--strict` is given.
`--ignore RULE` ignores the findings of a rule, `--ignore 'RULE:GLOB'` those with a matching path.

The same rules run at the end of `crossdeps build`, before anything is written.

A foreign binary is a finding only where the target would load it. Windows launchers, sets of
helpers for each platform, and modules for another Python whose source is also there are not
reported.
"""


def render_reference(rules: Iterable[Rule]) -> str:
    """Render the reference in Markdown: the table of rules, then each rule in detail."""
    rules = list(rules)
    table = ["| rule | severity | what it finds |", "|---|---|---|"]
    table += [
        f"| [`{rule.id}`](#rule-{rule.id}) | {rule.severity} | {rule.title} |" for rule in rules
    ]
    sections = [
        f"(rule-{rule.id})=\n"
        f"## `{rule.id}`\n\n"
        f"{rule.title[0].upper()}{rule.title[1:]}: {rule.severity}.\n\n"
        f"**Symptom.** {rule.symptom}\n\n"
        f"**Cause.** {rule.cause}\n\n"
        f"**Remedy.** {rule.remedy}\n"
        for rule in rules
    ]
    return "\n".join([_INTRODUCTION, "\n".join(table), "", *sections])
