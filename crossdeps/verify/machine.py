"""Rules on binaries for another machine, system, Python or C library, and on damaged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.text import join_words
from crossdeps.verify.model import Rule
from crossdeps.verify.native import linked_libc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.finding import Finding
    from crossdeps.target.model import Target
    from crossdeps.verify.context import CheckContext
    from crossdeps.verify.native import NativeFile

WRONG_MACHINE = Rule(
    id="wrong-machine",
    severity="error",
    title="a binary for another machine or operating system",
    symptom=(
        "Import fails: `invalid ELF header`, `wrong ELF class`, `cannot open shared object file`,"
        " or `Cannot load native module` from packages that load their libraries themselves."
    ),
    cause=(
        "The package was installed on or for another machine: pip selects wheels for the machine"
        " on which it runs, such as a Mac or an ARM laptop."
    ),
    remedy="Build for the target: `crossdeps build` with its `--arch` and `--runtime`.",
)
WRONG_EXTENSION = Rule(
    id="wrong-extension",
    severity="error",
    title="an extension module for another Python",
    symptom="`ModuleNotFoundError` or `ImportError` for a module whose file exists.",
    cause=(
        "Python looks for extension modules by a suffix that names its own version and platform"
        " (PEP 3149). The package was installed by a different Python from the target's."
    ),
    remedy="Build for the target's Python: `crossdeps build` with its `--python` or `--runtime`.",
)
WRONG_LIBC = Rule(
    id="wrong-libc",
    severity="error",
    title="a binary linked with another C library",
    symptom=(
        "`libc.musl-x86_64.so.1: cannot open shared object file`, or on Alpine"
        " `ld-linux-x86-64.so.2: No such file or directory`."
    ),
    cause="The package was installed in an Alpine image (musl) for a glibc machine, or vice versa.",
    remedy="Build for the target's C library, which `crossdeps build` does by default.",
)
DAMAGED_BINARY = Rule(
    id="damaged-binary",
    severity="error",
    title="a shared library that cannot be read",
    symptom="`file too short`, `invalid ELF header` or `ELF load command past end of file`.",
    cause=(
        "The file was truncated or modified in transit, or corrupted by a tool such as `strip`; or"
        " something else has its name: a pointer of Git LFS, the text of a symbolic link that was"
        " not kept, or a compressed file."
    ),
    remedy="Rebuild the package from verified wheels.",
)

MISSING_SYMBOL = Rule(
    id="missing-python-symbol",
    severity="error",
    title="a binary that needs functions which the target's Python does not have",
    symptom="Import fails: `undefined symbol: PyModule_AddObjectRef`.",
    cause=(
        "The binary was compiled for another Python. The name of an `.abi3.so` file does not say"
        " from which Python on it works, and a plain `.so` names no Python at all."
    ),
    remedy="Build for the target's Python, so that a wheel for it is selected.",
)
RENAMED_MODULE = Rule(
    id="renamed-module",
    severity="error",
    title="an extension module under the name of another one",
    symptom="`ImportError: dynamic module does not define module export function (PyInit_fast)`.",
    cause="The file was renamed or moved, or replaced by another module's.",
    remedy="Rebuild the package from verified wheels.",
)
_MOST_NAMED = 3

_FORMATS = {"elf": "an ELF", "mach-o": "a Mach-O (macOS)", "pe": "a PE (Windows)"}


def check_binaries(context: CheckContext) -> Iterator[Finding]:
    """Check that the target can load every binary that it would try to load."""
    for native in context.native_files:
        problem = _find_problem(native, context.target)
        if problem and native.location not in context.loader.passed_over:
            rule, text = problem
            yield rule.entry_finding(
                native.entry, f"{native.label} {text}", hint=context.build_hint
            )


def _find_problem(native: NativeFile, target: Target) -> tuple[Rule, str] | None:
    facts = native.facts
    if native.load_status == "foreign":
        described, required = _describe_mismatch(facts, target.arch)
        return WRONG_MACHINE, f"is {described}; the target needs {required}"
    if native.load_status == "damaged":
        if not facts.machine:
            return DAMAGED_BINARY, f"cannot be loaded: {facts.problem}"
        return DAMAGED_BINARY, f"is a damaged ELF binary: {facts.problem}"
    if native.load_status == "unimportable" and native.extension:
        major, minor = target.python_version
        python = f"CPython {major}.{minor}{'t' if target.free_threaded else ''}"
        found = native.extension.describe()
        return (
            WRONG_EXTENSION,
            f"is an extension module for {found}; the target is {python} on {target.arch}",
        )
    linked = linked_libc(facts) if native.load_status == "compatible" else None
    if linked not in {None, target.libc.kind}:
        return WRONG_LIBC, f"is linked with {linked}; the target has {target.libc}"
    return None


def _describe_mismatch(facts: BinaryFacts, arch: str) -> tuple[str, str]:
    """Describe a binary for another machine, and what the target requires instead."""
    kind = f"{_FORMATS[facts.format]} binary"
    if facts.format != "elf":
        return f"{kind} for {facts.machine}", f"ELF (Linux) for {arch}"
    if facts.machine != arch:
        return f"{kind} for {facts.machine}", arch
    if facts.bits != 64:
        return f"a {facts.bits}-bit ELF binary", "a 64-bit one"
    return f"{kind} with the wrong byte order", f"little-endian {arch}"


def check_python_symbols(context: CheckContext) -> Iterator[Finding]:
    """Check that the target's Python has each symbol of its C API that a loaded binary needs.

    Python opens extension modules with RTLD_NOW, so that one missing symbol is enough to fail.
    """
    natives = [native for native in context.loader.imported if native.facts.python_symbols]
    if not natives:
        return
    from crossdeps.verify.python_symbols import (  # noqa: PLC0415 - a large table
        find_absent_symbols,
    )

    minor = context.target.python_version[1]
    absent = find_absent_symbols(minor)
    for native in natives:
        missing = [symbol for symbol in native.facts.python_symbols if symbol in absent]
        if not missing:
            continue
        names = missing[:_MOST_NAMED]
        if len(missing) > _MOST_NAMED:
            names = [*names, f"{len(missing) - _MOST_NAMED} more"]
        first, last = absent[missing[0]]
        yield MISSING_SYMBOL.entry_finding(
            native.entry,
            f"{native.label} needs {join_words(names)}, which Python 3.{minor} does not have"
            f" ({missing[0]}: {_describe_versions(first, last)})",
            hint=context.build_hint,
        )


def check_module_names(context: CheckContext) -> Iterator[Finding]:
    """Check that each extension module has the function by which Python initializes it."""
    for native in context.loader.imported:
        modules, extension = native.facts.modules, native.extension
        name = extension.module if extension else ""
        if name == "__init__":
            name = native.folder.rpartition("/")[2]
        if modules and name and name not in modules:
            yield RENAMED_MODULE.entry_finding(
                native.entry,
                f"{native.label} has no function PyInit_{name}: it is the module"
                f" {join_words(modules[:_MOST_NAMED])}",
                hint=context.rebuild_hint,
            )


def _describe_versions(first: int | None, last: int | None) -> str:
    """Describe a range of minor versions of Python 3; None is an open end."""
    if first is None:
        return f"only Python 3.{last} and older"
    if last is None:
        return f"Python 3.{first} and later"
    return f"only Python 3.{first} to 3.{last}" if first != last else f"only Python 3.{first}"
