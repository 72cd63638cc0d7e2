"""Adapters of requests: connection pools and TLS."""

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

    def _validate_conn(self, conn: urllib3.connection.HTTPConnection) -> None:  # type: ignore[override]
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
