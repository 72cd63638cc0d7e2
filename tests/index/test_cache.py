"""Kept pages: used while fresh, asked for with conditions after that, never trusted blindly."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from crossdeps.errors import OfflineError
from crossdeps.index.cache import CachedPage, IndexCache, read_freshness
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.index.client import IndexClient
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

FOO = canonicalize_name("foo")
PAGE = CachedPage(
    url="https://index.example/simple/foo/",
    columns=b"<a>",
    fetched=1000.0,
    fresh_for=600.0,
)


@pytest.fixture
def cache(tmp_path: Path) -> IndexCache:
    return IndexCache(tmp_path / "cache", pytest.fail)


def entries(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_kept_page_comes_back(cache: IndexCache) -> None:
    assert cache.page(PAGE.url) is None
    cache.store_page(PAGE.url, PAGE)
    assert cache.page(PAGE.url) == PAGE
    assert cache.page(PAGE.url + "?") is None


@pytest.mark.parametrize(
    ("now", "fresh"), [(999, False), (1000, True), (1599, True), (1600, False)]
)
def test_a_clock_that_went_backwards_makes_nothing_fresh(now: float, fresh: bool) -> None:
    assert PAGE.is_fresh(now) is fresh


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 0),
        ({"Cache-Control": "max-age=600"}, 600),
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": "max-age=31536000"}, 600),
        ({"Cache-Control": "max-age=600", "Age": "590"}, 10),
        ({"Cache-Control": "max-age=600", "Age": "9999"}, 0),
        ({"Cache-Control": "max-age=600", "Age": "old"}, 600),
        ({"Cache-Control": "s-maxage=600"}, 0),
        ({"Cache-Control": "no-cache, max-age=600"}, 0),
        ({"Cache-Control": "no-store"}, None),
        ({"Cache-Control": "max-age=soon"}, 0),
    ],
)
def test_freshness(headers: dict[str, str], expected: float | None) -> None:
    """RFC 9111, with a bound: nothing stays fresh for more than ten minutes."""
    assert read_freshness(headers) == expected


def test_a_fresh_page_is_not_asked_for(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    pypi_like_index.add(make_wheel("foo", "1.0"))
    for _ in range(2):
        assert len(open_client(pypi_like_index.url, cache=tmp_path / "c").page(FOO).files) == 1
    assert len(pypi_like_index.requests) == 1


def test_a_stale_page_is_asked_for_with_its_tag(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    pypi_like_index.configure(cache_control=None)
    pypi_like_index.add(make_wheel("foo", "1.0"))
    for _ in range(2):
        assert len(open_client(pypi_like_index.url, cache=tmp_path / "c").page(FOO).files) == 1
    assert [request.status for request in pypi_like_index.requests] == [200, 304]
    pypi_like_index.add(make_wheel("foo", "2.0"))
    assert len(open_client(pypi_like_index.url, cache=tmp_path / "c").page(FOO).files) == 2


def test_without_a_tag_the_page_is_asked_for_again(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    plain_index.add(make_wheel("foo", "1.0"))
    open_client(plain_index.url, cache=tmp_path / "c").page(FOO)
    plain_index.add(make_wheel("foo", "2.0"))
    assert len(open_client(plain_index.url, cache=tmp_path / "c").page(FOO).files) == 2


def test_offline_uses_what_is_kept_however_old(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    plain_index.add(make_wheel("foo", "1.0"))
    open_client(plain_index.url, cache=tmp_path / "c").page(FOO)
    plain_index.forget_requests()
    client = open_client(plain_index.url, cache=tmp_path / "c", offline=True)
    assert len(client.page(FOO).files) == 1
    with pytest.raises(OfflineError):
        client.page(canonicalize_name("bar"))
    assert plain_index.requests == ()


def test_only_the_user_can_read_it(cache: IndexCache, tmp_path: Path) -> None:
    cache.store_page(PAGE.url, PAGE)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    for path in entries(tmp_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_name_or_content_tells_credentials(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    """Nothing of a login is written to disk (C45)."""
    plain_index.configure(credentials=("me", "hunter2"))
    plain_index.add(make_wheel("foo", "1.0"))
    client = open_client(
        plain_index.url, cache=tmp_path / "c", credentials=lambda _url: ("me", "hunter2")
    )
    client.metadata(client.page(FOO).files[0])
    found = entries(tmp_path / "c")
    assert len(found) == 2
    for path in found:
        assert b"hunter2" not in path.read_bytes() + str(path).encode()


@given(data=st.data())
def test_a_damaged_entry_is_no_entry(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("cache")
    cache = IndexCache(root, pytest.fail)
    cache.store_page(PAGE.url, PAGE)
    [path] = entries(root)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    path.write_bytes(content)
    assert cache.page(PAGE.url) is None
    cache.store_page(PAGE.url, PAGE)
    assert cache.page(PAGE.url) == PAGE


def test_an_entry_of_another_kind_is_no_page(cache: IndexCache, tmp_path: Path) -> None:
    cache.store_metadata(PAGE.url, "ab" * 32, b"Name: foo")
    cache.store_page(PAGE.url, PAGE)
    page, metadata = sorted(entries(tmp_path), key=lambda path: "metadata" in path.parts)
    page.write_bytes(metadata.read_bytes())
    assert cache.page(PAGE.url) is None


def test_one_origin_does_not_vouch_for_another(cache: IndexCache) -> None:
    cache.store_metadata("https://one.example/foo.whl", "ab" * 32, b"Name: foo")
    assert cache.metadata("https://one.example/other/foo.whl", "ab" * 32) == b"Name: foo"
    assert cache.metadata("https://two.example/foo.whl", "ab" * 32) is None


def test_a_place_that_can_not_be_written_is_worked_without(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    """One warning, whatever the number of pages."""
    plain_index.add(make_wheel("foo", "1.0"))
    (tmp_path / "file").touch()
    client = open_client(plain_index.url, cache=tmp_path / "file" / "cache")
    client.metadata(client.page(FOO).files[0])
    client.page(canonicalize_name("bar"))
    assert len(client.warnings) == 1


@pytest.mark.parametrize("name", ["open", "replace"])
def test_a_full_disk_is_worked_without(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    cache = IndexCache(tmp_path / "c", warnings.append)
    calls = 0

    def fail(*_arguments: object) -> int:
        nonlocal calls
        calls += 1
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        cache.store_page(PAGE.url, PAGE)
        cache.store_page(PAGE.url, PAGE)
    assert calls == 1
    assert len(warnings) == 1
    assert "No space left" in warnings[0]
    assert entries(tmp_path) == []


def test_the_cache_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "c"
    IndexCache(root, pytest.fail).store_page(PAGE.url, PAGE)
    if os.geteuid() == 0:
        os.chown(root, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    warnings: list[str] = []
    cache = IndexCache(root, warnings.append)
    assert cache.page(PAGE.url) is None
    cache.store_page("https://index.example/other/", PAGE)
    assert cache.clear() == 0
    assert len(entries(root)) == 1
    assert len(warnings) == 1


def test_a_glance_tells_all_but_the_body(cache: IndexCache, tmp_path: Path) -> None:
    assert cache.page_head(PAGE.url) is None
    cache.store_page(PAGE.url, PAGE)
    page_head = cache.page_head(PAGE.url)
    assert page_head is not None
    assert page_head.page == replace(PAGE, columns=b"")
    assert page_head.digest == hashlib.sha256(PAGE.columns).hexdigest()
    [path] = entries(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.page_head(PAGE.url) == page_head
    assert cache.page(PAGE.url) is None


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"fetched": 2000.0}, True),
        ({"fresh_for": 60.0}, False),
        ({"columns": b"<b>"}, False),
        ({"etag": '"a"'}, False),
        ({"url": "https://index.example/other/"}, False),
    ],
)
def test_what_says_nothing_new_needs_no_writing(
    cache: IndexCache, change: dict[str, Any], same: bool
) -> None:
    stale = replace(PAGE, fresh_for=0.0)
    cache.store_page(PAGE.url, stale)
    page_head = cache.page_head(PAGE.url)
    assert page_head is not None
    assert page_head.matches(replace(stale, **change)) is same


def test_a_page_that_came_again_unchanged_is_not_written_again(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    """It counts as used all the same, so that pruning spares it."""
    plain_index.add(make_wheel("foo", "1.0"))
    open_client(plain_index.url, cache=tmp_path / "c").page(FOO)
    [path] = entries(tmp_path / "c")
    os.utime(path, (0, 0))
    before = path.stat().st_ino
    open_client(plain_index.url, cache=tmp_path / "c").page(FOO)
    assert path.stat().st_ino == before
    assert path.stat().st_mtime > 0
    plain_index.add(make_wheel("foo", "2.0"))
    open_client(plain_index.url, cache=tmp_path / "c").page(FOO)
    offline = open_client(plain_index.url, cache=tmp_path / "c", offline=True)
    assert len(offline.page(FOO).files) == 2


def test_prune_and_clear(cache: IndexCache, tmp_path: Path) -> None:
    cache.store_page(PAGE.url, PAGE)
    old = entries(tmp_path)[0]
    os.utime(old, (0, 0))
    cache.store_metadata(PAGE.url, "ab" * 32, b"Name: foo")
    sizes = {path: path.stat().st_size for path in entries(tmp_path)}
    assert len(sizes) == 2
    assert cache.prune(unused_days=1) == sizes.pop(old)
    assert cache.page(PAGE.url) is None
    assert entries(tmp_path) == list(sizes)
    assert cache.clear() == sum(sizes.values())
    assert entries(tmp_path) == []


def test_threads_write_one_entry_at_the_same_time(cache: IndexCache, tmp_path: Path) -> None:
    def keep() -> None:
        for _ in range(20):
            cache.store_page(PAGE.url, PAGE)
            assert cache.page(PAGE.url) == PAGE

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entries(tmp_path)) == 1
