"""What the native binaries of an artifact need, in a few words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.binaries import BinaryFacts

    Number = tuple[int, ...]

_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
# Marks that stand for a version of glibc: the first release that has each.
_MARKS = {"GLIBC_ABI_DT_RELR": (2, 36), "GLIBC_ABI_GNU2_TLS": (2, 42)}
_SYSTEMS = {"elf": "", "mach-o": "macOS ", "pe": "Windows "}
_LOADED = {"shared", "executable"}


def machines_of(binaries: Iterable[BinaryFacts]) -> tuple[str, ...]:
    """The machines that *binaries* are for, sorted: ``x86_64``, ``macOS arm64``, ``Windows i386``.

    Object files and code for other processors than the one that runs Python aren't counted.
    """
    return tuple(sorted({_machine(facts) for facts in binaries if is_loaded(facts)}))


def needed_glibc(binaries: Iterable[BinaryFacts]) -> str:
    """The oldest glibc that has every symbol version that *binaries* need.

    :returns: such as ``2.17``; empty where none needs any
    """
    numbers = [
        number
        for facts in binaries
        if is_loaded(facts)
        for _, names in facts.versions
        for name in names
        if (number := _number(name))
    ]
    return ".".join(map(str, max(numbers))) if numbers else ""


def is_loaded(facts: BinaryFacts) -> bool:
    """Whether it is a library, an extension module or a program, and not damaged."""
    return not facts.problem and (facts.format != "elf" or facts.kind in _LOADED)


def _machine(facts: BinaryFacts) -> str:
    return f"{_SYSTEMS[facts.format]}{facts.machine}"


def _number(name: str) -> Number | None:
    match = _GLIBC.fullmatch(name)
    return tuple(int(part) for part in match[1].split(".")) if match else _MARKS.get(name)
