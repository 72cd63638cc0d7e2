"""Core metadata of a wheel, by the cheapest way that its index offers."""

from __future__ import annotations

import contextlib
import re
import threading
import time
import urllib.parse
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.errors import IndexUnreachableError, OfflineError
from crossdeps.fs import atomic_write
from crossdeps.index.model import read_origin
from crossdeps.index.partial_wheel import LARGEST_METADATA, SparseFile, read_metadata
from crossdeps.index.responses import BrokenResponseError, Request, response_error
from crossdeps.index.transfer import Transfer, check_hashes
from crossdeps.progress import Progress
from crossdeps.system_errors import resource_error
from crossdeps.text import escape, is_http, local_path, show_url

if TYPE_CHECKING:
    import tempfile
    from collections.abc import Callable, Mapping

    from crossdeps.index.cache import IndexCache
    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.model import ProjectFile
    from crossdeps.index.responses import Response

# A wheel up to this size is fetched whole: it will most likely be needed, and costs one request.
_WHOLE_WHEEL = 1 << 20
# Bytes at the end of a wheel that hold the directory and METADATA of nearly all wheels.
_TAIL = 49_152
# Seconds between attempts to remove a directory that threads still use.
_WAITS = (0.0, 0.01, 0.05, 0.2)


class FetchedWheels:
    """Wheels that were fetched whole for their metadata, kept for a later download.

    The oldest are removed when they take more than *limit* bytes, all when the client is closed.
    """

    def __init__(self, limit: int = 512 << 20) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._closed = False
        self._wheels: OrderedDict[str, tuple[Path, int]] = OrderedDict()

    def path_for(self, url: str) -> Path:
        """The path to which the wheel of *url* is to be written.

        :raises IndexUnreachableError: after :meth:`close`: nothing would remove the file
        """
        import hashlib  # noqa: PLC0415 - only for wheels without other metadata
        import tempfile  # noqa: PLC0415 - the same

        with self._lock:
            if self._closed:
                raise IndexUnreachableError("the index client was closed")
            if self._directory is None:
                self._directory = tempfile.TemporaryDirectory(prefix="crossdeps-")
            return Path(self._directory.name) / hashlib.sha256(url.encode()).hexdigest()

    def add(self, url: str, path: Path) -> None:
        """Keep the wheel at *path*."""
        size = path.stat().st_size
        with self._lock:
            self._wheels[url] = (path, size)
            while sum(each for _, each in self._wheels.values()) > self._limit:
                _, (oldest, _size) = self._wheels.popitem(last=False)
                oldest.unlink(missing_ok=True)

    def pop(self, url: str) -> Path | None:
        """Hand over the wheel of *url*, if it was fetched; the caller removes it."""
        with self._lock:
            found = self._wheels.pop(url, None)
        return found[0] if found else None

    def close(self) -> None:
        """Remove all wheels, also while a thread that is about to end begins to write another."""
        with self._lock:
            self._closed = True
            self._wheels.clear()
            directory, self._directory = self._directory, None
        if directory is None:
            return
        for wait in _WAITS:
            time.sleep(wait)
            with contextlib.suppress(OSError):
                directory.cleanup()
                return


class MetadataFetcher:
    """Fetches METADATA: the file beside the wheel (PEP 658), a small wheel, or the end of a wheel.

    :param session: returns the HTTP session; None forbids the network
    :param warn: called if the index offers a metadata file that does not exist
    """

    def __init__(
        self,
        session: Callable[[], HttpSession] | None,
        cache: IndexCache | None,
        fetched_wheels: FetchedWheels,
        *,
        warn: Callable[[str], None],
    ) -> None:
        self._session = session
        self._cache = cache
        self._fetched_wheels = fetched_wheels
        self._warn = warn
        self._without_ranges: set[object] = set()

    def fetch(self, file: ProjectFile) -> bytes:
        """Return METADATA of *file*.

        :raises IndexAccessError: if it cannot be fetched
        :raises IntegrityError: if its hash does not match, or the wheel is broken
        """
        if not is_http(file.url):
            return _read_local(file)
        digest = file.hashes.get("sha256", "")
        cache = self._cache if re.fullmatch(r"[0-9a-f]{64}", digest) else None
        known = cache.metadata(file.url, digest) if cache is not None else None
        if known is not None:
            return known
        if self._session is None:
            raise OfflineError(
                f"the metadata of {escape(file.filename)} is not in the cache, "
                "and the network is disabled",
                context=(show_url(file.url),),
                hint="run once without --offline",
            )
        data = self._fetch_remote(self._session(), file)
        if cache is not None:
            cache.store_metadata(file.url, digest, data)
        return data

    def mark_used(self, file: ProjectFile) -> None:
        """Keep the cached METADATA of *file* from being pruned."""
        digest = file.hashes.get("sha256")
        if self._cache is not None and digest is not None and is_http(file.url):
            self._cache.touch_metadata(file.url, digest)

    def _fetch_remote(self, session: HttpSession, file: ProjectFile) -> bytes:
        if file.metadata_hashes is not None:
            data = _fetch_beside(session, file, file.metadata_hashes)
            if data is not None:
                return data
            self._warn(
                f"the index offers metadata of {escape(file.filename)} that does not exist; "
                "the metadata was read from the wheel"
            )
        is_small = file.size is not None and file.size <= _WHOLE_WHEEL
        if is_small or read_origin(file.url) in self._without_ranges:
            return self._fetch_whole(session, file)
        return self._fetch_end(session, file)

    def _fetch_whole(
        self, session: HttpSession, file: ProjectFile, response: Response | None = None
    ) -> bytes:
        """Fetch the whole wheel, check its hashes, and keep it for its download.

        :param response: has the wheel already
        """
        path = self._fetched_wheels.path_for(file.url)
        with atomic_write(path) as opened:
            transfer = Transfer(
                file.url,
                opened,
                hashes=file.hashes,
                size=file.size,
                progress=Progress(),  # reported when the wheel is downloaded
            )
            if response is None:
                transfer.run(session)
            else:
                transfer.receive(response)
                transfer.check()
            data = read_metadata(opened, file.filename)
        self._fetched_wheels.add(file.url, path)
        return data

    def _fetch_end(self, session: HttpSession, file: ProjectFile) -> bytes:
        """Fetch the end of the wheel, or the whole wheel from a server without suffix ranges."""

        def consume(response: Response) -> tuple[int, bytes] | bytes | None:
            if response.status == 200:
                self._without_ranges.add(read_origin(file.url))
                return self._fetch_whole(session, file, response)
            return _read_end(response)

        end = session.fetch(_range_request(file, f"bytes=-{_TAIL}"), consume)
        if isinstance(end, bytes):
            return end
        if end is None:
            self._without_ranges.add(read_origin(file.url))
            return self._fetch_whole(session, file)
        size, tail = end

        def fetch(start: int, stop: int) -> bytes:
            return _fetch_range(session, file, start, stop, size)

        return read_metadata(SparseFile(size, tail, fetch), file.filename)


