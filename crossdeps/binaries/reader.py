"""Tells what a file is by its first bytes, and hands it to the reader of that format."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from crossdeps.binaries import elf, macho, pe
from crossdeps.binaries.window import Window

if TYPE_CHECKING:
    from crossdeps.binaries.model import BinaryFacts

HEAD_SIZE = 8


def is_binary_head(head: bytes) -> bool:
    """Whether a file that starts with *head* may be a native binary, and is worth reading.

    :param head: the first bytes; four decide all but one case, eight decide that too: a Java class
        file starts with the magic number of a universal Mach-O file
    """
    return head.startswith((elf.MAGIC, pe.MAGIC)) or macho.is_macho_head(head)


def read_binary(source: bytes | BinaryIO) -> BinaryFacts | None:
    """The facts of a native binary, or None where the bytes aren't one.

    Static archives, COFF objects, Java classes and a text that happens to start with ``MZ``
    aren't native binaries. Damaged ones are, with the damage in ``problem``.

    :param source: the whole bytes, or a seekable stream, which is read only where needed, from its
        very start whatever its position
    """
    window = Window(source)
    head = window.head(HEAD_SIZE)
    if head.startswith(elf.MAGIC):
        return elf.read_elf(window)
    if macho.is_macho_head(head):
        return macho.read_macho(window)
    if head.startswith(pe.MAGIC):
        return pe.read_pe(window)
    return None
