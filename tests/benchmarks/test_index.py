"""The index that measurements use: what PyPI does, and a store that is filled once."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import ssl
import time
import zipfile
from typing import TYPE_CHECKING

import pytest
import requests

from benchmarks.index_server import Counters, IndexServer, make_certificate
from benchmarks.index_store import JSON_TYPE, Store, read_metadata
from tests.support.index_server import IndexServer as Upstream
from tests.support.wheel_factory import WheelFile, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


JSON = {"Accept": JSON_TYPE}


@pytest.fixture
def index() -> Iterator[Upstream]:
    """The index that stores are filled from."""
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def wheel() -> WheelFile:
    return make_wheel("Foo.Bar", "1.0", requires_python=">=3.8")


@pytest.fixture
def folder(tmp_path: Path, index: Upstream, wheel: WheelFile) -> Path:
    """A store that was filled: a project of one wheel and another that no one asked for."""
    index.add(wheel, upload_time="2024-05-06T00:00:00Z", yanked="broken")
    index.add(make_wheel("Foo.Bar", "2.0"))
    store = Store(tmp_path / "data", upstream=index.url)
    page = store.page("foo-bar")
    assert page is not None
    path = page.files[0].path
    assert store.file(path)
    assert store.file(f"{path}.metadata")
    index.close()
    return store.folder


@pytest.fixture
def server(folder: Path) -> Iterator[IndexServer]:
    with IndexServer(Store(folder)) as running:
        yield running


def get_page(server: IndexServer, **headers: str) -> requests.Response:
    return requests.get(f"{server.url}foo-bar/", headers={**JSON, **headers}, timeout=10)


def get_url(server: IndexServer) -> str:
    url = get_page(server).json()["files"][0]["url"]
    assert isinstance(url, str)
    return url


def test_a_page_says_what_upstream_said(server: IndexServer, wheel: WheelFile) -> None:
    page = get_page(server)
    document = page.json()
    first, second = document["files"]
    assert document["name"] == "foo-bar"
    assert first["filename"] == wheel.filename
    assert first["hashes"] == {"sha256": wheel.sha256}
    assert first["size"] == len(wheel.content)
    assert first["requires-python"] == ">=3.8"
    assert first["upload-time"].startswith("2024-05-06")
    assert first["yanked"] == "broken"
    assert second["yanked"] is False
    assert page.headers["Cache-Control"] == "max-age=600, public"
    assert page.headers["Content-Type"] == JSON_TYPE


def test_the_wheel_and_its_metadata_are_what_the_page_says(
    server: IndexServer, wheel: WheelFile
) -> None:
    first = get_page(server).json()["files"][0]
    content = requests.get(first["url"], timeout=10)
    metadata = requests.get(f"{first['url']}.metadata", timeout=10)
    assert content.content == wheel.content
    assert "immutable" in content.headers["Cache-Control"]
    assert metadata.content == wheel.metadata
    digest = {"sha256": hashlib.sha256(wheel.metadata).hexdigest()}
    assert first["core-metadata"] == first["data-dist-info-metadata"] == digest


def test_files_have_an_origin_of_their_own(server: IndexServer) -> None:
    assert not get_url(server).startswith(server.url.removesuffix("simple/"))


def test_html_says_the_same(server: IndexServer, wheel: WheelFile) -> None:
    page = requests.get(f"{server.url}foo-bar/", headers={"Accept": "text/html"}, timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert f"{get_url(server)}#sha256={wheel.sha256}" in page.text
    assert 'data-requires-python="&gt;=3.8"' in page.text
    assert 'data-yanked="broken"' in page.text
    assert page.text.count("data-core-metadata=") == 2


def test_relative_urls_lead_to_the_same_file(folder: Path, wheel: WheelFile) -> None:
    with IndexServer(Store(folder), relative_urls=True) as server:
        url = get_url(server)
        assert url.startswith("../../packages/")
        whole = f"{server.url}foo-bar/{url}"
        assert requests.get(whole, timeout=10).content == wheel.content


def test_without_metadata_none_is_offered(folder: Path) -> None:
    with IndexServer(Store(folder), metadata=False) as server:
        first = get_page(server).json()["files"][0]
        assert first["core-metadata"] is False
        assert requests.get(f"{first['url']}.metadata", timeout=10).status_code == 404
        assert counters(server).missing == 0


def test_a_page_is_compressed_only_for_those_who_ask(server: IndexServer) -> None:
    plain = get_page(server, **{"Accept-Encoding": "identity"})
    with requests.get(f"{server.url}foo-bar/", headers=JSON, stream=True, timeout=10) as response:
        raw = response.raw.read(decode_content=False)
    assert "Content-Encoding" not in plain.headers
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content


@pytest.mark.parametrize("accept", [JSON_TYPE, "text/html"])
def test_an_unchanged_page_is_not_sent_again(server: IndexServer, accept: str) -> None:
    tag = get_page(server, Accept=accept).headers["ETag"]
    again = get_page(server, **{"Accept": accept, "If-None-Match": tag})
    assert again.status_code == 304
    assert not again.content
    assert again.headers["Cache-Control"] == "max-age=600, public"


def test_html_and_json_have_different_tags(server: IndexServer) -> None:
    html = get_page(server, Accept="text/html")
    assert html.headers["ETag"] != get_page(server).headers["ETag"]


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=5-", 5, None), ("bytes=-20", -20, None)],
)
def test_a_part_of_a_file(
    server: IndexServer, wheel: WheelFile, asked: str, start: int, stop: int | None
) -> None:
    part = requests.get(get_url(server), headers={"Range": asked}, timeout=10)
    assert part.status_code == 206
    assert part.content == wheel.content[start:stop]
    assert part.headers["Content-Range"].endswith(f"/{len(wheel.content)}")


def test_a_part_that_is_not_there(server: IndexServer) -> None:
    part = requests.get(get_url(server), headers={"Range": "bytes=9999999-"}, timeout=10)
    assert part.status_code == 416


def test_a_part_of_another_version_is_the_whole(server: IndexServer, wheel: WheelFile) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": '"other"'}
    part = requests.get(get_url(server), headers=headers, timeout=10)
    assert (part.status_code, part.content) == (200, wheel.content)


def test_head_has_no_body(server: IndexServer, wheel: WheelFile) -> None:
    head = requests.head(get_url(server), timeout=10)
    assert head.headers["Content-Length"] == str(len(wheel.content))
    assert head.content == b""


@pytest.mark.parametrize("path", ["simple/unknown/", "packages/x", "simple/../../etc/passwd"])
def test_what_is_not_there_is_not_found(server: IndexServer, path: str) -> None:
    url = server.url.replace("simple/", path)
    assert requests.get(url, timeout=10).status_code == 404


def test_a_page_without_its_slash_redirects(server: IndexServer) -> None:
    response = requests.get(f"{server.url}foo-bar", allow_redirects=False, timeout=10)
    assert (response.status_code, response.headers["Location"]) == (301, "/simple/foo-bar/")


def test_only_reading_is_allowed(server: IndexServer) -> None:
    assert requests.post(f"{server.url}foo-bar/", timeout=10).status_code == 405


def test_counters(server: IndexServer) -> None:
    with requests.Session() as session:
        sizes = [len(session.get(f"{server.url}foo-bar/", timeout=10).content) for _ in range(3)]
        told = counters(server, session)
    assert told.requests == 3
    assert told.connections == 1
    assert 0 < told.bytes < sum(sizes) * 3 + 3000
    assert told.missing == 0


def test_what_was_not_filled_is_counted(server: IndexServer) -> None:
    second = get_page(server).json()["files"][1]
    assert requests.get(second["url"], timeout=10).status_code == 404
    assert requests.get(f"{second['url']}.metadata", timeout=10).status_code == 404
    assert requests.get(f"{server.url}other/", timeout=10).status_code == 404
    assert counters(server).missing == 3


def test_a_round_trip_is_waited_for(folder: Path) -> None:
    with IndexServer(Store(folder), rtt=0.05) as server:
        begun = time.monotonic()
        get_page(server)
        assert time.monotonic() - begun >= 0.1, "one to connect, one for the page"


def test_tls(folder: Path) -> None:
    context, authority = make_certificate(folder)
    with IndexServer(Store(folder), tls=context) as server:
        assert server.url.startswith("https://127.0.0.1:")
        page = requests.get(f"{server.url}foo-bar/", verify=str(authority), timeout=10)
        assert page.status_code == 200
        assert page.url == server.url + "foo-bar/"
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{server.url}foo-bar/", timeout=10)


def test_the_certificate_is_made_once(tmp_path: Path) -> None:
    _, authority = make_certificate(tmp_path)
    before = authority.read_bytes()
    context, _ = make_certificate(tmp_path)
    assert isinstance(context, ssl.SSLContext)
    assert authority.read_bytes() == before


def test_upstream_is_asked_once(tmp_path: Path, index: Upstream, wheel: WheelFile) -> None:
    index.add(wheel)
    store = Store(tmp_path, upstream=index.url)
    for _ in range(2):
        page = store.page("foo-bar")
        assert page is not None
        assert store.file(page.files[0].path)
        assert store.page("unknown") is not None
    assert len(index.requests) == 3


def test_a_page_stays_as_it_was(tmp_path: Path, index: Upstream, wheel: WheelFile) -> None:
    index.add(wheel)
    before = Store(tmp_path, upstream=index.url).page("foo-bar")
    index.add(make_wheel("Foo.Bar", "3.0"))
    assert Store(tmp_path, upstream=index.url).page("foo-bar") == before


def test_metadata_is_read_without_the_wheel(tmp_path: Path, index: Upstream) -> None:
    wheel = make_wheel("big", "1.0", files={"big/data": bytes(range(256)) * 4000})
    index.add(wheel)
    store = Store(tmp_path, upstream=index.url)
    page = store.page("big")
    assert page is not None
    stored = store.file(f"{page.files[0].path}.metadata")
    assert stored is not None
    assert stored.read_bytes() == wheel.metadata
    assert not (tmp_path / page.files[0].path).exists()


def test_a_file_that_is_not_what_its_page_says_is_not_stored(
    tmp_path: Path, index: Upstream, wheel: WheelFile
) -> None:
    index.add(wheel, hashes={"sha256": "0" * 64})
    store = Store(tmp_path, upstream=index.url)
    page = store.page("foo-bar")
    assert page is not None
    with pytest.raises(ValueError, match="not what its page says"):
        store.file(page.files[0].path)
    assert not (tmp_path / page.files[0].path).exists()


def test_while_filling_metadata_is_offered_without_a_hash(
    tmp_path: Path, index: Upstream, wheel: WheelFile
) -> None:
    index.add(wheel)
    with IndexServer(Store(tmp_path, upstream=index.url)) as server:
        first = get_page(server).json()["files"][0]
        assert first["core-metadata"] is True
        metadata = requests.get(f"{first['url']}.metadata", timeout=10)
        assert metadata.content == wheel.metadata


def test_a_wheel_without_metadata() -> None:
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("foo.py", "")
    assert read_metadata(empty) is None


def counters(server: IndexServer, session: requests.Session | None = None) -> Counters:
    response = (session or requests).get(server.counters_url, timeout=10)
    return Counters(**json.loads(response.content))
