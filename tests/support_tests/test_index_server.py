"""The index on loopback has the habits that its settings say, and the faults of its script."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Literal

import pytest
import requests

from tests.support import faults
from tests.support.index_pages import JSON_TYPE
from tests.support.index_server import IndexServer, Settings
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Get = Callable[..., requests.Response]

WHEEL = make_wheel("Foo.Bar", "1.0", requires_python=">=3.8")
AS_JSON = {"Accept": JSON_TYPE}
FOR_EVER = 3600.0


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def get(session: requests.Session) -> Callable[..., requests.Response]:
    def ask(
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        auth: tuple[str, str] | None = None,
        allow_redirects: bool = True,
        timeout: float = 5,
    ) -> requests.Response:
        return session.get(
            url,
            headers=dict(headers or {}),
            auth=auth,
            allow_redirects=allow_redirects,
            timeout=timeout,
        )

    return ask


def test_a_page_lists_files_in_both_forms(index_server: IndexServer, get: Get) -> None:
    url = index_server.add(WHEEL, yanked="it <broke>")
    answer = get(index_server.url + "foo-bar/")
    assert url in answer.text
    assert get(url).content == WHEEL.content
    if answer.headers["Content-Type"] == JSON_TYPE:
        (entry,) = json.loads(answer.text)["files"]
        assert entry["hashes"] == {"sha256": WHEEL.sha256}
        assert (entry["size"], entry["yanked"]) == (WHEEL.size, "it <broke>")
        assert entry["requires-python"] == ">=3.8"
    else:
        assert f'href="{url}#sha256={WHEEL.sha256}"' in answer.text
        assert 'data-yanked="it &lt;broke&gt;"' in answer.text
        assert 'data-requires-python="&gt;=3.8"' in answer.text


def test_the_form_is_negotiated(make_index: Callable[..., IndexServer], get: Get) -> None:
    server = make_index()
    server.add_project("empty")
    url = server.url + "empty/"
    assert get(url, AS_JSON).headers["Content-Type"] == JSON_TYPE
    assert get(url, {"Accept": "text/html"}).headers["Content-Type"].startswith("text/html")
    assert get(server.url + "missing/").status_code == 404


def test_metadata_is_announced_and_served(pypi_like_index: IndexServer, get: Get) -> None:
    url = pypi_like_index.add(WHEEL)
    (entry,) = get(pypi_like_index.url + "foo-bar/", AS_JSON).json()["files"]
    digest = {"sha256": hashlib.sha256(WHEEL.metadata).hexdigest()}
    assert entry["core-metadata"] == entry["data-dist-info-metadata"] == digest
    assert get(url + ".metadata").content == WHEEL.metadata
    pypi_like_index.configure(metadata_keys="legacy")
    page = get(pypi_like_index.url + "foo-bar/").text
    assert "data-dist-info-metadata" in page
    assert "data-core-metadata" not in page


def test_the_plain_profile_has_no_metadata_etag_or_cache_headers(
    plain_index: IndexServer, get: Get
) -> None:
    url = plain_index.add(WHEEL)
    page = get(plain_index.url + "foo-bar/")
    assert page.headers["Content-Type"] == JSON_TYPE
    assert "core-metadata" not in page.text
    assert not {"ETag", "Cache-Control"} & set(page.headers)
    assert get(url + ".metadata").status_code == 404


def test_etags_give_304_and_pages_are_fresh_for_ten_minutes(
    pypi_like_index: IndexServer, get: Get
) -> None:
    pypi_like_index.add_project("foo")
    first = get(pypi_like_index.url + "foo/")
    assert first.headers["Cache-Control"] == "max-age=600"
    assert first.headers["Content-Encoding"] == "gzip"
    condition = {"If-None-Match": first.headers["ETag"]}
    second = get(pypi_like_index.url + "foo/", condition)
    assert (second.status_code, second.content) == (304, b"")
    pypi_like_index.add(make_wheel("foo", "2.0"))
    assert get(pypi_like_index.url + "foo/", condition).status_code == 200


@pytest.mark.parametrize(
    ("support", "wanted", "status", "part"),
    [
        ("full", "bytes=-10", 206, slice(-10, None)),
        ("full", "bytes=3-5", 206, slice(3, 6)),
        ("full", "bytes=700-", 206, slice(700, None)),
        ("full", "bytes=-999999", 206, slice(None)),
        ("full", "bytes=999999-", 416, slice(0, 0)),
        ("full", "bytes=0-1,4-5", 200, slice(None)),
        ("no-suffix", "bytes=-10", 501, slice(0, 0)),
        ("no-suffix", "bytes=0-3", 206, slice(0, 4)),
        ("ignored", "bytes=-10", 200, slice(None)),
    ],
)
def test_ranges(
    make_index: Callable[..., IndexServer],
    get: Get,
    support: Literal["full", "no-suffix", "ignored"],
    wanted: str,
    status: int,
    part: slice,
) -> None:
    server = make_index(Settings(ranges=support))
    answer = get(server.add(WHEEL), {"Range": wanted})
    assert (answer.status_code, answer.content) == (status, WHEEL.content[part])
    assert ("Content-Range" in answer.headers) == (status in {206, 416})


def test_a_range_of_something_else_by_now_is_answered_whole(
    pypi_like_index: IndexServer, get: Get
) -> None:
    """RFC 9110, 13.1.5: If-Range with another tag means the whole content."""
    url = pypi_like_index.add(WHEEL)
    answer = get(url, {"Range": "bytes=5-", "If-Range": '"other"'})
    assert (answer.status_code, answer.content) == (200, WHEEL.content)
    same = get(url, {"Range": "bytes=5-", "If-Range": answer.headers["ETag"]})
    assert (same.status_code, same.content) == (206, WHEEL.content[5:])


def test_slash_redirects_relative_links_and_credentials(
    make_index: Callable[..., IndexServer], get: Get
) -> None:
    server = make_index(Settings(relative_urls=True, credentials=("me", "secret"), form="json"))
    server.add(WHEEL)
    assert get(server.url + "foo-bar/").status_code == 401
    page = get(server.url + "foo-bar", auth=("me", "secret"))
    assert [each.status_code for each in page.history] == [301]
    assert page.json()["files"][0]["url"] == f"../../files/{WHEEL.filename}"
    assert [each.status for each in server.requests] == [401, 301, 200]


def test_find_links_is_a_flat_page(plain_index: IndexServer, get: Get) -> None:
    urls = [plain_index.add(make_wheel(name, "1")) for name in ("a", "b")]
    page = get(plain_index.links_url).text
    assert all(url in page for url in urls)


def test_requests_are_recorded(plain_index: IndexServer, get: Get) -> None:
    get(plain_index.url + "foo/", {"X-Test": "1"})
    (request,) = plain_index.requests
    assert (request.method, request.path, request.status) == ("GET", "/simple/foo/", 404)
    assert request.headers["x-test"] == "1"
    plain_index.forget_requests()
    assert plain_index.paths() == []


def test_other_bytes_can_be_served(plain_index: IndexServer, get: Get) -> None:
    url = plain_index.serve("/simple/odd/", b"{", JSON_TYPE)
    assert get(url).content == b"{"


def test_a_script_is_used_up_in_order(plain_index: IndexServer, get: Get) -> None:
    plain_index.add_project("foo")
    url = plain_index.url + "foo/"
    plain_index.script(
        "/simple/foo/",
        [
            faults.retry_later(429, after="7"),
            faults.other_body(b"<garbage", content_type="text/plain"),
            faults.content_type(None),
            faults.redirect("/simple/other/"),
            faults.content_range("bytes 5-6/7"),
        ],
    )
    answers = [get(url, allow_redirects=False) for _ in range(6)]
    assert [each.status_code for each in answers] == [429, 200, 200, 302, 206, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[1].content == b"<garbage"
    assert "Content-Type" not in answers[2].headers
    assert answers[3].headers["Location"] == "/simple/other/"
    assert answers[4].headers["Content-Range"] == "bytes 5-6/7"


def test_a_script_can_repeat_its_last_fault(plain_index: IndexServer, get: Get) -> None:
    plain_index.add_project("foo")
    plain_index.script("/simple/foo/", [faults.normal(), faults.status(500)], repeat=True)
    url = plain_index.url + "foo/"
    assert [get(url).status_code for _ in range(4)] == [200, 500, 500, 500]


@pytest.mark.parametrize(
    ("fault", "sign"),
    [
        (faults.reset(), "reset by peer"),
        (faults.reset(after=10), "reset by peer"),
        (faults.short_body(10), "10 bytes read"),
    ],
)
def test_connections_break(
    plain_index: IndexServer, get: Get, fault: faults.Fault, sign: str
) -> None:
    url = plain_index.add(WHEEL)
    plain_index.script(f"/files/{WHEEL.filename}", [fault])
    with pytest.raises(requests.RequestException, match=sign):
        get(url)
    assert get(url).content == WHEEL.content


@pytest.mark.parametrize("after", [None, 10])
def test_answers_stall_and_the_server_still_stops_at_once(get: Get, after: int | None) -> None:
    with IndexServer() as server:
        url = server.add(WHEEL)
        server.script(f"/files/{WHEEL.filename}", [faults.stall(FOR_EVER, after=after)])
        with pytest.raises(requests.RequestException, match="timed out"):
            get(url, timeout=0.3)


def test_a_closed_server_refuses(get: Get) -> None:
    with IndexServer() as server:
        url = server.url
    with pytest.raises(requests.ConnectionError, match="refused"):
        get(url)
