"""A package index on loopback that behaves as PyPI does, round trips included.

HTTP/1.1 over TLS, connections kept alive, a thread for each. Pages and files have an origin each,
as on PyPI. A round trip is waited for where a client far away would wait for one: for the
connection, for the TLS handshake, and for each request.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import trustme

from benchmarks.index_pages import Resources, Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

    from benchmarks.index_store import Store

HOST = "127.0.0.1"
COUNTERS_PATH = "/-/counters"
_HEAD_LIMIT = 1 << 16
_BLOCK = 1 << 20


@dataclass(kw_only=True)
class Counters:
    """What was served since the start.

    :param requests: those for the counters left out
    :param bytes: of all responses, heads included, before encryption
    :param missing: requests for what the store should have had
    """

    connections: int = 0
    requests: int = 0
    bytes: int = 0
    missing: int = 0


class IndexServer:
    """Serves a store on two free ports; a context manager.

    :param rtt: seconds of a round trip
    :param tls: None for plain HTTP
    """

    def __init__(
        self,
        store: Store,
        *,
        rtt: float = 0.0,
        tls: ssl.SSLContext | None = None,
        metadata: bool = True,
        relative_urls: bool = False,
        port: int = 0,
    ) -> None:
        self._rtt = rtt
        self._tls = tls
        self._counters = Counters()
        self._lock = threading.Lock()
        ports = (port, port + 1 if port else 0)
        self._sockets = [socket.create_server((HOST, each), backlog=256) for each in ports]
        scheme = "http" if tls is None else "https"
        pages, files = (f"{scheme}://{HOST}:{each.getsockname()[1]}" for each in self._sockets)
        self.url = f"{pages}/simple/"
        self.counters_url = f"{pages}{COUNTERS_PATH}"
        self._resources = Resources(
            store, files_origin=files, metadata=metadata, relative_urls=relative_urls
        )

    def __enter__(self) -> Self:
        for listening in self._sockets:
            threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for listening in self._sockets:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        """Answer the requests of one connection until it ends."""
        self._count(connections=1)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            time.sleep(self._rtt)
            if self._tls is not None:
                time.sleep(self._rtt)
                connection = self._tls.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            received = b""
            while True:
                head, received = _receive(connection, received)
                if not head:
                    return
                self._answer(connection, head)

    def _answer(self, connection: socket.socket, head: bytes) -> None:
        request_line, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = request_line.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (x.partition(":") for x in lines)
        }
        if path == COUNTERS_PATH:
            with self._lock:
                told = json.dumps(asdict(self._counters)).encode()
            connection.sendall(Response(body=told).head() + told)
            return
        response = self._response(method, path, headers)
        time.sleep(self._rtt)
        start = response.head()
        body = b"" if method == "HEAD" else response.body
        self._count(requests=1, bytes=len(start) + len(body), missing=int(response.missing))
        if len(body) <= _BLOCK:
            connection.sendall(start + body)
            return
        connection.sendall(start)
        view = memoryview(body)
        for at in range(0, len(view), _BLOCK):
            connection.sendall(view[at : at + _BLOCK])

    def _response(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        if method not in {"GET", "HEAD"}:
            return Response(status=405)
        return self._resources.answer(path, headers)

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, number in more.items():
                setattr(self._counters, name, getattr(self._counters, name) + number)


def _receive(connection: socket.socket, received: bytes) -> tuple[bytes, bytes]:
    """The next head, without its last line end, and what came after it; empty at the end."""
    while b"\r\n\r\n" not in received:
        more = connection.recv(_HEAD_LIMIT)
        if not more or len(received) > _HEAD_LIMIT:
            return b"", b""
        received += more
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS settings, and the file of the CA to trust; made once per *folder*."""
    authority, server = folder / "ca.pem", folder / "server.pem"
    if not (authority.is_file() and server.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        made = trustme.CA()
        made.issue_cert(HOST, "localhost").private_key_and_cert_chain_pem.write_to_path(server)
        made.cert_pem.write_to_path(authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    context.set_alpn_protocols(["http/1.1"])
    return context, authority
