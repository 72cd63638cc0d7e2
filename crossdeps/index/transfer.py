"""Hashes of what is fetched, computed as it arrives."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from crossdeps.errors import HashMismatchError, IndexResponseError, IndexUnreachableError
from crossdeps.fs import CHUNK, atomic_write
from crossdeps.index import responses as answers
from crossdeps.index.pages.project_files import url_filename
from crossdeps.index.responses import BrokenAnswerError, Request
from crossdeps.text import escape, local_path, show_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crossdeps.index.http_session import HttpSession
    from crossdeps.index.responses import Answer
    from crossdeps.progress import Progress

# Algorithms that a page may list and that every Python has (PEP 503, and hashlib's
# algorithms_guaranteed). Another algorithm can't be checked, and doesn't count as a hash.
ALGORITHMS = frozenset(
    {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s"}
    | {"sha3_224", "sha3_256", "sha3_384", "sha3_512"}
)

STRONG = ALGORITHMS - {"md5", "sha1", "sha224", "sha3_224"}
"""Algorithms at least as strong as SHA-256; a file is trusted for one of these, or not at all."""


class Hasher:
    """sha256 and every listed algorithm, over the same bytes."""

    def __init__(self, expected: Mapping[str, str]) -> None:
        self._expected = {
            name.lower(): digest.lower()
            for name, digest in expected.items()
            if name.lower() in ALGORITHMS
        }
        self.restart()

    def restart(self) -> None:
        """Forget what was seen."""
        names = self._expected.keys() | {"sha256"}
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(names)}

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        for digest in self._digests.values():
            digest.update(data)

    @property
    def is_checking(self) -> bool:
        """Whether there is any hash to compare with."""
        return bool(self._expected)

    @property
    def sha256(self) -> str:
        """Hex digest of everything so far."""
        return self._digests["sha256"].hexdigest()

    def check(self, subject: str, *context: str) -> None:
        """Compare every listed hash.

        :raises HashMismatchError: if any differs
        """
        for name, digest in self._expected.items():
            found = self._digests[name].hexdigest()
            if found != digest:
                raise HashMismatchError(
                    f"the {name} hash of {subject} isn't the one that was expected",
                    context=(*context, f"expected {digest[:200]}", f"got      {found}"),
                    hint="the file was changed, or damaged on its way: "
                    "don't use it before you know which",
                )


def check_hashes(data: bytes, expected: Mapping[str, str], subject: str, *context: str) -> None:
    """Compare the hashes of *data*.

    :raises HashMismatchError: if any listed one differs
    """
    hasher = Hasher(expected)
    hasher.update(data)
    hasher.check(subject, *context)


# A page's size is advice; past this much of it, a file is endless rather than a bit larger.
_ROOM = 2
_SLACK = 1 << 20
_LARGEST_FILE = 8 << 30


def limit_for(size: int | None) -> int:
    """How many bytes of a file are accepted when a page says that it has *size*."""
    return _LARGEST_FILE if size is None else size * _ROOM + _SLACK


def copy_local(
    url: str,
    destination: Path,
    hashes: Mapping[str, str],
    progress: Progress,
    *,
    name: str | None = None,
) -> str:
    """Copy a ``file:`` URL or a path of this machine; raises and returns as :func:`download`.

    :param name: what to call it; its own file name if missing
    """
    path = local_path(url)
    subject = escape(name or (url_filename(url) if path is None else path.name))
    if path is None:
        raise IndexResponseError(
            "the URL isn't http, https or a file of this machine",
            context=(show_url(url),),
            rule="url",
        )
    hasher = Hasher(hashes)
    try:
        source = path.open("rb")
    except OSError as error:
        raise IndexUnreachableError(
            f"the file can't be read: {error.strerror}", context=(escape(str(path)),)
        ) from error
    with source, atomic_write(destination) as file:
        while chunk := source.read(CHUNK):
            hasher.update(chunk)
            file.write(chunk)
            progress.fetched(subject, len(chunk))
        hasher.check(subject, escape(str(path)))
    return hasher.sha256


def download(
    session: HttpSession,
    url: str,
    destination: Path,
    *,
    size: int | None,
    hashes: Mapping[str, str],
    progress: Progress,
    deadline: float | None = None,
) -> str:
    """Stream *url* to *destination*, checking every listed hash as it goes.

    A broken connection is resumed where it broke (RFC 9110, section 14), but only what the
    server says is the same file is put together. If the hash of a file that was put together is
    wrong, it is fetched once more in one piece before that is an error.

    :param size: bytes, as the page says; advice that only bounds the transfer
    :param deadline: seconds for all attempts together
    :returns: sha256 of the file, hex
    :raises IndexAccessError: if it can't be fetched
    :raises HashMismatchError: if any listed hash differs; *destination* isn't touched then
    """
    with atomic_write(destination) as file:
        transfer = Transfer(url=url, file=file, hasher=Hasher(hashes), size=size, progress=progress)
        return run_transfer(session, transfer, deadline=deadline)


@dataclass(kw_only=True, slots=True)
class Transfer:
    """A file on its way: what has arrived, and how to go on after a break."""

    url: str
    file: IO[bytes]
    hasher: Hasher
    size: int | None
    progress: Progress
    done: int = 0
    pieces: int = 0
    validator: str | None = None
    total: int | None = None
    subject: str = field(init=False)

    def __post_init__(self) -> None:
        self.subject = escape(url_filename(self.url))

    def headers(self) -> Mapping[str, str]:
        """Headers of the next attempt: the rest of the file, if it is still the same."""
        headers = {"Accept-Encoding": "identity", "Accept": "*/*"}
        if self.done and self.validator is None and not self.hasher.is_checking:
            self.restart()  # nothing would tell whether the rest is of the same file
        if self.done:
            headers["Range"] = f"bytes={self.done}-"
            if self.validator is not None:
                headers["If-Range"] = self.validator
        return headers

    def restart(self) -> None:
        """Throw away what has arrived."""
        self.file.seek(0)
        self.file.truncate()
        self.hasher.restart()
        self.done = self.pieces = 0
        self.validator = self.total = None

    def receive(self, answer: Answer) -> None:
        """Take one answer: 200 is the whole file, 206 the rest, 416 a misunderstanding.

        :raises BrokenAnswerError: if the next attempt has to start anew
        """
        if answer.status == 206:
            if not self._continues(answer):
                self.restart()
                raise BrokenAnswerError("the server answered with another part of the file")
        else:
            self.restart()
            if answer.status == 416:
                raise BrokenAnswerError("the server has no such part of the file")
            self.validator = _validator(answer.headers)
            self.total = _length(answer.headers)
            self._check_length(answer)
        self.pieces += 1
        for chunk in answer.chunks(limit_for(self.size) - self.done):
            self.file.write(chunk)
            self.hasher.update(chunk)
            self.done += len(chunk)
            self.progress.fetched(self.subject, len(chunk))

    def _check_length(self, answer: Answer) -> None:
        if self.total is not None and self.total > limit_for(self.size):
            raise answers.untrustworthy(
                f"the file has {self.total:,} bytes, and the page says {self.size or 0:,}",
                answer.url,
                self.subject,
                rule="answer-size",
            )

    def _continues(self, answer: Answer) -> bool:
        """Whether a 206 is the rest of what has arrived (RFC 9110, section 15.3.7)."""
        found = re.fullmatch(
            r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)",
            answer.headers.get("Content-Range", "").strip(),
        )
        if found is None or int(found[1]) != self.done or not self.done:
            return False
        if self.total is not None and found[3] not in {"*", str(self.total)}:
            return False
        other = _validator(answer.headers)
        return other is None or other == self.validator


def run_transfer(session: HttpSession, transfer: Transfer, *, deadline: float | None = None) -> str:
    """Run a transfer to its end; returns the sha256 and raises as :func:`download` does."""
    request = Request(
        url=transfer.url,
        subject=transfer.subject,
        headers=transfer.headers,
        accept=frozenset({200, 206, 416}),
        deadline=deadline,
    )
    session.fetch(request, transfer.receive)
    where = show_url(transfer.url)
    try:
        transfer.hasher.check(transfer.subject, where)
    except HashMismatchError:
        if transfer.pieces < 2:
            raise
        transfer.restart()
        session.fetch(request, transfer.receive)
        transfer.hasher.check(transfer.subject, where)
    return transfer.hasher.sha256


def _validator(headers: Mapping[str, str]) -> str | None:
    """A strong ETag, as If-Range wants (RFC 9110, section 13.1.5), or a date."""
    etag = headers.get("ETag", "").strip()
    if etag.startswith('"') and etag.endswith('"') and len(etag) > 1:
        return etag
    return headers.get("Last-Modified") if not etag else None


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
