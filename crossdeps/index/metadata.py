"""Core metadata of a wheel, by the cheapest way that its index offers."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
import threading
import time
import urllib.parse
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING

from crossdeps.errors import IndexUnreachableError, OfflineError
from crossdeps.fs import atomic_write
from crossdeps.index import responses as answers
from crossdeps.index.partial_wheel import LARGEST_METADATA, SparseFile, read_metadata
from crossdeps.index.responses import BrokenAnswerError, Request
from crossdeps.index.transfer import Hasher, Transfer, check_hashes, run_transfer
from crossdeps.progress import Progress
from crossdeps.text import escape, is_http, local_path, read_origin, show_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossdeps.index.cache import IndexCache
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import ProjectFile
    from crossdeps.index.responses import Answer

# A wheel up to this size is fetched whole: it will most likely be needed, and costs one request.
WHOLE_WHEEL = 1 << 20
# The end of a wheel: holds directory and METADATA of nearly all, in one request.
_TAIL = 49_152
# Seconds between attempts to remove a folder that threads still use.
_WAITS = (0.0, 0.01, 0.05, 0.2)


class FetchedWheels:
    """Wheels that were fetched whole for their metadata, kept for a later download.

    Bounded: the oldest go first. Removed with the client.
    """

    def __init__(self, room: int = 512 << 20) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._closed = False
        self._wheels: OrderedDict[str, tuple[Path, int]] = OrderedDict()

    def place_for(self, url: str) -> Path:
        """A path at which the wheel of *url* can be put.

        :raises IndexUnreachableError: once it is closed: nobody would remove what is put there
        """
        with self._lock:
            if self._closed:
                raise IndexUnreachableError("the work with the indexes was ended")
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="crossdeps-")
            return Path(self._folder.name) / hashlib.sha256(url.encode()).hexdigest()

    def keep(self, url: str, path: Path) -> None:
        """Keep the wheel that lies at *path*."""
        size = path.stat().st_size
        with self._lock:
            self._wheels[url] = (path, size)
            while sum(each for _, each in self._wheels.values()) > self._room:
                _, (oldest, _size) = self._wheels.popitem(last=False)
                oldest.unlink(missing_ok=True)

    def take(self, url: str) -> Path | None:
        """Give away the wheel of *url*, if it is here; it is the caller's from now on."""
        with self._lock:
            found = self._wheels.pop(url, None)
        return found[0] if found else None

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            self._closed = True
            self._wheels.clear()
            folder, self._folder = self._folder, None
        if folder is not None:
            _remove(folder)


def _remove(folder: tempfile.TemporaryDirectory[str]) -> None:
    """Remove a folder in which a thread that is about to end may still begin a file."""
    for wait in _WAITS:
        with contextlib.suppress(OSError):
            folder.cleanup()
            return
        time.sleep(wait)


