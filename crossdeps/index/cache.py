"""The heads of kept pages to bytes and back.

msgspec learns a type when it first meets it, and two threads that make it learn the same one at
once crash the process: encoder and decoder are made here, once, under Python's import lock.

Every entry is a file with its own checksums, written aside and renamed, so that a cut, flipped or
half-written entry is the same as none. A place that can't be used is worked without.

::

    a magic word, SHA-256 of the head's length and the head, that length (4 bytes, big-endian)
    the head: SHA-256 of the body, then for a page all but its body as msgpack
    the body
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from crossdeps.fs import atomic_write, belongs_to_another, make_private_directory
from crossdeps.index.model import CachedPage, PageHead
from crossdeps.text import read_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(CachedPage)


def encode_page(page: CachedPage) -> bytes:
    """A page as bytes."""
    return _ENCODER.encode(page)


def decode_page(data: bytes) -> CachedPage | None:
    """The page in *data*; None where there is none."""
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None


# Changes with the layout of entries: those of another version are never looked at.
_LAYOUT = "v2"
_MAGIC = b"crossdeps-index-2\n"
_DIGEST_BYTES = 32
_START = len(_MAGIC) + _DIGEST_BYTES + 4
_LARGEST_HEAD = 16 << 10
_LARGEST_ENTRY = 200 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheSize:
    """What a cache holds.

    :param size: bytes
    """

    entries: int
    size: int


class IndexCache:
    """A directory of pages and metadata, private to its user. Safe for threads and processes.

    :param root: made, with mode 0700, when something is first kept
    :param warn: told once, when the place can't be used
    """

    def __init__(self, root: Path, warn: Callable[[str], None]) -> None:
        self._root = root / _LAYOUT
        self._place = root
        self._warn = warn
        self._writable = True
        self._readable = self._is_ours()

    def _is_ours(self) -> bool:
        """Refuse a directory of somebody else: its entries could say anything."""
        if not belongs_to_another(self._place):
            return True
        self._writable = False
        self._warn(f"the cache {self._place} belongs to another user, and isn't used")
        return False

    def page(self, url: str) -> CachedPage | None:
        """What is kept of the page asked for at *url* (without credentials)."""
        found = self._read(self._page_path(url))
        if found is None:
            return None

        page = decode_page(found[0])
        return replace(page, body=found[1]) if page is not None else None

    def page_head(self, url: str) -> PageHead | None:
        """What is kept of the page asked for at *url*, without reading its body."""
        head = self._read_head(self._page_path(url))
        if head is None:
            return None

        page = decode_page(head[_DIGEST_BYTES:])
        return PageHead(page=page, body_sha256=head[:_DIGEST_BYTES]) if page is not None else None

    def keep_page(self, url: str, page: CachedPage) -> None:
        """Keep a page under the URL that was asked for."""
        self._write(self._page_path(url), page.body, encode_page(replace(page, body=b"")))

    def touch_page(self, url: str) -> None:
        """Say that what is kept of a page is still of use, so that pruning spares it."""
        with contextlib.suppress(OSError):
            os.utime(self._page_path(url))

    def metadata(self, url: str, sha256: str) -> bytes | None:
        """METADATA of the file with this hash, as the origin of *url* gave it."""
        found = self._read(self._metadata_path(url, sha256))
        return found[1] if found is not None else None

    def keep_metadata(self, url: str, sha256: str, data: bytes) -> None:
        """Keep METADATA; the same file never has another."""
        self._write(self._metadata_path(url, sha256), data)

    def _page_path(self, url: str) -> Path:
        return self._path("pages", url)

    def _metadata_path(self, url: str, sha256: str) -> Path:
        # An origin vouches only for itself: what one says of a file isn't told to another.
        return self._path("metadata", f"{read_origin(url)} {sha256}")

    def _path(self, kind: str, key: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self._root / kind / name[:2] / name[2:]

    def _read_head(self, path: Path) -> bytes | None:
        if not self._readable:
            return None
        try:
            with path.open("rb", buffering=0) as file:
                return _head_of(file.read(_LARGEST_HEAD))
        except OSError:
            return None

    def _read(self, path: Path) -> tuple[bytes, bytes] | None:
        """What the head says beside the body's hash, and the body."""
        if not self._readable:
            return None
        try:
            with path.open("rb", buffering=0) as file:
                head = _head_of(file.read(_LARGEST_HEAD))
                if head is None:
                    return None
                if os.fstat(file.fileno()).st_size > _LARGEST_ENTRY:
                    return None
                file.seek(_START + len(head))
                body = file.read()
        except OSError:
            return None
        if head[:_DIGEST_BYTES] != hashlib.sha256(body).digest():
            return None
        return head[_DIGEST_BYTES:], body

    def _write(self, path: Path, body: bytes, more: bytes = b"") -> None:
        if not self._writable:
            return
        try:
            make_private_directory(path.parent)
            # Not synced: after a power loss a torn entry fails its checksum.
            with atomic_write(path) as file:
                head = hashlib.sha256(body).digest() + more
                sized = len(head).to_bytes(4, "big") + head
                file.write(_MAGIC + hashlib.sha256(sized).digest() + sized)
                file.write(body)
        except OSError as error:
            self._writable = False
            self._warn(f"the cache {self._place} can't be written ({error.strerror}), and isn't")

    def size(self) -> CacheSize:
        """Count entries and bytes."""
        sizes = [stat.st_size for _, stat in self._entries()]
        return CacheSize(entries=len(sizes), size=sum(sizes))

    def prune(self, *, older_than: float) -> CacheSize:
        """Remove entries that weren't written for *older_than* seconds; returns what went."""
        before = time.time() - older_than
        removed = []
        for path, stat in self._entries():
            if stat.st_mtime < before:
                with contextlib.suppress(OSError):
                    path.unlink()
                    removed.append(stat.st_size)
        return CacheSize(entries=len(removed), size=sum(removed))

    def clear(self) -> CacheSize:
        """Remove every entry, those of other versions included; returns what went."""
        return self.prune(older_than=float("-inf"))

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        if not self._readable:
            return
        for kind in ("pages", "metadata"):
            for path in sorted(self._place.glob(f"v*/{kind}/*/*")):
                with contextlib.suppress(OSError):
                    yield path, path.stat()


def _head_of(data: bytes) -> bytes | None:
    """The head of an entry of which *data* is the beginning; None where it isn't one."""
    size = int.from_bytes(data[_START - 4 : _START], "big")
    head = data[_START : _START + size]
    sized = data[_START - 4 : _START] + head
    whole = len(head) == size >= _DIGEST_BYTES
    if not whole or data[: _START - 4] != _MAGIC + hashlib.sha256(sized).digest():
        return None
    return head
