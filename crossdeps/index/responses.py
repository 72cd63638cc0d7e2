"""Requests, responses and the errors of both, for any HTTP library."""

from __future__ import annotations

import datetime
import re
import time
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import IndexRefusedError, IndexResponseError, IndexUnreachableError
from crossdeps.system_errors import walk_causes
from crossdeps.text import INDEX_OPERATOR_HINT, escape, show_url

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from urllib3.response import BaseHTTPResponse

CHUNK = 1 << 18
"""Bytes that are read at once from a connection."""


class BrokenResponseError(Exception):
    """A response that ended early or is inconsistent; a retry may succeed."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A GET request.

    :param url: absolute http(s) URL, without credentials
    :param subject: the project or file that it is for, for messages
    :param headers: called for each attempt
    :param accept: statuses whose responses are handed to the consumer
    :param deadline: seconds for all attempts together; None uses the connection's
    """

    url: str
    subject: str
    headers: Callable[[], Mapping[str, str]] = dict
    accept: frozenset[int] = frozenset({200})
    deadline: float | None = None


class Response:
    """A response whose body has not been read yet.

    :param url: the final URL, after redirects
    :param deadline: value of the monotonic clock after which reading fails
    :param closed: set when the session is closed
    """

    def __init__(
        self,
        raw: BaseHTTPResponse,
        url: str,
        request: Request,
        deadline: float,
        closed: threading.Event,
    ) -> None:
        self.status: int = raw.status
        self.headers: Mapping[str, str] = raw.headers
        self.url = url
        self._raw = raw
        self._request = request
        self._deadline = deadline
        self._closed = closed

    def chunks(self, limit: int, *, decode: bool = False) -> Iterator[bytes]:
        """The body in pieces, as they arrive.

        :param limit: bytes (decoded) of the largest body
        :param decode: whether to undo Content-Encoding
        :raises IndexResponseError: if the body is larger
        :raises IndexUnreachableError: after the deadline
        :raises BrokenResponseError: if its encoding is invalid
        """
        from urllib3.exceptions import DecodeError  # noqa: PLC0415 - loaded with the session

        total = 0
        while True:
            # Each piece is a single read of the socket, so that a server that sends byte by byte
            # cannot go on after the deadline.
            try:
                chunk = self._raw.read1(CHUNK, decode_content=decode)
            except DecodeError as error:
                raise _encoding_error() from error
            if not chunk:
                return
            total += len(chunk)
            if total > limit:
                raise self._size_error(limit)
            if time.monotonic() > self._deadline or self._closed.is_set():
                raise unreachable_error(
                    "the transfer took too long", self.url, self._request.subject
                )
            yield chunk

    def read(self, limit: int) -> bytes:
        """The whole decoded body, at most *limit* bytes; raises as :meth:`chunks` does."""
        if self.headers.get("Content-Encoding", "").strip().lower() != "gzip":
            return b"".join(self.chunks(limit, decode=True))
        return self._inflate(b"".join(self.chunks(limit)), limit)

    def _inflate(self, data: bytes, limit: int) -> bytes:
        """The members of gzip *data*, inflated at once: faster than piece by piece."""
        import zlib  # noqa: PLC0415 - loaded with the session

        members: list[bytes] = []
        size = 0
        while data:
            member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            try:
                members.append(member.decompress(data, limit - size + 1))
            except zlib.error as error:
                if members:  # what follows the last member is ignored, as gzip does
                    break
                raise _encoding_error() from error
            size += len(members[-1])
            if size > limit:
                raise self._size_error(limit)
            if not member.eof:
                raise _encoding_error()
            data = member.unused_data
        return members[0] if len(members) == 1 else b"".join(members)

    def _size_error(self, limit: int) -> IndexResponseError:
        return response_error(
            f"the response is larger than {limit:,} bytes",
            self.url,
            self._request.subject,
            rule="answer-size",
        )


def _encoding_error() -> BrokenResponseError:
    return BrokenResponseError("the index sent a response with invalid compression")


_HINTS = {
    401: "give credentials in the index URL, in netrc or with keyring",
    403: "check whether your credentials allow access to this",
    404: "check the index URL",
    407: "the proxy requires credentials: put them in its URL",
    410: "it was removed permanently",
    429: "the index limits the rate of requests; try again later",
}


def refused_error(status: int, url: str, subject: str, *, attempts: int = 1) -> IndexRefusedError:
    """Return the error for a status that is not accepted."""
    import http  # noqa: PLC0415 - only for errors

    try:
        phrase = f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    times = f" ({attempts} attempts)" if attempts > 1 else ""
    hint = _HINTS.get(status, "try again later" if status >= 500 else INDEX_OPERATOR_HINT)
    return IndexRefusedError(
        f"the index answered {phrase}{times}", context=_context(subject, url), hint=hint
    )


