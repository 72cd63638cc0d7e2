"""What each request costs, and that the short way says and does the same as the long one."""

from __future__ import annotations

import gzip
import io
import threading
import time
from typing import TYPE_CHECKING

import pytest
import requests
import urllib3
from packaging.utils import canonicalize_name

from crossdeps.errors import CrossdepsError, IndexResponseError
from crossdeps.index.http_session import HttpSession
from crossdeps.index.model import Connection
from crossdeps.index.responses import BrokenResponseError, Request, Response
from tests.support import faults
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossdeps.index.client import IndexClient
    from tests.support.faults import Fault
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

NAMES = [canonicalize_name(f"p{number}") for number in range(16)]
TEXT = b"Metadata-Version: 2.1\n" * 1000


@pytest.fixture
def server(plain_index: IndexServer) -> IndexServer:
    for name in NAMES:
        plain_index.add(make_wheel(name, "1.0"))
    return plain_index


@pytest.fixture
def session() -> Iterator[HttpSession]:
    connection = Connection(timeout=0.5, retries=1, deadline=5.0, backoff=0.01)
    opened = HttpSession(connection, user_agent="crossdeps/0")
    yield opened
    opened.close()


def read(session: HttpSession, url: str) -> tuple[bytes, str]:
    def consume(response: Response) -> tuple[bytes, str]:
        return response.read(1 << 20), response.url

    return session.fetch(Request(url=url, subject="it"), consume)


@pytest.mark.parametrize("count", [4, 16])
def test_requests_prepares_once_for_a_server(
    server: IndexServer,
    open_client: OpenClient,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    prepared: list[str | None] = []
    prepare = requests.Request.prepare

    def counted(request: requests.Request) -> requests.PreparedRequest:
        prepared.append(request.url)
        return prepare(request)

    monkeypatch.setattr(requests.Request, "prepare", counted)
    client = open_client(server.url)
    for name in NAMES[:count]:
        client.page(name)
    assert len(prepared) == 1
    assert len(server.requests) == count


def test_both_ways_send_the_same(server: IndexServer, session: HttpSession) -> None:
    url = f"{server.url}p0/"
    for _ in range(2):
        assert read(session, url)[1] == url
    first, second = server.requests
    assert first == second


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/simple/a b/", "/simple/a%20b/"),
        ("/simple/%41/", "/simple/A/"),
        ("/simple/x/../p0/", "/simple/p0/"),
        ("/simple/p0/?a=1", "/simple/p0/?a=1"),
        ("/simple/é/", "/simple/%C3%A9/"),
    ],
)
def test_what_must_be_quoted_is_quoted_after_the_first_request_too(
    server: IndexServer, session: HttpSession, path: str, sent: str
) -> None:
    read(session, f"{server.url}p0/")
    server.serve(sent.partition("?")[0], b"found")
    assert read(session, server.origin + path) == (b"found", server.origin + sent)
    assert server.paths()[-1] == sent


@pytest.mark.parametrize(
    "fault",
    [
        faults.reset(),
        faults.stall(0.8),
        faults.short_body(10),
        faults.status(503),
        faults.status(403),
        faults.redirect("ftp://elsewhere/"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_errors_are_the_same_after_the_first_request(
    server: IndexServer, session: HttpSession, fault: Fault
) -> None:
    url = f"{server.url}p1/"
    server.script("/simple/p1/", [fault], repeat=True)
    with pytest.raises(CrossdepsError) as first:
        read(session, url)
    read(session, f"{server.url}p0/")
    with pytest.raises(CrossdepsError) as later:
        read(session, url)
    assert (str(later.value), later.value.context) == (str(first.value), first.value.context)
    assert type(later.value) is type(first.value)


def test_a_server_that_went_away_is_unreachable_as_at_first(
    server: IndexServer, session: HttpSession
) -> None:
    url = f"{server.url}p0/"
    read(session, url)
    server.close()
    fresh = HttpSession(Connection(timeout=0.5, retries=1, backoff=0.01), user_agent="crossdeps/0")
    messages = []
    for each in (session, fresh):
        with pytest.raises(CrossdepsError) as caught:
            read(each, url)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_a_failed_consumer_gives_its_connection_back(
    server: IndexServer, session: HttpSession
) -> None:
    """Otherwise the ninth request would wait for ever."""

    def fail(_response: Response) -> None:
        raise IndexResponseError("no")

    for _ in range(12):
        with pytest.raises(IndexResponseError):
            session.fetch(Request(url=f"{server.url}p0/", subject="it"), fail)
    assert read(session, f"{server.url}p0/")


def test_cookies_are_not_kept(server: IndexServer, session: HttpSession) -> None:
    for _ in range(3):
        read(session, f"{server.url}p0/")
    assert not any("cookie" in each.headers for each in server.requests)


def test_waiting_requests_open_connections_at_the_same_time(
    server: IndexServer, open_client: OpenClient
) -> None:
    server.configure(latency=0.2)
    client = open_client(server.url, timeout=5.0)
    begin = time.monotonic()
    threads = [threading.Thread(target=client.page, args=(name,)) for name in NAMES[:8]]
    for thread in threads:
        thread.start()
    while len(server.requests) < 8 and time.monotonic() - begin < 20:
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    pools = client._session.result()._transport._plain.poolmanager.pools  # type: ignore[union-attr]
    [pool] = [pools[key] for key in pools.keys()]  # noqa: SIM118 - it can't be iterated
    assert pool.num_connections == 8


def answer(body: bytes, encoding: str = "gzip") -> Response:
    raw = urllib3.HTTPResponse(
        io.BytesIO(body), {"Content-Encoding": encoding}, status=200, preload_content=False
    )
    request = Request(url="https://index/simple/it/", subject="it")
    return Response(raw, request.url, request, time.monotonic() + 60, threading.Event())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (gzip.compress(TEXT), TEXT),
        (gzip.compress(TEXT) + gzip.compress(b"more"), TEXT + b"more"),
        (gzip.compress(TEXT) + bytes(512), TEXT),
        (gzip.compress(TEXT) + b"garbage", TEXT),
        (gzip.compress(b""), b""),
        (b"", b""),
    ],
    ids=["one", "two members", "padded", "followed", "nothing", "no body"],
)
def test_compressed_bodies(body: bytes, expected: bytes) -> None:
    assert answer(body).read(1 << 20) == expected
    assert answer(body, " GZip ").read(1 << 20) == expected


@pytest.mark.parametrize(
    "body",
    [gzip.compress(TEXT)[:-9], gzip.compress(TEXT)[:-4], b"PK\3\4" + bytes(40), TEXT],
    ids=["cut", "without its size", "zip", "plain"],
)
def test_compressed_bodies_that_are_broken_are_asked_for_again(body: bytes) -> None:
    with pytest.raises(BrokenResponseError, match="invalid compression"):
        answer(body).read(1 << 20)


def test_a_bomb_is_not_inflated() -> None:
    body = gzip.compress(bytes(10_000_000))
    with pytest.raises(IndexResponseError, match="larger than 1,000 bytes"):
        answer(body).read(1000)
    with pytest.raises(IndexResponseError, match="larger than 20,000 bytes"):
        answer(gzip.compress(bytes(15_000)) * 2).read(20_000)


def test_what_is_as_large_as_allowed_is_read() -> None:
    assert len(answer(gzip.compress(bytes(1000))).read(1000)) == 1000
    assert len(answer(gzip.compress(bytes(500)) * 2).read(1000)) == 1000
