"""Transfers of whole files: hashes computed while the bytes arrive, resumption, local copies."""

from __future__ import annotations

import hashlib
import re
from typing import IO, TYPE_CHECKING

from crossdeps.errors import HashMismatchError, IndexResponseError, IndexUnreachableError
from crossdeps.fs import CHUNK, atomic_write
from crossdeps.index.pages.project_files import url_filename
from crossdeps.index.responses import BrokenResponseError, Request, response_error
from crossdeps.system_errors import resource_error
from crossdeps.text import escape, local_path, show_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.responses import Response
    from crossdeps.progress import Progress

ALGORITHMS = frozenset(
    {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s"}
    | {"sha3_224", "sha3_256", "sha3_384", "sha3_512"}
)
"""Algorithms that every Python has (PEP 503, and hashlib's algorithms_guaranteed); hashes by others
cannot be checked and are ignored."""

STRONG = ALGORITHMS - {"md5", "sha1", "sha224", "sha3_224"}
"""Algorithms at least as strong as SHA-256; only these make a file trusted."""

# The size on a page is advice: a file may be larger, but not without end.
_SIZE_FACTOR = 2
_SIZE_MARGIN = 1 << 20
_LARGEST_FILE = 8 << 30
# TLS hands over at most 16 KiB at a time: more are written and hashed together, so that a download
# takes fewer turns from the search.
_BLOCK = 128 << 10


class Hasher:
    """Computes sha256 and the expected hashes of the same bytes.

    :param expected: algorithm -> hex digest
    """

    def __init__(self, expected: Mapping[str, str]) -> None:
        self._expected = {
            name.lower(): digest.lower()
            for name, digest in expected.items()
            if name.lower() in ALGORITHMS
        }
        self.restart()

    def restart(self) -> None:
        """Start again from the first byte."""
        names = self._expected.keys() | {"sha256"}
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(names)}

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        for digest in self._digests.values():
            digest.update(data)

    @property
    def is_checking(self) -> bool:
        """Whether there is any hash to compare with."""
        return bool(self._expected)

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes so far."""
        return self._digests["sha256"].hexdigest()

    def check(self, subject: str, *context: str) -> None:
        """Compare every expected hash.

        :raises HashMismatchError: if any differs
        """
        for name, digest in self._expected.items():
            found = self._digests[name].hexdigest()
            if found != digest:
                raise HashMismatchError(
                    f"the {name} hash of {subject} does not match",
                    context=(*context, f"expected {digest[:200]}", f"got      {found}"),
                    hint="the file was changed, or damaged in transit: "
                    "do not use it before you know which",
                )


def check_hashes(data: bytes, expected: Mapping[str, str], subject: str, *context: str) -> None:
    """Compare the hashes of *data*.

    :raises HashMismatchError: if any differs
    """
    hasher = Hasher(expected)
    hasher.update(data)
    hasher.check(subject, *context)


def copy_local(
    url: str,
    destination: Path,
    hashes: Mapping[str, str],
    progress: Progress,
    *,
    name: str | None = None,
) -> str:
    """Copy a local file, given as a ``file:`` URL or a path.

    :param name: name of the file for messages; by default the one in *url*
    :returns: sha256 of the file, hex
    :raises IndexAccessError: if *url* is not that of a local file, or the file cannot be read
    :raises HashMismatchError: if any hash differs; *destination* is unchanged then
    """
    path = local_path(url)
    if path is None:
        raise IndexResponseError(
            "the URL is neither http or https nor that of a local file",
            context=(show_url(url),),
            rule="url",
        )
    subject = escape(name or path.name)
    hasher = Hasher(hashes)
    try:
        source = path.open("rb")
    except OSError as error:
        if limit := resource_error(error, "the file cannot be read", path=path):
            raise limit from error
        raise IndexUnreachableError(
            f"the file cannot be read: {error.strerror}", context=(escape(str(path)),)
        ) from error
    with source, atomic_write(destination) as file:
        while chunk := source.read(CHUNK):
            hasher.update(chunk)
            file.write(chunk)
            progress.fetched(subject, len(chunk))
        hasher.check(subject, escape(str(path)))
    return hasher.sha256


class Transfer:
    """The download of one file over HTTP, which can be resumed where a connection broke.

    :param url: http(s) URL, without credentials
    :param file: receives the bytes; empty, open for reading and writing
    :param hashes: expected hashes, algorithm -> hex digest
    :param size: bytes, as stated by the page; only bounds the transfer
    """

    def __init__(
        self,
        url: str,
        file: IO[bytes],
        *,
        hashes: Mapping[str, str],
        size: int | None,
        progress: Progress,
    ) -> None:
        self._url = url
        self._file = file
        self._hasher = Hasher(hashes)
        self._size = size
        self._progress = progress
        self._subject = escape(url_filename(url))
        self._validator: str | None = None
        self._total: int | None = None
        self._limit = _LARGEST_FILE if size is None else size * _SIZE_FACTOR + _SIZE_MARGIN
        self._restart()

    def run(self, session: HttpSession, *, deadline: float | None = None) -> str:
        """Fetch the file, and check its hashes.

        A transfer that breaks is resumed (RFC 9110, section 14), but only if the server states
        that it is still the same file. If the hash of a file that arrived in several parts does
        not match, it is fetched once more as a whole.

        :param deadline: seconds for all attempts together
        :returns: sha256 of the file, hex
        :raises IndexAccessError: if it cannot be fetched
        :raises HashMismatchError: if any hash differs
        """
        request = Request(
            url=self._url,
            subject=self._subject,
            headers=self._next_headers,
            accept=frozenset({200, 206, 416}),
            deadline=deadline,
        )
        session.fetch(request, self.receive)
        try:
            return self.check()
        except HashMismatchError:
            if self._parts < 2:
                raise
        self._restart()
        session.fetch(request, self.receive)
        return self.check()

    def check(self) -> str:
        """Check the hashes of what has arrived; raises and returns as :meth:`run` does."""
        self._hasher.check(self._subject, show_url(self._url))
        return self._hasher.sha256

    def receive(self, response: Response) -> None:
        """Write the body of one response: 200 has the whole file, 206 the rest.

        :raises BrokenResponseError: if the next attempt has to start from the first byte
        """
        if response.status == 206:
            if not self._is_continued_by(response):
                self._restart()
                raise BrokenResponseError("the index sent another part of the file")
        else:
            self._restart()
            if response.status == 416:
                raise BrokenResponseError("the index does not have this part of the file")
            self._validator = _read_validator(response.headers)
            self._total = _read_length(response.headers)
            if self._total is not None and self._total > self._limit:
                raise response_error(
                    f"the file has {self._total:,} bytes, but the page states {self._size or 0:,}",
                    response.url,
                    self._subject,
                    rule="answer-size",
                )
        self._parts += 1
        waiting: list[bytes] = []
        size = 0
        try:
            for chunk in response.chunks(self._limit - self._received):
                waiting.append(chunk)
                size += len(chunk)
                if size >= _BLOCK:
                    self._add(waiting)
                    size = 0
        finally:
            self._add(waiting)  # the next attempt goes on after these

    def _add(self, chunks: list[bytes]) -> None:
        """Write *chunks*, and remove them from the list."""
        block = b"".join(chunks)
        chunks.clear()
        if block:
            self._file.write(block)
            self._hasher.update(block)
            self._received += len(block)
            self._progress.fetched(self._subject, len(block))

    def _restart(self) -> None:
        """Discard what has arrived."""
        self._file.seek(0)
        self._file.truncate()
        self._hasher.restart()
        self._received = self._parts = 0
        self._validator = self._total = None

    def _next_headers(self) -> Mapping[str, str]:
        """Headers of the next attempt: for the rest of the file, if it is still the same."""
        headers = {"Accept-Encoding": "identity", "Accept": "*/*"}
        if self._received and self._validator is None and not self._hasher.is_checking:
            self._restart()  # nothing could tell whether the rest is of the same file
        if self._received:
            headers["Range"] = f"bytes={self._received}-"
            if self._validator is not None:
                headers["If-Range"] = self._validator
        return headers

    def _is_continued_by(self, response: Response) -> bool:
        """Whether a 206 has the rest of the file (RFC 9110, section 15.3.7)."""
        found = re.fullmatch(
            r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)",
            response.headers.get("Content-Range", "").strip(),
        )
        if found is None or int(found[1]) != self._received or not self._received:
            return False
        if self._total is not None and found[3] not in {"*", str(self._total)}:
            return False
        other = _read_validator(response.headers)
        return other is None or other == self._validator


def _read_validator(headers: Mapping[str, str]) -> str | None:
    """A strong ETag, as If-Range requires (RFC 9110, section 13.1.5), or a date."""
    etag = headers.get("ETag", "").strip()
    if etag.startswith('"') and etag.endswith('"') and len(etag) > 1:
        return etag
    return headers.get("Last-Modified") if not etag else None


def _read_length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
