"""All rules, in the order in which they are checked and documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify import (
    bytecode,
    handler,
    libraries,
    machine,
    names,
    projects,
    records,
    requirements,
    sdk,
    size,
    source_imports,
    startup,
    symbols,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossdeps.verify.model import Finding, Rule
    from crossdeps.verify.scene import Scene

CHECKS: tuple[Callable[[Scene], Iterator[Finding]], ...] = (
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
