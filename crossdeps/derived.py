"""Derived values: what was computed from other things, kept under the digest of these.

They save time and prove nothing: an entry that is absent, damaged, cut, or stored under another key
counts as missing, and what it held is computed again. An entry is a file that is written aside and
renamed, so that processes and threads may share a cache. It holds::

    a magic word, SHA-256 of the rest
    SHA-256 of the key, and the value
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from crossdeps.fs import (
    atomic_write,
    belongs_to_another,
    list_entries,
    make_private_directory,
    mark_used,
    remove_unused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIRECTORY: Final = "derived"
_MAGIC: Final = b"crossdeps-derived-1\n"
_DIGEST_BYTES: Final = 32
_START: Final = len(_MAGIC) + _DIGEST_BYTES


class DerivedCache:
    """A directory of derived values. Safe for threads and processes.

    A kind is a word, with a number that changes when the encoding of its values or the way in which
    they are computed does: an entry of another version of crossdeps is never misread.

    :param root: the cache directory, created when the first value is stored; None keeps nothing
    """

    def __init__(self, root: Path | None) -> None:
        # Values of another user could claim anything.
        ignored = root is None or belongs_to_another(root)
        self._base = None if ignored or root is None else root / _DIRECTORY
        self._writable = True

    def read(self, kind: str, key: str) -> bytes | None:
        """Return the value of *key*; None if there is none."""
        if self._base is None:
            return None
        digest = _hash_key(kind, key)
        path = _path(self._base, kind, digest)
        try:
            with path.open("rb", buffering=0) as file:
                data = file.read()
                mark_used(path, os.fstat(file.fileno()))
        except OSError:
            return None
        body = memoryview(data)[_START:]
        if data[:_START] != _MAGIC + hashlib.sha256(body).digest():
            return None
        if body[:_DIGEST_BYTES] != digest:
            return None
        return bytes(body[_DIGEST_BYTES:])

    def write(self, kind: str, key: str, value: bytes) -> None:
        """Keep *value* under *key*. Errors are ignored: the value can be computed again."""
        if self._base is None or not self._writable:
            return
        digest = _hash_key(kind, key)
        body = digest + value
        try:
            path = _path(self._base, kind, digest)
            make_private_directory(path.parent)
            # Not synced: after a power failure a torn entry fails its checksum.
            with atomic_write(path) as file:
                file.write(_MAGIC + hashlib.sha256(body).digest())
                file.write(body)
        except OSError:
            self._writable = False

    def usage(self) -> dict[str, tuple[int, int]]:
        """The number of entries and their bytes, under one name for all kinds."""
        sizes = [stat.st_size for _, stat in self._entries()]
        return {_DIRECTORY: (len(sizes), sum(sizes))}

    def prune(self, *, unused_days: float) -> int:
        """Remove entries that were last used longer ago than this; return the bytes freed."""
        return remove_unused(self._entries(), unused_days=unused_days)

    def clear(self) -> int:
        """Remove every entry; return the bytes freed."""
        return self.prune(unused_days=float("-inf"))

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        return iter(()) if self._base is None else list_entries(self._base, "*/*/*")


def _hash_key(kind: str, key: str) -> bytes:
    return hashlib.sha256(f"{kind}\n{key}".encode("utf-8", "surrogatepass")).digest()


def _path(base: Path, kind: str, digest: bytes) -> Path:
    name = digest.hex()
    return base / kind / name[:2] / name[2:]
