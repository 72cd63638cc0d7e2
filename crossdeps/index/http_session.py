"""The one HTTP session: every byte from the network comes through here.

Redirects are followed by hand, so that credentials never leave the origin they were meant for,
https never becomes http and nothing but http(s) is followed. Environment variables, netrc files
and cookies are never read here.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, TypeVar

import requests
import requests.utils
import urllib3.exceptions

from crossdeps.index import responses as answers
from crossdeps.index.adapters import PooledAdapter, QuietAdapter, SharedTlsAdapter
from crossdeps.index.model import Connection, CredentialsLookup, no_credentials
from crossdeps.index.responses import CHUNK, Answer, BrokenAnswerError, Request
from crossdeps.text import is_http, read_origin, show_url

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_RETRIED = frozenset({429, 500, 502, 503, 504})
_BROKEN = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.TimeoutError,
    urllib3.exceptions.SSLError,
)


class HttpSession:
    """Asks servers, retries what may pass, and turns everything else into errors.

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
        self._lock = threading.Lock()
        self._plain, self._quiet = PooledAdapter(), QuietAdapter()
        self._shared: SharedTlsAdapter | None = None
        self._closed = threading.Event()

    def close(self) -> None:
        """Stop waits and transfers soon, and close idle connections."""
        self._closed.set()
        with self._lock:
            for adapter in (self._plain, self._quiet, self._shared):
                if adapter is not None:
                    adapter.close()

    def fetch(self, request: Request, consume: Callable[[Answer], T]) -> T:
        """Ask, and hand each answer of an accepted status to *consume*, which reads its body.

        A broken connection, a short body, and 429, 500, 502, 503 and 504 are tried again, which
        calls *consume* again.

        :raises IndexUnreachableError: if no whole answer came
        :raises IndexRefusedError: for any other status
        :raises IndexResponseError: if a redirect leads astray, or *consume* says so
        """
        connection = self._connection
        ends = time.monotonic() + (request.deadline or connection.deadline)
        attempt = 0
        while True:
            attempt += 1
            last = attempt > connection.retries
            wait: float | None
            try:
                with self._open(request, ends) as answer:
                    if answer.status in request.accept:
                        return consume(answer)
                    wait = self._refuse(answer, request, attempt)
            except (BrokenAnswerError, *_BROKEN) as error:
                if last or isinstance(error, requests.exceptions.SSLError):
                    raise self._failure(error, request, attempt) from error
                wait = None
            self._pause(wait, attempt, ends, request)

    def _refuse(self, answer: Answer, request: Request, attempt: int) -> float | None:
        """Raise, unless the status is worth another attempt: then the seconds it asks to wait."""
        if answer.status not in _RETRIED:
            raise answers.refused(answer.status, answer.url, request.subject)
        cap = self._connection.longest_wait
        now = datetime.datetime.now(datetime.timezone.utc)
        wait = answers.read_retry_after(answer.headers, now)
        if wait is not None and wait > cap:
            raise answers.waits_too_long(wait, cap, answer.url, request.subject)
        if attempt > self._connection.retries:
            raise answers.refused(answer.status, answer.url, request.subject, attempts=attempt)
        return wait

    def _pause(self, wait: float | None, attempt: int, ends: float, request: Request) -> None:
        if wait is None:
            wait = min(
                self._connection.backoff * 2.0 ** (attempt - 1), self._connection.longest_wait
            )
        late = time.monotonic() + wait > ends
        if late or self._closed.wait(wait):
            raise answers.unreachable(
                "the time for it is over", request.url, request.subject, attempts=attempt
            )

    def _failure(self, error: Exception, request: Request, attempt: int) -> Exception:
        if isinstance(error, BrokenAnswerError):
            return answers.untrustworthy(
                f"{error}, {attempt} times" if attempt > 1 else str(error),
                request.url,
                request.subject,
                rule="answer-broken",
            )
        reason = answers.find_reason(error, self._connection.timeout)
        if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
            return answers.certificate_refused(
                reason, request.url, request.subject, bundle=self._connection.certificates
            )
        return answers.unreachable(reason, request.url, request.subject, attempts=attempt)

    def _open(self, request: Request, ends: float) -> _Opened:
        """Send the request, following redirects (at most five)."""
        url = request.url
        credentials = self._credentials(url)
        origin = read_origin(url)
        for _ in range(_MOST_REDIRECTS + 1):
            raw = self._send(url, request, credentials)
            location = raw.headers.get("Location")
            if raw.status_code not in _REDIRECTS or location is None:
                return _Opened(raw, Answer(raw, request, ends, self._closed))
            _finish(raw)
            url = _next_url(url, location, request)
            if read_origin(url) != origin:
                credentials = None  # for good, even if it comes back
        raise answers.untrustworthy(
            f"the index redirects more than {_MOST_REDIRECTS} times",
            url,
            request.subject,
            rule="redirect-loop",
        )

    def _send(
        self, url: str, request: Request, credentials: tuple[str, str] | None
    ) -> requests.Response:
        headers = {**self._headers, **request.headers()}
        if credentials is not None:
            headers["Authorization"] = _basic(*credentials)
        try:
            prepared = requests.Request("GET", url, headers=headers).prepare()
        except (requests.exceptions.RequestException, ValueError) as error:
            raise answers.untrustworthy(
                "the URL isn't valid", url, request.subject, rule="url"
            ) from error
        connection = self._connection
        trusted = connection.trusts(url)
        proxies = connection.proxies_for(url)
        try:
            return self._adapter(url, proxies, trusted=trusted).send(
                prepared,
                stream=True,
                timeout=(connection.timeout, connection.timeout),
                verify=False if trusted else connection.certificates or True,
                cert=connection.client_certificate,
                proxies=proxies,
            )
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidProxyURL,
            requests.exceptions.InvalidSchema,
        ) as error:  # the index's URL was valid, so it is the proxy's
            socks = any("socks" in str(proxy).lower() for proxy in proxies.values())
            raise answers.unreachable(
                "the proxy can't be used",
                url,
                request.subject,
                hint="a SOCKS proxy needs PySocks installed beside crossdeps"
                if socks
                else "give it as http://HOST:PORT",
            ) from error
        except requests.exceptions.RequestException:
            raise
        except OSError as error:  # a bundle or client certificate that can't be read
            raise answers.certificate_refused(
                "the certificates can't be read",
                url,
                request.subject,
                bundle=connection.certificates or connection.client_certificate,
            ) from error

    def _adapter(self, url: str, proxies: dict[str, str], *, trusted: bool) -> PooledAdapter:
        """What carries a request.

        :raises OSError: if the certificates can't be read
        """
        if trusted:
            return self._quiet
        proxy = requests.utils.select_proxy(url, proxies) or ""
        if not url.lower().startswith("https:") or proxy.lower().startswith("https:"):
            return self._plain
        with self._lock:
            if self._shared is None:
                self._shared = SharedTlsAdapter(self._connection.certificates)
            return self._shared


