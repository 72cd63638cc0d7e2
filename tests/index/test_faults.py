"""What an index does wrong on the wire, on real sockets, and what becomes of it."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from crossdeps.errors import (
    IndexAccessError,
    IndexRefusedError,
    IndexResponseError,
    IndexUnreachableError,
)
from tests.support import faults
from tests.support.index_pages import JSON_TYPE
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossdeps.index.client import IndexClient
    from tests.support.faults import Fault
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

FOO = canonicalize_name("foo")
PAGE = "/simple/foo/"


@pytest.fixture
def server(plain_index: IndexServer) -> IndexServer:
    plain_index.add(make_wheel("foo", "1.0"))
    return plain_index


@pytest.mark.parametrize(
    "fault",
    [
        faults.status(500),
        faults.status(502),
        faults.status(503),
        faults.status(504),
        faults.status(429),
        faults.retry_later(503, after="0"),
        faults.retry_later(429, after="Wed, 21 Oct 2015 07:28:00 GMT"),
        faults.retry_later(503, after="soon"),
        faults.reset(),
        faults.reset(after=20),
        faults.short_body(20),
        faults.stall(1.5),
        faults.stall(1.5, after=20),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_may_pass_is_tried_again(
    server: IndexServer, open_client: OpenClient, fault: Fault
) -> None:
    server.script(PAGE, [fault])
    assert len(open_client(server.url).page(FOO).files) == 1
    assert server.paths() == [PAGE, PAGE]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.status(503), IndexRefusedError),
        (faults.reset(), IndexUnreachableError),
        (faults.short_body(20), IndexUnreachableError),
        (
            faults.Fault(headers={"Content-Encoding": "gzip"}, content=b"no gzip"),
            IndexResponseError,
        ),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_tries_are_bounded(
    server: IndexServer, open_client: OpenClient, fault: Fault, error: type[IndexAccessError]
) -> None:
    server.script(PAGE, [fault], repeat=True)
    with pytest.raises(error) as caught:
        open_client(server.url).page(FOO)
    assert len(server.requests) == 3
    assert caught.value.context == ("foo", server.url + "foo/")
    assert "3" in caught.value.message


@pytest.mark.parametrize("code", [400, 401, 403, 405, 406, 451, 501])
def test_a_refusal_is_not_asked_again(
    server: IndexServer, open_client: OpenClient, code: int
) -> None:
    server.script(PAGE, [faults.status(code)], repeat=True)
    with pytest.raises(IndexRefusedError) as caught:
        open_client(server.url).page(FOO)
    assert len(server.requests) == 1
    assert str(code) in caught.value.message
    assert caught.value.context == ("foo", server.url + "foo/")


@pytest.mark.parametrize("code", [404, 410])
def test_what_is_not_there_is_no_error(
    server: IndexServer, open_client: OpenClient, code: int
) -> None:
    server.script(PAGE, [faults.status(code)], repeat=True)
    page = open_client(server.url).page(FOO)
    assert (len(page.files), page.found_on, page.searched) == (0, (), (server.url,))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "after", ["86400", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_a_wait_beyond_reason_fails_at_once(
    server: IndexServer, open_client: OpenClient, after: str
) -> None:
    server.script(PAGE, [faults.retry_later(429, after=after)], repeat=True)
    with pytest.raises(IndexRefusedError, match="asked to retry after"):
        open_client(server.url).page(FOO)
    assert len(server.requests) == 1


def test_a_short_wait_is_obeyed(server: IndexServer, open_client: OpenClient) -> None:
    server.script(PAGE, [faults.retry_later(503, after="1")])
    assert len(open_client(server.url).page(FOO).files) == 1
    assert len(server.requests) == 2


def test_a_wait_that_outlasts_the_deadline_is_not_begun(
    server: IndexServer, open_client: OpenClient
) -> None:
    server.script(PAGE, [faults.retry_later(503, after="600")])
    with pytest.raises(IndexUnreachableError, match="the time limit was exceeded"):
        open_client(server.url, deadline=300.0, longest_wait=600.0).page(FOO)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (faults.other_body(b""), "page-empty"),
        (faults.other_body(b"{"), "page-json"),
        (faults.other_body(b"<html>"), "page-json"),
        (faults.content_type(None), "page-content-type"),
        (faults.content_type("application/octet-stream"), "page-content-type"),
        (faults.content_type("application/vnd.pypi.simple.v2+json"), "page-api-version"),
        (faults.redirect("file:///etc/passwd"), "redirect-target"),
        (faults.redirect("ftp://127.0.0.1/"), "redirect-target"),
        (faults.redirect("data:text/plain,x"), "redirect-target"),
        (faults.redirect("gopher:x"), "redirect-target"),
        (faults.redirect(PAGE), "redirect-loop"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_nonsense_names_project_and_page(
    server: IndexServer, open_client: OpenClient, fault: Fault, rule: str
) -> None:
    """Neither trusted nor followed in circles (C46)."""
    server.script(PAGE, [fault], repeat=True)
    with pytest.raises(IndexResponseError) as caught:
        open_client(server.url).page(FOO)
    assert caught.value.rule == rule
    assert caught.value.context[0] == "foo"
    assert caught.value.context[1].startswith(server.url)


def test_redirects_are_followed_and_links_resolve_against_the_last(
    server: IndexServer, open_client: OpenClient, make_index: Callable[..., IndexServer]
) -> None:
    """Relative links start from the page that came in the end (C39)."""
    other = make_index(server.settings)
    other.configure(relative_urls=True)
    other.add(make_wheel("foo", "2.0"))
    server.script(PAGE, [faults.redirect(other.url + "foo/", code=308)])
    [file] = open_client(server.url).page(FOO).files
    assert file.url == other.file_url("foo-2.0-py3-none-any.whl")
    assert file.index == server.url


def test_credentials_stay_with_their_origin(
    server: IndexServer, open_client: OpenClient, make_index: Callable[..., IndexServer]
) -> None:
    """Neither a redirect nor a link carries them elsewhere; no cookies and no netrc either."""
    other = make_index(server.settings)
    other.add(make_wheel("foo", "2.0"))
    server.configure(credentials=("me", "secret"))
    pair = ("me", "secret")
    client = open_client(
        server.url, credentials=lambda url: pair if url.startswith(server.origin) else None
    )
    cookie = {"Set-Cookie": "a=b", "Location": other.url + "foo/"}
    server.script(PAGE, [faults.status(302, headers=cookie)])
    client.page(FOO)
    assert "authorization" in server.requests[0].headers
    for request in other.requests:
        assert not {"authorization", "cookie"} & {name.lower() for name in request.headers}


def test_credentials_come_back_from_no_detour(
    server: IndexServer, open_client: OpenClient, make_index: Callable[..., IndexServer]
) -> None:
    """An origin that was reached by way of another gets none: the other one chose the path."""
    other = make_index(server.settings)
    server.configure(credentials=("me", "secret"))
    server.script(PAGE, [faults.redirect(other.url + "foo/")])
    other.script(PAGE, [faults.redirect(server.url + "private/")])
    with pytest.raises(IndexRefusedError, match="401"):
        open_client(server.url, credentials=lambda _url: ("me", "secret")).page(FOO)


def test_a_netrc_file_is_never_read(
    server: IndexServer, open_client: OpenClient, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", netrc)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    open_client(server.url).page(FOO)
    assert "authorization" not in server.requests[0].headers


def test_a_compressed_bomb_is_cut_off(server: IndexServer, open_client: OpenClient) -> None:
    """100 MB of decoded page is the most; nothing like it is ever held at once."""
    bomb = gzip.compress(bytes(120_000_000))
    server.script(
        PAGE,
        [faults.Fault(content=bomb, headers={"Content-Encoding": "gzip"})],
    )
    with pytest.raises(IndexResponseError) as caught:
        open_client(server.url, deadline=60).page(FOO)
    assert caught.value.rule == "answer-size"


def test_forty_thousand_files_are_read_in_a_moment(
    server: IndexServer, open_client: OpenClient
) -> None:
    entry = (
        '{"filename":"foo-%d-py3-none-any.whl","url":"https://x.example/foo-%d-py3-none-any.whl",'
        '"hashes":{"sha256":"%064x"}}'
    )
    files = ",".join(entry % (i, i, i) for i in range(40_000))
    server.serve(PAGE, f'{{"files":[{files}]}}'.encode(), JSON_TYPE)
    page = open_client(server.url).page(FOO)
    assert len(page.files) == 40_000
    assert page.files[39_999].hashes == {"sha256": f"{39_999:064x}"}


def test_no_server_is_unreachable(server: IndexServer, open_client: OpenClient) -> None:
    server.close()
    with pytest.raises(IndexUnreachableError, match="refused") as caught:
        open_client(server.url).page(FOO)
    assert caught.value.context == ("foo", server.url + "foo/")


def test_a_server_that_drips_is_given_up(open_client: OpenClient) -> None:
    """Bytes keep coming, so that no idle timeout helps: the deadline does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = threading.Event()

        def drip() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
                peer.sendall(b"Content-Length: 100000\r\n\r\n")
                with contextlib.suppress(OSError):
                    while not done.wait(0.05):
                        peer.sendall(b"x")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(IndexUnreachableError, match="the transfer took too long"):
            open_client(f"http://127.0.0.1:{port}/simple/", deadline=0.6).page(FOO)
        done.set()
        thread.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"SSH-2.0-nonsense\r\n",
        b"",
    ],
)
def test_what_is_no_http_is_unreachable(open_client: OpenClient, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer_all() -> None:
            for _ in range(3):
                peer, _ = listener.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(answer)

        thread = threading.Thread(target=answer_all, daemon=True)
        thread.start()
        with pytest.raises(IndexUnreachableError):
            open_client(f"http://127.0.0.1:{port}/simple/").page(FOO)
        thread.join(5)


def test_connections_are_used_again(server: IndexServer, open_client: OpenClient) -> None:
    """Pages of several projects, missing ones too, come over one connection each thread."""
    client = open_client(server.url)
    for name in ("foo", "bar", "baz"):
        client.page(canonicalize_name(name))
    assert client._session is not None
    session = client._session.result()
    pools = session._transport._plain.poolmanager.pools
    [pool] = [pools[key] for key in pools.keys()]  # noqa: SIM118 - it can't be iterated
    assert pool.num_connections == 1


@pytest.mark.parametrize("secret", ["hunter2", "p%40ss"])
def test_no_error_tells_a_secret(server: IndexServer, open_client: OpenClient, secret: str) -> None:
    server.script(
        PAGE, [faults.redirect(f"http://me:{secret}@127.0.0.1:1/?sig={secret}")], repeat=True
    )
    with pytest.raises(IndexAccessError) as caught:
        open_client(server.url).page(FOO)
    assert secret not in str(caught.value)
