"""What reading an artifact gives, before its files are told apart by project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from crossdeps.binaries import is_binary_head, read_binary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crossdeps.binaries import BinaryFacts
    from crossdeps.bundle.model import BundleKind, Entry

_IN_MEMORY = 16 << 20
_HEAD = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An artifact's files.

    :param compressed: bytes of each path in a zip
    """

    kind: BundleKind
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()
    compressed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What reading a file's bytes once tells."""

    size: int
    sha256: str
    binary: BinaryFacts | None


def read_facts(chunks: Iterable[bytes]) -> Facts:
    """Hash *chunks*, and read them as a native binary if they start like one.

    At most 16 MiB of a binary are held in memory; a larger one goes to a temporary file.
    """
    digest = hashlib.sha256()
    size = 0
    head = b""
    binary = None
    pending = iter(chunks)
    for chunk in pending:
        digest.update(chunk)
        size += len(chunk)
        head += chunk
        if len(head) >= _HEAD:
            break
    if is_binary_head(head[:_HEAD]):
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            file.write(head)
            for chunk in pending:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            binary = read_binary(cast("BinaryIO", file))
    else:
        for chunk in pending:
            digest.update(chunk)
            size += len(chunk)
    return Facts(size=size, sha256=digest.hexdigest(), binary=binary)
