"""How connections to servers are made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

if TYPE_CHECKING:
    import urllib3.connection

_POOLS = 16
_PER_HOST = 8


class PooledAdapter(HTTPAdapter):
    """Keeps connections: up to eight to one host, and whoever needs a ninth waits."""

    def __init__(self) -> None:
        super().__init__(
            pool_connections=_POOLS, pool_maxsize=_PER_HOST, pool_block=True, max_retries=0
        )


class SharedTlsAdapter(PooledAdapter):
    """Has one TLS context for all connections.

    Left to itself, urllib3 reads the certificates anew for each connection, which takes longer
    than the rest of the handshake. Not for proxies that are spoken to by TLS: they need the bundle
    by name.

    :param bundle: path of the certificates to trust; None uses those that come with requests
    :raises OSError: if they can't be read
    """

    def __init__(self, bundle: str | None) -> None:
        path = bundle or DEFAULT_CA_BUNDLE_PATH
        self._context = create_urllib3_context()
        if os.path.isdir(path):  # noqa: PTH112 - as requests tells them apart
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
        """Have every connection use the one context."""
        super().init_poolmanager(
            connections, maxsize, block, ssl_context=self._context, **pool_kwargs
        )

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:  # noqa: ANN401
        """Have connections through a proxy use it too."""
        return super().proxy_manager_for(proxy, ssl_context=self._context, **proxy_kwargs)

    def cert_verify(
        self,
        conn: Any,  # noqa: ANN401
        url: str,
        verify: bool | str,  # noqa: FBT001
        cert: str | tuple[str, str] | None,
    ) -> None:
        """Have certificates required; the context knows which are trusted."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        if verify:
            conn.ca_certs = conn.ca_cert_dir = None


class _QuietPool(HTTPSConnectionPool):
    """Connections to hosts whose certificate the user asked not to check: no warning each time."""

    def _validate_conn(self, conn: urllib3.connection.HTTPConnection) -> None:  # type: ignore[override]
        if conn.is_closed:
            conn.connect()


class QuietAdapter(PooledAdapter):
    """For hosts whose certificate the user asked not to check."""

    def __init__(self) -> None:
        super().__init__()
        self.poolmanager.pool_classes_by_scheme = {
            **self.poolmanager.pool_classes_by_scheme,
            "https": _QuietPool,
        }