def retry_after_error(seconds: float, limit: float, url: str, subject: str) -> IndexRefusedError:
    """Return the error for a Retry-After beyond the limit."""
    return IndexRefusedError(
        f"the index asked to retry after {seconds:.0f} seconds; the limit is {limit:.0f} seconds",
        context=_context(subject, url),
        hint="try again later",
    )


def response_error(message: str, url: str, subject: str, *, rule: str) -> IndexResponseError:
    """Return the error for a response that cannot be read or trusted."""
    return IndexResponseError(
        message, context=_context(subject, url), hint=INDEX_OPERATOR_HINT, rule=rule
    )


def unreachable_error(
    reason: str, url: str, subject: str, *, attempts: int = 1, hint: str | None = None
) -> IndexUnreachableError:
    """Return the error for a missing response."""
    times = f" ({attempts} attempts)" if attempts > 1 else ""
    return IndexUnreachableError(
        f"the index cannot be reached: {reason}{times}",
        context=_context(subject, url),
        hint=hint or "check the index URL, the network and the proxy settings",
    )


def proxy_error(
    reason: str, url: str, subject: str, *, proxy: str, attempts: int = 1
) -> IndexUnreachableError:
    """Return the error for a proxy that cannot be reached, or refuses to connect."""
    error = unreachable_error(
        f"the proxy refused: {reason}",
        url,
        subject,
        attempts=attempts,
        hint=_HINTS[407]
        if "407" in reason
        else "check --proxy, HTTPS_PROXY and HTTP_PROXY, or `proxy` in pip's configuration",
    )
    error.context = (*error.context, f"proxy {show_url(proxy)}")
    return error


def tls_error(
    reason: str, url: str, subject: str, *, bundle: str | None, client: str | None = None
) -> IndexUnreachableError:
    """Return the error for a failed TLS handshake, or for certificates that cannot be read.

    :param bundle: path of the certificates that were trusted
    :param client: path of the client certificate, if it is what cannot be used
    """
    error = unreachable_error(
        f"TLS failed: {reason}",
        url,
        subject,
        hint="give a PEM file with the certificate and its key by --client-cert"
        if client
        else "if your proxy or index has its own certificate authority, give its bundle by --cert",
    )
    if client is not None:
        error.context = (*error.context, f"client certificate {escape(client)}")
    elif bundle is not None:
        error.context = (*error.context, f"certificates of {escape(bundle)}")
    return error


def _context(subject: str, url: str) -> tuple[str, ...]:
    shown = show_url(url)
    return (subject, shown) if subject else (shown,)


def read_retry_after(headers: Mapping[str, str], now: datetime.datetime) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110, section 10.2.3); None if it is invalid.

    A date in the past is 0.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - rarely needed

    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return max((moment - now).total_seconds(), 0.0)


# X.509 verification results of OpenSSL that a wrong clock causes
_OF_THE_CLOCK = {9: "is not valid yet", 10: "has expired"}


def _describe_certificate(code: int, text: str) -> str:
    """Say why a certificate is not trusted; the clock of this machine may be the reason.

    :param code: OpenSSL's result of the verification
    """
    if code not in _OF_THE_CLOCK:
        return f"the certificate is not trusted: {escape(text)}"
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (
        f"the certificate {_OF_THE_CLOCK[code]}, or the clock of this machine is"
        f" wrong: it says {today}"
    )


def describe_failure(error: BaseException, timeout: float) -> str:
    """Say why a connection failed, without the URLs that libraries put into their messages."""
    causes = list(walk_causes(error))
    for each in causes:
        if code := getattr(each, "verify_code", 0):  # of ssl.SSLCertVerificationError
            return _describe_certificate(code, str(getattr(each, "verify_message", "")))
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
        if tunnel := re.fullmatch(r"Tunnel connection failed: (.{1,200})", str(each)):
            return escape(tunnel[1])
    text = " ".join(type(each).__name__ for each in causes)
    known = {
        "Timeout|timeout": f"no response for {timeout:g} seconds",
        "NameResolution|gaierror": "the host name cannot be resolved",
        "IncompleteRead|Protocol|RemoteDisconnected": "the connection was closed early",
    }
    matching = (reason for pattern, reason in known.items() if re.search(pattern, text))
    return next(matching, type(causes[-1]).__name__)
