"""The HTTP session of an index client, and its only access to the network.

Redirects are followed here rather than by requests, so that credentials are never sent to another
origin, https never becomes http and nothing but http(s) is followed. Environment variables, netrc
files and cookies are not read.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import re
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, TypeVar

import requests
import urllib3.exceptions

from crossdeps.index.adapters import Transport
from crossdeps.index.model import Connection, CredentialsLookup, no_credentials, read_origin
from crossdeps.index.responses import (
    CHUNK,
    BrokenResponseError,
    Request,
    Response,
    describe_failure,
    proxy_error,
    read_retry_after,
    refused_error,
    response_error,
    retry_after_error,
    tls_error,
    unreachable_error,
)
from crossdeps.system_errors import resource_error, walk_causes
from crossdeps.text import is_http, show_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from urllib3 import BaseHTTPResponse

T = TypeVar("T")

# What OpenSSL says of a certificate file that has none, or whose key is another
_PEM_ERROR = re.compile("PEM lib|KEY_VALUES_MISMATCH|key values mismatch|NO_START_LINE")

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_RETRYABLE = frozenset({429, 500, 502, 503, 504})
_CONNECTION_ERRORS = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.TimeoutError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.MaxRetryError,
    urllib3.exceptions.PoolError,
)


class HttpSession:
    """Sends requests, retries those that may succeed later, and raises the errors of crossdeps.

    Safe to use from several threads.
    """

    def __init__(
        self,
        connection: Connection | None = None,
        *,
        user_agent: str,
        credentials: CredentialsLookup = no_credentials,
    ) -> None:
        self._connection = connection or Connection()
        self._credentials = credentials
        self._headers = {"User-Agent": user_agent, "Connection": "keep-alive"}
        self._transport = Transport(self._connection)
        self._closed = threading.Event()

    def close(self) -> None:
        """End waits and transfers soon, and close idle connections."""
        self._closed.set()
        self._transport.close()

    def fetch(self, request: Request, consume: Callable[[Response], T]) -> T:
        """Send a request and return what *consume* makes of the response, whose body it reads.

        After a broken connection, an incomplete body, and 429, 500, 502, 503 and 504 the request
        is sent again, and *consume* called again.

        :raises IndexUnreachableError: if there was no complete response
        :raises IndexRefusedError: for a status that *request* does not accept
        :raises IndexResponseError: for a redirect that is not followed, or raised by *consume*
        """
        connection = self._connection
        deadline = time.monotonic() + (request.deadline or connection.deadline)
        attempt = 0
        while True:
            attempt += 1
            wait: float | None
            try:
                with self._open(request, deadline) as response:
                    if response.status in request.accept:
                        return consume(response)
                    wait = self._check_retry(response, request, attempt)
            except (BrokenResponseError, *_CONNECTION_ERRORS) as error:
                last = attempt > connection.retries
                if last or _is_failed_handshake(error) or resource_error(error):
                    raise self._convert_error(error, request, attempt) from error
                wait = None
            self._wait(wait, attempt, deadline, request)

    def _check_retry(self, response: Response, request: Request, attempt: int) -> float | None:
        """Return the seconds that the server asks to wait, or raise if there is no retry."""
        url, subject = response.url, request.subject
        if response.status not in _RETRYABLE:
            raise refused_error(response.status, url, subject)
        limit = self._connection.longest_wait
        wait = read_retry_after(response.headers, datetime.datetime.now(datetime.timezone.utc))
        if wait is not None and wait > limit:
            raise retry_after_error(wait, limit, url, subject)
        if attempt > self._connection.retries:
            raise refused_error(response.status, url, subject, attempts=attempt)
        return wait

    def _wait(self, wait: float | None, attempt: int, deadline: float, request: Request) -> None:
        connection = self._connection
        if wait is None:
            wait = min(connection.backoff * 2.0 ** (attempt - 1), connection.longest_wait)
        if time.monotonic() + wait > deadline or self._closed.wait(wait):
            raise unreachable_error(
                "the time limit was exceeded", request.url, request.subject, attempts=attempt
            )

    def _convert_error(self, error: Exception, request: Request, attempt: int) -> Exception:
        url, subject = request.url, request.subject
        if isinstance(error, BrokenResponseError):
            times = f" ({attempt} attempts)" if attempt > 1 else ""
            return response_error(f"{error}{times}", url, subject, rule="answer-broken")
        connection = self._connection
        if limit := resource_error(error, "no connection can be opened", path=show_url(url)):
            return limit
        reason = describe_failure(error, connection.timeout)
        if _is_failed_handshake(error) or isinstance(error, urllib3.exceptions.SSLError):
            client = connection.client_certificate if _PEM_ERROR.search(reason) else None
            return tls_error(
                "the client certificate cannot be used" if client else reason,
                url,
                subject,
                bundle=connection.certificates,
                client=client,
            )
        if any(isinstance(each, urllib3.exceptions.ProxyError) for each in walk_causes(error)):
            proxy = requests.utils.select_proxy(url, connection.proxies_for(url)) or ""
            return proxy_error(reason, url, subject, proxy=proxy, attempts=attempt)
        return unreachable_error(reason, url, subject, attempts=attempt)

    @contextlib.contextmanager
    def _open(self, request: Request, deadline: float) -> Iterator[Response]:
        """Send the request, following redirects; the connection is kept if that is cheap."""
        raw, url = self._follow(request)
        try:
            yield Response(raw, url, request, deadline, self._closed)
        except BaseException:
            _close(raw)
            raise
        _release(raw)

    def _follow(self, request: Request) -> tuple[BaseHTTPResponse, str]:
        """Send the request, following redirects; return the response and its URL."""
        url = request.url
        credentials = self._credentials(url)
        for _ in range(_MAX_REDIRECTS + 1):
            raw, url = self._send(url, request, credentials)
            location = raw.headers.get("Location") if raw.status in _REDIRECTS else None
            if location is None:
                return raw, url
            _release(raw)
            url = _redirect_target(url, location, request)
            if read_origin(url) != read_origin(request.url):
                credentials = None  # also if a later redirect leads back
        raise response_error(
            f"the index redirects more than {_MAX_REDIRECTS} times",
            url,
            request.subject,
            rule="redirect-loop",
        )

    def _send(
        self, url: str, request: Request, credentials: tuple[str, str] | None
    ) -> tuple[BaseHTTPResponse, str]:
        headers = {**self._headers, **request.headers()}
        if credentials is not None:
            # Basic credentials in UTF-8 (RFC 7617)
            encoded = base64.b64encode(":".join(credentials).encode()).decode("ascii")
            headers["Authorization"] = f"Basic {encoded}"
        return self._transport.send(url, headers, request.subject)


def _is_failed_handshake(error: Exception) -> bool:
    reason = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else None
    return isinstance(error, requests.exceptions.SSLError) or isinstance(
        reason, urllib3.exceptions.SSLError
    )


def _release(raw: BaseHTTPResponse) -> None:
    """Read what is left of a short body, so that the connection can be reused; else close it."""
    length = raw.headers.get("Content-Length", "0" if raw.status == 304 else "")
    if length.isascii() and length.isdigit() and len(length) < 6:
        # RuntimeError: the body was already read, and decoded, to its end.
        with contextlib.suppress(urllib3.exceptions.HTTPError, RuntimeError):
            while raw.read1(CHUNK, decode_content=False):
                pass
    _close(raw)


def _close(raw: BaseHTTPResponse) -> None:
    """Give the connection back: closed, unless the body was read to its end."""
    raw.close()
    raw.release_conn()


def _redirect_target(url: str, location: str, request: Request) -> str:
    """The URL of a redirect, without credentials.

    :raises IndexResponseError: if it is not http(s), or is http after https
    """
    target = urllib.parse.urldefrag(urllib.parse.urljoin(url, location))[0]
    downgrade = url.lower().startswith("https:") and target.lower().startswith("http:")
    if not is_http(target) or downgrade:
        raise response_error(
            f"the index redirects to {show_url(target)}, "
            + ("from https to http" if downgrade else "which is neither http nor https"),
            url,
            request.subject,
            rule="redirect-target",
        )
    parts = urllib.parse.urlsplit(target)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