class _Opened:
    """An open answer; afterwards its connection is kept if that is cheap, else closed."""

    def __init__(self, raw: requests.Response, answer: Answer) -> None:
        self._raw = raw
        self._answer = answer

    def __enter__(self) -> Answer:
        return self._answer

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            _finish(self._raw)
        else:
            self._raw.close()


def _finish(raw: requests.Response) -> None:
    """Read a short rest, so that the connection can be used again; drop it with a long one."""
    length = raw.headers.get("Content-Length", "0" if raw.status_code == 304 else "")
    if length.isascii() and length.isdigit() and len(length) < 6:
        # RuntimeError comes where the body was already read decoded: to its end, then.
        with contextlib.suppress(urllib3.exceptions.HTTPError, RuntimeError):
            while raw.raw.read1(CHUNK, decode_content=False):
                pass
    raw.close()


def _basic(user: str, password: str) -> str:
    """Basic credentials in UTF-8 (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _next_url(url: str, location: str, request: Request) -> str:
    """Where a redirect leads.

    :raises IndexResponseError: if that isn't http(s), or is http after https
    """
    target = urllib.parse.urldefrag(urllib.parse.urljoin(url, location))[0]
    downgrade = url.lower().startswith("https:") and target.lower().startswith("http:")
    if not is_http(target) or downgrade:
        raise answers.untrustworthy(
            f"the index redirects to {show_url(target)}, "
            + ("from https to http" if downgrade else "which is neither http nor https"),
            url,
            request.subject,
            rule="redirect-target",
        )
    return _without_userinfo(target)


def _without_userinfo(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
