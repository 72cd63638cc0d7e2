"""Binaries for another machine, another system or another Python, and broken ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.native import linked_libc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.verify.context import CheckContext

WRONG_MACHINE = Rule(
    id="wrong-machine",
    severity="error",
    title="a binary for another machine or operating system",
    symptom=(
        "Import fails: `invalid ELF header`, `wrong ELF class`, `cannot open shared object file`,"
        " or `Cannot load native module` from packages that load their libraries themselves."
    ),
    cause=(
        "The package was installed on, or for, another machine: pip chooses wheels for the machine"
        " it runs on, such as a Mac or an ARM laptop."
    ),
    remedy="Build for the target: `crossdeps build` with its `--arch` and `--runtime`.",
)
WRONG_EXTENSION = Rule(
    id="wrong-extension",
    severity="error",
    title="an extension module for another Python",
    symptom="`ModuleNotFoundError` or `ImportError` for a module whose file is plainly there.",
    cause=(
        "Python looks for extension modules by a suffix that names its own version and platform"
        " (PEP 3149). The package was installed by another Python than the target's."
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
    title="a shared library that can't be read",
    symptom="`file too short`, `invalid ELF header` or `ELF load command past end of file`.",
    cause="The file was cut short or changed on its way, or stripped by a tool that broke it.",
    remedy="Build the package anew from verified wheels.",
)

_FORMATS = {"elf": "an ELF", "mach-o": "a Mach-O (macOS)", "pe": "a PE (Windows)"}


def check_machine(context: CheckContext) -> Iterator[Finding]:
    """Every binary that would be loaded is for the target's machine and system."""
    for native in context.natives:
        if native.standing == "foreign":
            yield WRONG_MACHINE.finding(
                f"{native.path} is {_what(native.facts, context.target.arch)};"
                f" the target needs {_wanted(native.facts, context.target.arch)}",
                path=native.entry.path,
                owner=native.entry.owner,
                hint=f"build for the target: {context.build_command}",
            )


def check_damage(context: CheckContext) -> Iterator[Finding]:
    """Every shared library can be read as far as the loader will read it."""
    for native in context.natives:
        if native.standing == "damaged":
            yield DAMAGED_BINARY.finding(
                f"{native.path} is a damaged ELF binary: {native.facts.problem}",
                path=native.entry.path,
                owner=native.entry.owner,
                hint=f"build it anew: {context.build_command}",
            )


def check_extensions(context: CheckContext) -> Iterator[Finding]:
    """Every extension module has a name that the target's Python looks for."""
    target = context.target
    for native in context.natives:
        if native.standing == "unimportable" and native.extension:
            major, minor = target.python_version
            build = "t" if target.free_threaded else ""
            yield WRONG_EXTENSION.finding(
                f"{native.path} is an extension module for {native.extension.describe};"
                f" the target is CPython {major}.{minor}{build} on {target.arch}",
                path=native.entry.path,
                owner=native.entry.owner,
                hint=f"build for the target: {context.build_command}",
            )


def check_libc(context: CheckContext) -> Iterator[Finding]:
    """Every binary is linked with the C library that the target has."""
    libc = context.target.libc
    for native in context.natives:
        if native.standing != "fits":
            continue
        linked = linked_libc(native.facts)
        if linked not in {None, libc.kind}:
            yield WRONG_LIBC.finding(
                f"{native.path} is linked with {linked}; the target has {libc}",
                path=native.entry.path,
                owner=native.entry.owner,
                hint=f"build for the target: {context.build_command}",
            )


def _what(facts: BinaryFacts, arch: str) -> str:
    kind = _FORMATS[facts.format]
    if facts.format == "elf" and facts.machine == arch and facts.bits != 64:
        return f"{kind} binary of {facts.bits} bits"
    if facts.format == "elf" and facts.machine == arch:
        return f"{kind} binary of the other byte order"
    return f"{kind} binary for {facts.machine}"


def _wanted(facts: BinaryFacts, arch: str) -> str:
    if facts.format != "elf":
        return f"ELF (Linux) for {arch}"
    if facts.machine == arch and facts.bits != 64:
        return "64 bits"
    return arch
