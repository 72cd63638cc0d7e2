"""A question to a server and its answer, whoever carries them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.index import answers

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    import requests
    from urllib3.response import BaseHTTPResponse

CHUNK = 1 << 18


class BrokenAnswerError(Exception):
    """An answer that ended or went wrong midway, and may be right when asked again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is asked for.

    :param url: absolute http(s) URL, without credentials
    :param subject: the project or file that it is for, for messages
    :param headers: made anew for each attempt
    :param accept: statuses that the consumer understands
    :param deadline: seconds for all attempts together; None uses the connection's
    """

    url: str
    subject: str
    headers: Callable[[], Mapping[str, str]] = dict
    accept: frozenset[int] = frozenset({200})
    deadline: float | None = None


class Answer:
    """One answer whose body hasn't been read yet."""

    def __init__(
        self, raw: requests.Response, request: Request, ends: float, closed: threading.Event
    ) -> None:
        self.status = raw.status_code
        self.headers: Mapping[str, str] = raw.headers
        self.url = raw.url
        self._raw: BaseHTTPResponse = raw.raw
        self._request = request
        self._ends = ends
        self._closed = closed

    def chunks(self, limit: int, *, decode: bool = False) -> Iterator[bytes]:
        """The body, piece by piece as it arrives.

        :param limit: bytes (decoded) after which it is refused
        :param decode: whether to undo Content-Encoding
        :raises IndexResponseError: past the limit
        :raises IndexUnreachableError: past the deadline
        :raises BrokenAnswerError: if its encoding is broken
        """
        import urllib3.exceptions  # noqa: PLC0415 - loaded by whoever opened the connection

        total = 0
        while True:
            # One read of the socket a piece: a server that drips bytes can't hold us for longer
            # than the deadline.
            try:
                chunk = self._raw.read1(CHUNK, decode_content=decode)
            except urllib3.exceptions.DecodeError as error:
                raise BrokenAnswerError("the answer's compression is broken") from error
            if not chunk:
                return
            total += len(chunk)
            if total > limit:
                raise answers.untrustworthy(
                    f"the answer is larger than {limit:,} bytes",
                    self.url,
                    self._request.subject,
                    rule="answer-size",
                )
            self._check_time()
            yield chunk

    def read(self, limit: int) -> bytes:
        """The whole body, decoded, at most *limit* bytes; raises as :meth:`chunks` does."""
        return b"".join(self.chunks(limit, decode=True))

    def _check_time(self) -> None:
        if time.monotonic() > self._ends or self._closed.is_set():
            raise answers.unreachable(
                "it took too long, although bytes kept coming", self.url, self._request.subject
            )
