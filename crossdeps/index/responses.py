"""A question to a server and its answer, whoever carries them."""

from __future__ import annotations

import datetime
import email.utils
import http
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import IndexRefusedError, IndexResponseError, IndexUnreachableError
from crossdeps.text import INDEX_OPERATOR_HINT, escape, show_url

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
                raise untrustworthy(
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
            raise unreachable(
                "it took too long, although bytes kept coming", self.url, self._request.subject
            )


_HINTS = {
    401: "give credentials in the index URL, in netrc or with keyring",
    403: "the credentials, if there are any, aren't allowed to read this",
    404: "is the index URL right?",
    407: "the proxy wants credentials: put them in its URL",
    410: "what was there is gone for good",
    429: "the index limits how often it is asked; try again later",
}
_CERTIFICATE_HINT = (
    "if a company's proxy or index has its own certificate authority, give its bundle with --cert"
)


def refused(status: int, url: str, subject: str, *, attempts: int = 1) -> IndexRefusedError:
    """Make the error of a status that says no."""
    try:
        phrase = f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    times = f", {attempts} times" if attempts > 1 else ""
    hint = _HINTS.get(status, "try again later" if status >= 500 else INDEX_OPERATOR_HINT)
    return IndexRefusedError(
        f"the index answered {phrase}{times}", context=_context(subject, url), hint=hint
    )


def waits_too_long(seconds: float, cap: float, url: str, subject: str) -> IndexRefusedError:
    """Make the error of a Retry-After beyond reason."""
    return IndexRefusedError(
        f"the index wants to be asked again only after {seconds:.0f} seconds, "
        f"and more than {cap:.0f} aren't waited",
        context=_context(subject, url),
        hint="try again later",
    )


def untrustworthy(
    message: str, url: str, subject: str, *, rule: str, hint: str | None = None
) -> IndexResponseError:
    """Make the error of an answer that can't be understood or trusted."""
    return IndexResponseError(
        message, context=_context(subject, url), hint=hint or INDEX_OPERATOR_HINT, rule=rule
    )


def unreachable(
    reason: str, url: str, subject: str, *, attempts: int = 1, hint: str | None = None
) -> IndexUnreachableError:
    """Make the error of no answer."""
    times = f" ({attempts} attempts)" if attempts > 1 else ""
    return IndexUnreachableError(
        f"the index can't be reached: {reason}{times}",
        context=_context(subject, url),
        hint=hint or "check the index URL, the network and the proxy settings",
    )


def certificate_refused(
    reason: str, url: str, subject: str, *, bundle: str | None
) -> IndexUnreachableError:
    """Make the error of a failed TLS handshake, or of a bundle that can't be used."""
    error = unreachable(f"TLS failed: {reason}", url, subject, hint=_CERTIFICATE_HINT)
    if bundle is not None:
        error.context = (*error.context, f"certificates of {escape(bundle)}")
    return error


def _context(subject: str, url: str) -> tuple[str, ...]:
    shown = show_url(url)
    return (subject, shown) if subject else (shown,)


def read_retry_after(headers: Mapping[str, str], now: datetime.datetime) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110, section 10.2.3); None where it isn't readable.

    A date in the past is 0.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return max((moment - now).total_seconds(), 0.0)


def find_reason(error: BaseException, timeout: float) -> str:
    """Say in a few words why a connection failed, without the URLs that libraries put there."""
    seen: set[int] = set()
    chain: list[BaseException] = [error]
    names: list[str] = []
    while chain:
        each = chain.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        names.append(type(each).__name__)
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
        inner = [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
        chain.extend(item for item in inner if isinstance(item, BaseException))
    text = " ".join(names)
    if "Timeout" in text or "timeout" in text:
        return f"no answer for {timeout:g} seconds"
    if "NameResolution" in text or "gaierror" in text:
        return "the host name can't be resolved"
    if "IncompleteRead" in text or "Protocol" in text or "RemoteDisconnected" in text:
        return "the connection broke off"
    return names[-1]
