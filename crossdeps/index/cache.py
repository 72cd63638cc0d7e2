"""Pages and metadata kept between runs.

Every entry is a file with its own checksum, written aside and renamed, so that a cut, flipped or
half-written entry is the same as none. A place that can't be used is worked without.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.index.origins import read_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# Changes with the layout of entries: those of another version are never looked at.
_LAYOUT = "v1"
_MAGIC = b"crossdeps-index-1\n"
_DIGEST_BYTES = 32
# A page is asked for again after this many seconds, whatever its index says: new releases and
# yanks must be seen some day.
LONGEST_FRESHNESS = 600
_LARGEST_ENTRY = 200 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPage:
    """A page as an index gave it.

    :param url: the final URL, after redirects, without credentials
    :param content_type: the Content-Type header
    :param etag: for ``If-None-Match``; empty where there was none
    :param last_modified: for ``If-Modified-Since``; empty where there was none
    :param fetched: seconds since the epoch when it was last known to be right
    :param fresh_for: seconds after that in which it needn't be asked for
    """

    url: str
    content_type: str
    body: bytes
    etag: str = ""
    last_modified: str = ""
    fetched: float
    fresh_for: float

    def is_fresh(self, now: float) -> bool:
        """Whether it can be used without asking; never when the clock went backwards."""
        return 0 <= now - self.fetched < self.fresh_for

    def conditions(self) -> dict[str, str]:
        """Headers that ask whether it is still right (RFC 9110, section 13.1)."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheSize:
    """What a cache holds.

    :param size: bytes
    """

    entries: int
    size: int


def read_freshness(headers: Mapping[str, str]) -> float | None:
    """Seconds for which an answer stays fresh (RFC 9111); None where it may not be stored.

    Without ``max-age`` an answer isn't fresh at all, and asked for again.
    """
    directives = headers.get("Cache-Control", "").lower()
    if "no-store" in directives:
        return None
    found = re.search(r"(?:^|[\s,])max-age=\"?([0-9]{1,10})", directives)
    if "no-cache" in directives or found is None:
        return 0.0
    age = headers.get("Age", "").strip()
    spent = int(age) if age.isascii() and age.isdigit() and len(age) <= 10 else 0
    return float(max(min(int(found[1]), LONGEST_FRESHNESS) - spent, 0))


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
        try:
            owner = self._place.stat().st_uid
        except OSError:
            return True
        mine = not hasattr(os, "geteuid") or owner in {os.geteuid(), 0}
        if not mine:
            self._writable = False
            self._warn(f"the cache {self._place} belongs to another user, and isn't used")
        return mine

    def page(self, url: str) -> StoredPage | None:
        """What is kept of the page asked for at *url* (without credentials)."""
        data = self._read(self._page_path(url))
        if data is None:
            return None
        from crossdeps.index.page_entry import decode_page  # noqa: PLC0415 - loads msgspec

        return decode_page(data)

    def keep_page(self, url: str, page: StoredPage) -> None:
        """Keep a page under the URL that was asked for."""
        from crossdeps.index.page_entry import encode_page  # noqa: PLC0415 - loads msgspec

        self._write(self._page_path(url), encode_page(page))

    def metadata(self, url: str, sha256: str) -> bytes | None:
        """METADATA of the file with this hash, as the origin of *url* gave it."""
        return self._read(self._metadata_path(url, sha256))

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

    def _read(self, path: Path) -> bytes | None:
        if not self._readable:
            return None
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST_ENTRY)
        except OSError:
            return None
        start = len(_MAGIC) + _DIGEST_BYTES
        body = data[start:]
        if data[:start] != _MAGIC + hashlib.sha256(body).digest():
            return None
        return body

    def _write(self, path: Path, body: bytes) -> None:
        if not self._writable:
            return
        try:
            self._make_root()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Not synced: after a power loss a torn entry fails its checksum.
            with _aside(path) as file:
                os.write(file, _MAGIC + hashlib.sha256(body).digest())
                _write_all(file, body)
        except OSError as error:
            self._writable = False
            self._warn(f"the cache {self._place} can't be written ({error.strerror}), and isn't")

    def _make_root(self) -> None:
        if not self._place.exists():
            self._place.mkdir(parents=True, exist_ok=True)
            self._place.chmod(0o700)

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


@contextlib.contextmanager
def _aside(path: Path) -> Iterator[int]:
    """Open a file beside *path*, renamed to it at the end."""
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        try:
            yield handle
        finally:
            os.close(handle)
        os.replace(name, path)  # noqa: PTH105 - name is a str
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise


def _write_all(file: int, body: bytes) -> None:
    view = memoryview(body)
    while view:
        view = view[os.write(file, view) :]