def _read_local(file: ProjectFile) -> bytes:
    path = local_path(file.url)
    try:
        if path is None:
            raise FileNotFoundError(2, "the URL is that of another machine")
        with path.open("rb") as opened:
            return read_metadata(opened, file.filename)
    except OSError as error:
        if limit := resource_error(error, "a wheel cannot be read", path=path):
            raise limit from error
        raise IndexUnreachableError(
            f"a wheel cannot be read: {error.strerror or error}", context=(escape(file.filename),)
        ) from error


def _fetch_beside(
    session: HttpSession, file: ProjectFile, hashes: Mapping[str, str]
) -> bytes | None:
    """The metadata file beside the wheel (PEP 658); None if it does not exist."""
    parts = urllib.parse.urlsplit(file.url)
    url = urllib.parse.urlunsplit(parts._replace(path=parts.path + ".metadata"))
    not_found = frozenset({404, 410})

    def consume(response: Response) -> bytes | None:
        return None if response.status in not_found else response.read(LARGEST_METADATA)

    request = Request(url=url, subject=escape(file.filename), accept=not_found | {200})
    data = session.fetch(request, consume)
    if data is not None:
        check_hashes(data, hashes, f"the metadata of {escape(file.filename)}", show_url(url))
    return data


def _read_end(response: Response) -> tuple[int, bytes] | None:
    """Size and last bytes of the file; None if the server does not support suffix ranges."""
    found = _read_content_range(response.headers) if response.status == 206 else None
    if found is None:
        return None
    start, end, size = found
    if end != size - 1 or size - start > _TAIL:
        return None
    return size, _read_exactly(response, size - start)


def _fetch_range(
    session: HttpSession, file: ProjectFile, start: int, stop: int, size: int
) -> bytes:
    def consume(response: Response) -> bytes:
        expected = (start, stop - 1, size)
        if response.status != 206 or _read_content_range(response.headers) != expected:
            raise response_error(
                "the index sent another part of the file",
                file.url,
                escape(file.filename),
                rule="content-range",
            )
        return _read_exactly(response, stop - start)

    return session.fetch(_range_request(file, f"bytes={start}-{stop - 1}"), consume)


def _read_exactly(response: Response, size: int) -> bytes:
    data = b"".join(response.chunks(max(size, _TAIL)))
    if len(data) != size:
        raise BrokenResponseError(f"the index sent {len(data)} bytes instead of {size}")
    return data


def _range_request(file: ProjectFile, ranges: str) -> Request:
    headers = {"Range": ranges, "Accept-Encoding": "identity", "Accept": "*/*"}
    # 400, 405 and 501 come from servers without suffix ranges, 416 from those that misread them.
    return Request(
        url=file.url,
        subject=escape(file.filename),
        headers=lambda: headers,
        accept=frozenset({200, 206, 400, 405, 416, 501}),
    )


def _read_content_range(headers: Mapping[str, str]) -> tuple[int, int, int] | None:
    """First and last byte and size of the whole file (RFC 9110, section 14.4)."""
    number = "([0-9]{1,15})"
    found = re.fullmatch(
        f"bytes {number}-{number}/{number}", headers.get("Content-Range", "").strip()
    )
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
