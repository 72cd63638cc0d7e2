"""Adapters of requests: connection pools and TLS; and the transport that uses them."""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, Any

import requests
import requests.utils
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from crossdeps.index.responses import response_error, tls_error, unreachable_error
from crossdeps.system_errors import resource_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool
    from urllib3.connection import HTTPConnection

    from crossdeps.index.model import Connection

_POOLS = 16
_PER_HOST = 8

# A broken attempt is an error at once: the session decides about retries.
_NO_RETRIES = urllib3.Retry(0, read=False)
# A URL that is sent as it is, without quoting: that of most pages and files.
_PLAIN_URL = re.compile(
    r"(?P<origin>https?://[A-Za-z0-9.-]+(?::[0-9]+)?)"
    r"(?P<path>(?:/[A-Za-z0-9_~+!-][A-Za-z0-9._~+!-]*)+/?)"
)


class PooledAdapter(HTTPAdapter):
    """Keeps up to eight connections to a host; a thread that needs a ninth waits."""

    def __init__(self) -> None:
        super().__init__(
            pool_connections=_POOLS, pool_maxsize=_PER_HOST, pool_block=True, max_retries=0
        )


class SharedTlsAdapter(PooledAdapter):
    """Uses one TLS context for all connections.

    By default urllib3 reads the certificates again for each connection, which takes longer than
    the rest of the handshake. Not for https proxies, which need the path of the bundle.

    :param bundle: path of the certificates to trust; None uses those that come with requests
    :raises OSError: if they cannot be read
    """

    def __init__(self, bundle: str | None) -> None:
        path = bundle or DEFAULT_CA_BUNDLE_PATH
        self._context = create_urllib3_context()
        if os.path.isdir(path):  # noqa: PTH112 - as in requests
            self._context.load_verify_locations(capath=path)
        else:
            self._context.load_verify_locations(cafile=path)
        super().__init__()

    # The signatures are those of requests.
    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002
        **pool_kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Use the context for every connection."""
        super().init_poolmanager(
            connections, maxsize, block, ssl_context=self._context, **pool_kwargs
        )

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:  # noqa: ANN401
        """Use the context for connections through a proxy."""
        return super().proxy_manager_for(proxy, ssl_context=self._context, **proxy_kwargs)

    def cert_verify(
        self,
        conn: Any,  # noqa: ANN401
        url: str,
        verify: bool | str,  # noqa: FBT001
        cert: str | tuple[str, str] | None,
    ) -> None:
        """Require certificates; the context knows which are trusted."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        if verify:
            conn.ca_certs = conn.ca_cert_dir = None


class _QuietPool(HTTPSConnectionPool):
    """Does not warn about each connection whose certificate is not checked."""

    def _validate_conn(self, conn: HTTPConnection) -> None:  # type: ignore[override]
        if conn.is_closed:
            conn.connect()


class QuietAdapter(PooledAdapter):
    """For trusted hosts, whose certificates are not checked."""

    def __init__(self) -> None:
        super().__init__()
        self.poolmanager.pool_classes_by_scheme = {
            **self.poolmanager.pool_classes_by_scheme,
            "https": _QuietPool,
        }


class Transport:
    """Sends requests, without retries and redirects, over connections that it keeps.

    Safe to use from several threads.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._plain, self._quiet = PooledAdapter(), QuietAdapter()
        self._shared: SharedTlsAdapter | None = None
        self._pools: dict[str, HTTPConnectionPool] = {}
        self._timeout = urllib3.Timeout(connect=connection.timeout, read=connection.timeout)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for adapter in (self._plain, self._quiet, self._shared):
                if adapter is not None:
                    adapter.close()

    def send(
        self, url: str, headers: Mapping[str, str], subject: str
    ) -> tuple[BaseHTTPResponse, str]:
        """Send a GET request.

        :param subject: for messages
        :returns: the response, whose body has not been read, and the URL as it was sent
        :raises IndexResponseError: if the URL is not valid
        :raises IndexUnreachableError: if the proxy or the certificates cannot be used
        :raises requests.exceptions.RequestException: if the connection fails
        :raises urllib3.exceptions.HTTPError: the same
        """
        plain = _PLAIN_URL.fullmatch(url)
        pool = self._pools.get(plain["origin"]) if plain is not None else None
        if plain is None or pool is None:
            return self._send_by_adapter(url, headers, subject, plain)
        # What requests would do again for each request, the first one to this server has done.
        response = pool.urlopen(
            "GET",
            plain["path"],
            headers=headers,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=_NO_RETRIES,
            timeout=self._timeout,
        )
        return response, url

    def _send_by_adapter(
        self,
        url: str,
        headers: Mapping[str, str],
        subject: str,
        plain: re.Match[str] | None,
    ) -> tuple[BaseHTTPResponse, str]:
        """Send a request by requests; keep the pool of a server that is reached without a proxy."""
        try:
            prepared = requests.Request("GET", url, headers=headers).prepare()
        except (requests.exceptions.RequestException, ValueError) as error:
            raise response_error("the URL is not valid", url, subject, rule="url") from error
        connection = self._connection
        trusted = connection.is_trusted(url)
        proxies = connection.proxies_for(url)
        verify = False if trusted else connection.certificates or True
        certificate = connection.client_certificate
        try:
            adapter = self._adapter(url, proxies, trusted=trusted)
        except OSError as error:
            bundle = connection.certificates or DEFAULT_CA_BUNDLE_PATH
            limit = resource_error(error, "the certificates cannot be read", path=bundle)
            raise limit or tls_error(
                "the certificates cannot be read", url, subject, bundle=bundle
            ) from error
        try:
            response: BaseHTTPResponse = adapter.send(
                prepared,
                stream=True,
                timeout=(connection.timeout, connection.timeout),
                verify=verify,
                cert=certificate,
                proxies=proxies,
            ).raw
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidProxyURL,
            requests.exceptions.InvalidSchema,
        ) as error:  # the URL of the index was valid, so it is that of the proxy
            is_socks = any("socks" in str(proxy).lower() for proxy in proxies.values())
            raise unreachable_error(
                "the proxy cannot be used",
                url,
                subject,
                hint="a SOCKS proxy requires PySocks in the environment of crossdeps"
                if is_socks
                else "give it as http://HOST:PORT",
            ) from error
        except requests.exceptions.RequestException:
            raise
        except OSError as error:  # a client certificate that is not there
            client = connection.client_certificate
            raise tls_error(
                f"the {'client certificate' if client else 'certificates'} cannot be read",
                url,
                subject,
                bundle=connection.certificates,
                client=client,
            ) from error
        if plain is not None and not proxies:
            pool = adapter.get_connection_with_tls_context(prepared, verify, cert=certificate)
            self._pools[plain["origin"]] = pool  # type: ignore[assignment] # stubs are too wide
        return response, prepared.url or url

    def _adapter(self, url: str, proxies: dict[str, str], *, trusted: bool) -> PooledAdapter:
        """The adapter for a URL and its proxies.

        :raises OSError: if the certificates cannot be read
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
