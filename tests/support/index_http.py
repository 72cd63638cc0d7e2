"""The HTTP side of the index on loopback: connections, ranges, and how faults reach the wire."""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import socket
import struct
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.faults import Fault

_HANG_UP = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer as it should be; *whole* is the complete content of a partial one."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    whole: bytes | None = None


class _Dropped(Exception):  # noqa: N818 -- not an error: a fault that was asked for
    """The connection is to end now."""


def apply_range(answer: Answer, question: Question, support: str) -> Answer:
    """Answer a ``Range`` of one part (RFC 9110, section 14) out of the whole content."""
    wanted = question.headers.get("range")
    if support == "ignored":
        return answer
    answer = replace(answer, headers={**answer.headers, "Accept-Ranges": "bytes"})
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if wanted is None or match is None or match.groups() == ("", ""):
        return answer
    first, last = match.groups()
    size = len(answer.content)
    if not first and support == "no-suffix":
        return Answer(status=501)
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        return Answer(status=416, headers={"Content-Range": f"bytes */{size}"})
    return Answer(
        status=206,
        headers={**answer.headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}"},
        content=answer.content[start:stop],
        whole=answer.content,
    )


class HttpServer:
    """Answers on a free port of *host*, each connection on a thread of its own."""

    def __init__(
        self,
        host: str,
        answer: Callable[[Question], tuple[Answer, Fault, float]],
        record: Callable[[Question, int], None],
    ) -> None:
        self.stopping = threading.Event()
        self.answer = answer
        self.record = record
        self.connections: set[socket.socket] = set()
        self.lock = threading.Lock()
        self._server = _Server(host, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        name = f"[{host}]" if ":" in host else host
        self.origin = f"http://{name}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """End every connection and every stall, and free the port."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        with self.lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, host: str, owner: HttpServer) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.owner = owner
        super().__init__((host, 0), _Handler)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the parent class, which may leave the machine."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Say nothing: a client that hangs up is what many tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.owner.lock:
            self.server.owner.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.owner.lock:
            self.server.owner.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the parent's name
        """Requests are recorded, not printed."""

    def do_GET(self) -> None:
        self._serve(with_body=True)

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def do_POST(self) -> None:
        self._serve(with_body=True)

    def _serve(self, *, with_body: bool) -> None:
        owner = self.server.owner
        question = Question(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        answer, fault, latency = owner.answer(question)
        silent = fault.abort and fault.keep is None
        status = fault.code or answer.status
        owner.record(question, 0 if silent else status)
        content = answer.content if fault.content is None else fault.content
        try:
            self._wait(latency + (fault.pause if fault.pause_after is None else 0.0))
            if not silent:
                self._send_headers(answer, fault, status, len(content))
                if with_body and status != 304:
                    self._send_body(content, fault)
        except (_Dropped, OSError):
            self.close_connection = True
        if fault.abort:
            self._abort()

    def _abort(self) -> None:
        """Reset the connection: the descriptor is closed under the files that share it."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HANG_UP)
        os.close(self.connection.detach())

    def _wait(self, seconds: float) -> None:
        if seconds and self.server.owner.stopping.wait(seconds):
            raise _Dropped

    def _send_headers(self, answer: Answer, fault: Fault, status: int, size: int) -> None:
        headers: dict[str, str | None] = {**answer.headers}
        if status != 304:
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(size),
                **headers,
            }
        headers |= fault.headers
        self.send_response_only(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def _send_body(self, content: bytes, fault: Fault) -> None:
        if fault.pause_after is not None:
            self.wfile.write(content[: fault.pause_after])
            self.wfile.flush()
            content = content[fault.pause_after :]
            self._wait(fault.pause)
        if fault.keep is not None:
            self.wfile.write(content[: fault.keep])
            self.wfile.flush()
            raise _Dropped
        self.wfile.write(content)
