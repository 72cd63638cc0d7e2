"""Rules on binaries for another machine, system, Python or C library, and on damaged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    cause="The file was truncated or modified in transit, or corrupted by a tool such as `strip`.",
    remedy="Rebuild the package from verified wheels.",
)

_FORMATS = {"elf": "an ELF", "mach-o": "a Mach-O (macOS)", "pe": "a PE (Windows)"}


def check_binaries(context: CheckContext) -> Iterator[Finding]:
    """Check that the target can load every binary that it would try to load."""
    for native in context.native_files:
        problem = _find_problem(native, context.target)
        if problem:
            rule, text = problem
            yield rule.entry_finding(native.entry, f"{native.path} {text}", hint=context.build_hint)


def _find_problem(native: NativeFile, target: Target) -> tuple[Rule, str] | None:
    facts = native.facts
    if native.load_status == "foreign":
        described, required = _describe_mismatch(facts, target.arch)
        return WRONG_MACHINE, f"is {described}; the target needs {required}"
    if native.load_status == "damaged":
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
