"""Facts about one native binary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BinaryFormat = Literal["elf", "mach-o", "pe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BinaryFacts:
    """What a native binary says of itself, whatever its file name says.

    :param format: ELF, Mach-O or PE
    :param machine: ``x86_64``, ``aarch64``, or the format's own name for others (``i386``,
        ``arm``, ``EM_183``); for a fat Mach-O the names joined by ``+``
    :param bits: 32 or 64; 0 where a fat file has both
    :param kind: ELF type (``shared``, ``executable``, ``relocatable``, ``core``), empty elsewhere
    :param little_endian: byte order
    :param interpreter: PT_INTERP, such as ``/lib/ld-musl-x86_64.so.1``
    :param soname: DT_SONAME
    :param needed: DT_NEEDED, in file order
    :param rpaths: DT_RUNPATH, or DT_RPATH where there is none, split at ``:``
    :param versions: for each needed library the symbol versions required of it, sorted
        (``libc.so.6`` -> ``("GLIBC_2.14", "GLIBC_2.17")``)
    :param defined_versions: symbol versions that it defines itself
    :param python_symbols: undefined symbols that start with ``Py`` or ``_Py``, sorted
    :param problem: why it couldn't be read wholly; empty where it could
    """

    format: BinaryFormat
    machine: str
    bits: int
    kind: str = ""
    little_endian: bool = True
    interpreter: str | None = None
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpaths: tuple[str, ...] = ()
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    defined_versions: tuple[str, ...] = ()
    python_symbols: tuple[str, ...] = ()
    problem: str = ""
