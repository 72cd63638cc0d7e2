"""The Lambda Runtime API on loopback, for one invocation.

The paths, headers and status codes are those of "Using the Lambda runtime API for custom runtimes"
in the AWS Lambda developer guide.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "/2018-06-01/runtime"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:example"


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeReport:
    """What the runtime client reported: how the invocation or the initialisation ended."""

    kind: Literal["response", "invocation error", "init error"]
    body: bytes


class RuntimeApi(ThreadingHTTPServer):
    """Hands out one event and keeps the first report."""

    daemon_threads = True

    def __init__(self, event: object, *, seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = json.dumps(event).encode()
        self.deadline_ms = int((time.time() + seconds) * 1000)
        self.request_id = str(uuid.uuid4())
        self.report: RuntimeReport | None = None
        self.reported = threading.Event()
        self.closing = threading.Event()
        self._given = threading.Lock()

    @property
    def address(self) -> str:
        """``host:port``, the form of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that is killed while it waits resets its connection."""

    def take_event(self) -> bool:
        """Whether the event is still to be had; a second caller waits, as a frozen sandbox does."""
        return self._given.acquire(blocking=False)

    def keep(self, report: RuntimeReport) -> None:
        """Keep the first *report*."""
        if self.report is None:
            self.report = report
            self.reported.set()


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer ``invocation/next``."""
        if self.path != f"{API}/invocation/next":
            self._answer(404, b"{}")
        elif self.server.take_event():
            headers = {
                "Lambda-Runtime-Aws-Request-Id": self.server.request_id,
                "Lambda-Runtime-Deadline-Ms": str(self.server.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": FUNCTION,
                "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            }
            self._answer(200, self.server.event, headers)
        else:
            self.server.closing.wait()
            self.close_connection = True

    def do_POST(self) -> None:
        """Take a response or an error."""
        body = self._read_body()
        invocation = f"{API}/invocation/{self.server.request_id}"
        if self.path == f"{invocation}/response":
            self.server.keep(RuntimeReport(kind="response", body=body))
        elif self.path == f"{invocation}/error":
            self.server.keep(RuntimeReport(kind="invocation error", body=body))
        elif self.path == f"{API}/init/error":
            self.server.keep(RuntimeReport(kind="init error", body=body))
        else:
            self._answer(404, b"{}")
            return
        self._answer(202, b'{"status":"OK"}')

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        """Say nothing: the outcome tells."""


@contextmanager
def serve_runtime_api(event: object, *, seconds: float) -> Iterator[RuntimeApi]:
    """Serve the API for one *event* with *seconds* to live."""
    with RuntimeApi(event, seconds=seconds) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
