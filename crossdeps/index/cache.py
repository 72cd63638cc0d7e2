"""The cache of an index client: pages and metadata in a directory that is private to its user.

Each entry is a file with its own checksums, written atomically; one that is truncated, damaged or
another key's counts as missing. A directory that cannot be used is ignored, with a warning. An
entry holds::

    a magic word
    SHA-256 of the digest of the key, the head's length and the head
    that length (4 bytes, big-endian)
    the head: SHA-256 of the body, then for a page its fields other than the columns, as msgpack
    the body: METADATA, or the columns of a page
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from typing import TYPE_CHECKING

import msgspec

from crossdeps.fs import (
    atomic_write,
    belongs_to_another,
    list_entries,
    make_private_directory,
    mark_used,
    remove_unused,
)
from crossdeps.index.model import read_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# Changes with the layout of entries: those of another version are never read.
_LAYOUT = "v3"
_MAGIC = b"crossdeps-index-3\n"
_DIGEST_BYTES = 32
_START = len(_MAGIC) + _DIGEST_BYTES + 4
_LARGEST_HEAD = 16 << 10
_KINDS = ("pages", "metadata")
_LARGEST_ENTRY = 200 << 20

# Pages are revalidated after this many seconds, whatever the index says, so that new releases and
# yanked files are noticed.
_LONGEST_FRESHNESS = 600


class CachedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page: what it says, and what is needed to use and revalidate it.

    :param url: the final URL, after redirects, without credentials
    :param columns: its files, as :mod:`crossdeps.index.pages.columns` encodes them
    :param etag: for ``If-None-Match``; empty if missing
    :param last_modified: for ``If-Modified-Since``; empty if missing
    :param fetched: seconds since the epoch when it was last fetched or revalidated
    :param fresh_for: seconds after that in which it can be used without revalidation
    :param absent: whether the index answered that it has no such page
    """

    url: str
    columns: bytes = b""
    etag: str = ""
    last_modified: str = ""
    fetched: float
    fresh_for: float
    absent: bool = False

    def is_fresh(self, now: float) -> bool:
        """Whether it can be used without revalidation; False if the clock went backwards."""
        return 0 <= now - self.fetched < self.fresh_for

    def conditions(self) -> dict[str, str]:
        """Headers of a conditional request that revalidates it (RFC 9110, section 13.1)."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value}


class PageHead(msgspec.Struct, frozen=True, kw_only=True):
    """A cached page without its columns.

    :param page: with empty columns
    :param digest: SHA-256 of the columns, in hex
    """

    page: CachedPage
    digest: str

    def matches(self, page: CachedPage) -> bool:
        """Whether storing *page* would change nothing but the time it was fetched."""
        same = msgspec.structs.replace(page, columns=b"", fetched=self.page.fetched) == self.page
        return same and not page.fresh_for and self.digest == digest_columns(page.columns)


def digest_columns(columns: bytes) -> str:
    """The digest of a page: SHA-256 of its columns, in hex."""
    return hashlib.sha256(columns).hexdigest()


def read_freshness(headers: Mapping[str, str]) -> float | None:
    """Seconds for which a response stays fresh (RFC 9111); None if it may not be stored.

    Without ``max-age`` a response is stale at once.
    """
    directives = headers.get("Cache-Control", "").lower()
    if "no-store" in directives:
        return None
    found = re.search(r"(?:^|[\s,])max-age=\"?([0-9]{1,10})", directives)
    if "no-cache" in directives or found is None:
        return 0.0
    age = headers.get("Age", "").strip()
    spent = int(age) if age.isascii() and age.isdigit() and len(age) <= 10 else 0
    return float(max(min(int(found[1]), _LONGEST_FRESHNESS) - spent, 0))


# Created at import time: two threads that have msgspec inspect a type at once crash the process.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(CachedPage)


def encode_page(page: CachedPage) -> bytes:
    """Encode a page as msgpack."""
    return _ENCODER.encode(page)


def decode_page(data: bytes) -> CachedPage | None:
    """Decode a page; None if *data* is not one."""
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None


class IndexCache:
    """A directory of pages and metadata. Safe for threads and processes.

    :param root: created with mode 0700 when the first entry is stored
    :param warn: called once if the directory cannot be used
    """

    def __init__(self, root: Path, warn: Callable[[str], None]) -> None:
        self._root = root
        self._warn = warn
        # Entries of another user could claim anything.
        self._readable = self._writable = not belongs_to_another(root)
        if not self._readable:
            warn(f"the cache directory {root} belongs to another user and is not used")

    @property
    def is_usable(self) -> bool:
        """Whether it can be read, and written as far as is known."""
        return self._readable and self._writable

    def page(self, url: str) -> CachedPage | None:
        """The cached page of the request URL *url* (without credentials)."""
        found = self._read(_Key("pages", url))
        page = decode_page(found[0]) if found is not None else None
        return msgspec.structs.replace(page, columns=found[1]) if found and page else None

    def page_head(self, url: str) -> PageHead | None:
        """The cached page of *url*, without reading its columns."""
        head = self._read_head(_Key("pages", url))
        page = decode_page(head[_DIGEST_BYTES:]) if head else None
        return PageHead(page=page, digest=head[:_DIGEST_BYTES].hex()) if head and page else None

    def store_page(self, url: str, page: CachedPage) -> None:
        """Store a page under the URL that was requested."""
        fields = encode_page(msgspec.structs.replace(page, columns=b""))
        self._write(_Key("pages", url), page.columns, fields)

    def touch_page(self, url: str) -> None:
        """Mark the cached page as used, so that pruning keeps it."""
        mark_used(_Key("pages", url).path(self._root))

    def touch_metadata(self, url: str, sha256: str) -> None:
        """Mark METADATA as used."""
        mark_used(_metadata_key(url, sha256).path(self._root))

    def metadata(self, url: str, sha256: str) -> bytes | None:
        """METADATA of the file with this hash, as the origin of *url* served it."""
        found = self._read(_metadata_key(url, sha256))
        return found[1] if found is not None else None

    def store_metadata(self, url: str, sha256: str, data: bytes) -> None:
        """Store METADATA; that of one file never changes."""
        self._write(_metadata_key(url, sha256), data)

    def _read_head(self, key: _Key) -> bytes | None:
        if not self._readable:
            return None
        path = key.path(self._root)
        try:
            with path.open("rb", buffering=0) as file:
                mark_used(path, os.fstat(file.fileno()))
                return key.parse_head(file.read(_LARGEST_HEAD))
        except OSError:
            return None

    def _read(self, key: _Key) -> tuple[bytes, bytes] | None:
        """The head without the body's hash, and the body."""
        if not self._readable:
            return None
        path = key.path(self._root)
        try:
            with path.open("rb", buffering=0) as file:
                head = key.parse_head(file.read(_LARGEST_HEAD))
                stat = os.fstat(file.fileno())
                if head is None or stat.st_size > _LARGEST_ENTRY:
                    return None
                file.seek(_START + len(head))
                body = file.read()
            mark_used(path, stat)
        except OSError:
            return None
        if head[:_DIGEST_BYTES] != hashlib.sha256(body).digest():
            return None
        return head[_DIGEST_BYTES:], body

    def _write(self, key: _Key, body: bytes, fields: bytes = b"") -> None:
        if not self._writable:
            return
        path = key.path(self._root)
        try:
            make_private_directory(path.parent)
            # Not synced: after a power failure a torn entry fails its checksum.
            with atomic_write(path) as file:
                file.write(key.seal(hashlib.sha256(body).digest() + fields))
                file.write(body)
        except OSError as error:
            self._writable = False
            self._warn(
                f"{self._root} cannot be written ({error.strerror}): downloads are not cached"
            )

    def usage(self) -> dict[str, tuple[int, int]]:
        """The number of entries and their bytes, for pages and for metadata."""
        sizes = {kind: [stat.st_size for _, stat in self._entries(kind)] for kind in _KINDS}
        return {kind: (len(each), sum(each)) for kind, each in sizes.items()}

    def prune(self, *, unused_days: float) -> int:
        """Remove entries that were last used longer ago than this, also those of other layouts.

        :returns: bytes freed
        """
        entries = itertools.chain.from_iterable(map(self._entries, _KINDS))
        return remove_unused(entries, unused_days=unused_days)

    def clear(self) -> int:
        """Remove every entry; return the bytes freed."""
        return self.prune(unused_days=float("-inf"))

    def _entries(self, kind: str) -> Iterator[tuple[Path, os.stat_result]]:
        """The entries of *kind*, without those that another process is writing."""
        return list_entries(self._root, f"v*/{kind}/*/*") if self._readable else iter(())


class _Key:
    """The key of an entry, which is a part of its checksum."""

    def __init__(self, kind: str, key: str) -> None:
        self._kind = kind
        self._digest = hashlib.sha256(f"{kind} {key}".encode("utf-8", "surrogatepass"))

    def path(self, root: Path) -> Path:
        """The path of the entry."""
        name = self._digest.hexdigest()
        return root.joinpath(_LAYOUT, self._kind, name[:2], name[2:])

    def seal(self, head: bytes) -> bytes:
        """The start of the entry with this head."""
        sized_head = len(head).to_bytes(4, "big") + head
        return _MAGIC + hashlib.sha256(self._digest.digest() + sized_head).digest() + sized_head

    def parse_head(self, data: bytes) -> bytes | None:
        """The head of the entry that starts with *data*; None if it is damaged, or another's."""
        size = int.from_bytes(data[_START - 4 : _START], "big")
        head = data[_START : _START + size]
        complete = len(head) == size >= _DIGEST_BYTES
        return head if complete and data.startswith(self.seal(head)) else None


def _metadata_key(url: str, sha256: str) -> _Key:
    # An origin can vouch only for its own files.
    return _Key("metadata", f"{read_origin(url)} {sha256}")