class MetadataReader:
    """Reads METADATA: beside the wheel (PEP 658), from the whole of a small wheel, or its end.

    :param session: None forbids the network
    :param warn: told what was promised and wasn't there
    """

    def __init__(
        self,
        session: Callable[[], HttpSession] | None,
        cache: IndexCache | None,
        shelf: FetchedWheels,
        *,
        warn: Callable[[str], None],
    ) -> None:
        self._session = session
        self._cache = cache
        self._shelf = shelf
        self._warn = warn
        self._without_ranges: set[object] = set()

    def read(self, file: ProjectFile) -> bytes:
        """METADATA of *file*.

        :raises IndexAccessError: if it can't be fetched
        :raises IntegrityError: if what was fetched isn't what was promised
        """
        if not is_http(file.url):
            return self._local(file)
        digest = file.hashes.get("sha256", "")
        keyed = re.fullmatch(r"[0-9a-f]{64}", digest) is not None
        if self._cache is not None and keyed:
            known = self._cache.metadata(file.url, digest)
            if known is not None:
                return known
        if self._session is None:
            raise OfflineError(
                f"the metadata of {escape(file.filename)} isn't in the cache, "
                "and the network is forbidden",
                context=(show_url(file.url),),
                hint="run once without --offline",
            )
        data = self._fetch(self._session(), file)
        if self._cache is not None and keyed:
            self._cache.keep_metadata(file.url, digest, data)
        return data

    def _local(self, file: ProjectFile) -> bytes:
        path = local_path(file.url)
        try:
            if path is None:
                raise FileNotFoundError(2, "it is on another machine")
            with path.open("rb") as opened:
                return read_metadata(opened, file.filename)
        except OSError as error:
            raise IndexUnreachableError(
                f"a wheel can't be read: {error.strerror or error}",
                context=(escape(file.filename),),
            ) from error

    def _fetch(self, session: HttpSession, file: ProjectFile) -> bytes:
        if file.metadata_hashes is not None:
            data = self._beside(session, file, file.metadata_hashes)
            if data is not None:
                return data
            self._warn(
                f"the metadata file promised for {escape(file.filename)} isn't there; "
                "the wheel was read instead"
            )
        known_small = file.size is not None and file.size <= WHOLE_WHEEL
        if known_small or read_origin(file.url) in self._without_ranges:
            return self._whole(session, file)
        return self._end(session, file)

    def _beside(
        self, session: HttpSession, file: ProjectFile, hashes: Mapping[str, str]
    ) -> bytes | None:
        """The file beside the wheel (PEP 658); None where it isn't there."""
        parts = urllib.parse.urlsplit(file.url)
        url = urllib.parse.urlunsplit(parts._replace(path=parts.path + ".metadata"))
        gone = frozenset({404, 410})

        def consume(answer: Answer) -> bytes | None:
            return None if answer.status in gone else answer.read(LARGEST_METADATA)

        request = Request(url=url, subject=escape(file.filename), accept=gone | {200})
        data = session.fetch(request, consume)
        if data is not None:
            check_hashes(data, hashes, f"the metadata of {escape(file.filename)}", show_url(url))
        return data

    def _whole(self, session: HttpSession, file: ProjectFile) -> bytes:
        """Fetch the whole wheel, checked, and keep it for its download."""
        place = self._shelf.place_for(file.url)
        with atomic_write(place) as opened:
            run_transfer(session, self._transfer(file, opened))
            data = read_metadata(opened, file.filename)
        self._shelf.keep(file.url, place)
        return data

    def _received(self, answer: Answer, file: ProjectFile) -> bytes:
        """Take a whole wheel that came although only its end was asked for."""
        self._without_ranges.add(read_origin(file.url))
        place = self._shelf.place_for(file.url)
        with atomic_write(place) as opened:
            transfer = self._transfer(file, opened)
            transfer.receive(answer)
            transfer.hasher.check(transfer.subject, show_url(file.url))
            data = read_metadata(opened, file.filename)
        self._shelf.keep(file.url, place)
        return data

    def _transfer(self, file: ProjectFile, opened: IO[bytes]) -> Transfer:
        return Transfer(
            url=file.url,
            file=opened,
            hasher=Hasher(file.hashes),
            size=file.size,
            progress=Progress(),  # told when it is downloaded
        )

    def _end(self, session: HttpSession, file: ProjectFile) -> bytes:
        """Ask for the end of the wheel; a server without ranges sends the whole, which is kept."""

        def consume(answer: Answer) -> tuple[int, bytes] | bytes | None:
            if answer.status == 200:
                return self._received(answer, file)
            return _read_end(answer)

        end = session.fetch(_range_request(file, f"bytes=-{_TAIL}"), consume)
        if isinstance(end, bytes):
            return end
        if end is None:
            self._without_ranges.add(read_origin(file.url))
            return self._whole(session, file)
        size, tail = end

        def fetch(start: int, end: int) -> bytes:
            return _ask_part(session, file, start, end, size)

        return read_metadata(SparseFile(size, tail, fetch), file.filename)


def _read_end(answer: Answer) -> tuple[int, bytes] | None:
    """Size and last bytes of the file; None where the server doesn't do suffix ranges."""
    found = _read_content_range(answer.headers) if answer.status == 206 else None
    if found is None:
        return None
    start, end, size = found
    if end != size - 1 or size - start > _TAIL:
        return None
    tail = b"".join(answer.chunks(_TAIL))
    if len(tail) != size - start:
        raise BrokenAnswerError("the server sent another number of bytes than it said")
    return size, tail


def _ask_part(session: HttpSession, file: ProjectFile, start: int, end: int, size: int) -> bytes:
    def consume(answer: Answer) -> bytes:
        if answer.status != 206 or _read_content_range(answer.headers) != (start, end - 1, size):
            raise answers.untrustworthy(
                "the server answered with another part of the file",
                file.url,
                escape(file.filename),
                rule="content-range",
            )
        data = b"".join(answer.chunks(end - start))
        if len(data) != end - start:
            raise BrokenAnswerError("the server sent another number of bytes than it said")
        return data

    return session.fetch(_range_request(file, f"bytes={start}-{end - 1}"), consume)


def _range_request(file: ProjectFile, ranges: str) -> Request:
    headers = {"Range": ranges, "Accept-Encoding": "identity", "Accept": "*/*"}
    # 405 and 501 come from servers that know no suffix ranges, 416 from those that misread them.
    return Request(
        url=file.url,
        subject=escape(file.filename),
        headers=lambda: headers,
        accept=frozenset({200, 206, 400, 405, 416, 501}),
    )


def _read_content_range(headers: Mapping[str, str]) -> tuple[int, int, int] | None:
    """First and last byte and whole size (RFC 9110, section 14.4)."""
    found = re.fullmatch(
        r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})", headers.get("Content-Range", "").strip()
    )
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
