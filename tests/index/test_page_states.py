"""What the pages of a run held, and whether they still hold it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from crossdeps.index.cache import IndexCache
from crossdeps.index.model import ProjectFile
from crossdeps.index.page_states import PageState, find_changed, read_directory_state
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.index.client import IndexClient
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

FOO = canonicalize_name("foo")
BAR = canonicalize_name("bar")


def changed(states: tuple[PageState, ...], root: Path, now: float | None = None) -> list[str]:
    """The projects of the pages that changed; now, unless another time is given."""
    cache = IndexCache(root, pytest.fail)
    return [each.project for each in find_changed(states, cache, now=now or time.time())]


def test_a_fresh_page_holds_the_same_until_it_is_stale(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    pypi_like_index.add(make_wheel("foo", "1.0"))
    client = open_client(pypi_like_index.url, cache=tmp_path / "c")
    client.page(FOO)
    states = client.page_states
    assert [(each.kind, each.project) for each in states] == [("page", "foo")]
    assert states[0].key == f"{pypi_like_index.url.rstrip('/')}/foo/"
    assert changed(states, tmp_path / "c") == []
    assert changed(states, tmp_path / "c", time.time() + 601) == ["foo"]
    assert find_changed(states, IndexCache(tmp_path / "c", pytest.fail), now=None) == ()
    assert find_changed(states, None, now=None) == states
    assert find_changed(states, IndexCache(tmp_path / "other", pytest.fail), now=None) == states


def test_a_page_read_from_the_cache_has_the_state_of_the_fetched_one(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    pypi_like_index.add(make_wheel("foo", "1.0"))
    found = []
    for offline in (False, False, True):
        client = open_client(pypi_like_index.url, cache=tmp_path / "c", offline=offline)
        client.page(FOO)
        found.append(client.page_states)
    assert found[0] == found[1] == found[2]
    assert found[0][0].digest


def test_a_page_that_is_not_kept_is_never_known(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    pypi_like_index.configure(cache_control="no-store")
    pypi_like_index.add(make_wheel("foo", "1.0"))
    for cache in (tmp_path / "c", None):
        client = open_client(pypi_like_index.url, cache=cache)
        client.page(FOO)
        assert [each.digest for each in client.page_states] == [""]
        assert changed(client.page_states, tmp_path / "c") == ["foo"]


def test_stale_pages_are_revalidated(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    pypi_like_index.configure(cache_control=None)
    pypi_like_index.add(make_wheel("foo", "1.0"))
    pypi_like_index.add(make_wheel("bar", "1.0"))
    client = open_client(pypi_like_index.url, cache=tmp_path / "c")
    client.page(FOO)
    client.page(BAR)
    states = client.page_states
    assert changed(states, tmp_path / "c") == ["bar", "foo"]
    pypi_like_index.forget_requests()
    later = open_client(pypi_like_index.url, cache=tmp_path / "c")
    assert later.are_unchanged(states)
    assert sorted(request.status for request in pypi_like_index.requests) == [304, 304]
    assert len(later.page(FOO).files) == 1
    assert len(pypi_like_index.requests) == 2
    pypi_like_index.add(make_wheel("foo", "2.0"))
    assert not open_client(pypi_like_index.url, cache=tmp_path / "c").are_unchanged(states)


def test_an_absent_page_is_asked_for_again(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    client = open_client(pypi_like_index.url, cache=tmp_path / "c")
    client.page(FOO)
    states = client.page_states
    assert [each.kind for each in states] == ["absent"]
    assert open_client(pypi_like_index.url, cache=tmp_path / "c").are_unchanged(states)
    pypi_like_index.add(make_wheel("foo", "1.0"))
    assert not open_client(pypi_like_index.url, cache=tmp_path / "c").are_unchanged(states)


def test_pages_of_other_locations_are_never_unchanged(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    pypi_like_index.add(make_wheel("foo", "1.0"))
    client = open_client(pypi_like_index.url, cache=tmp_path / "c")
    client.page(FOO)
    other = open_client("https://other.example/simple/", cache=tmp_path / "c")
    assert not other.are_unchanged(client.page_states)


@pytest.mark.parametrize("as_url", [False, True], ids=["path", "url"])
@pytest.mark.parametrize("kind", ["links", "index"])
def test_a_directory_holds_the_same_until_a_file_changes(
    open_client: OpenClient, tmp_path: Path, kind: str, as_url: bool
) -> None:
    root = tmp_path / "wheels"
    directory = root if kind == "links" else root / "foo"
    directory.mkdir(parents=True)
    wheel = make_wheel("foo", "1.0")
    path = directory / wheel.filename
    path.write_bytes(wheel.content)
    location = root.as_uri() if as_url else str(root)
    client = open_client(links=(location,)) if kind == "links" else open_client(location)
    client.page(FOO)
    client.page(BAR)
    states = client.page_states
    assert [each.kind for each in states] == ["directory", "directory"]
    assert changed(states, tmp_path / "c") == []
    (directory / "notes.txt").touch()
    assert changed(states, tmp_path / "c") == []
    path.unlink()
    path.write_bytes(wheel.content)
    assert "foo" in changed(states, tmp_path / "c")
    (root / "bar").mkdir()
    assert "bar" in changed(states, tmp_path / "c")


def test_a_page_in_a_file_and_a_link_to_a_distribution(
    open_client: OpenClient, tmp_path: Path
) -> None:
    page = tmp_path / "links.html"
    page.write_text('<a href="https://files.example/foo-1.0-py3-none-any.whl">x</a>')
    client = open_client(links=(str(page), "https://files.example/foo-2.0-py3-none-any.whl"))
    assert len(client.page(FOO).files) == 2
    states = client.page_states
    assert {each.kind for each in states} == {"directory", "file"}
    assert changed(states, tmp_path / "c") == []
    page.write_text('<a href="https://files.example/foo-1.1-py3-none-any.whl">x</a>')
    assert changed(states, tmp_path / "c") == ["foo"]


def test_metadata_of_a_file_without_a_hash_is_never_known(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    plain_index.add(make_wheel("foo", "1.0"))
    client = open_client(plain_index.url, cache=tmp_path / "c")
    [file] = client.page(FOO).files
    client.metadata(file)
    assert [each.digest for each in client.page_states][1:] == [file.hashes["sha256"]]
    assert find_changed(client.page_states[1:], None, now=None) == ()
    unhashed = ProjectFile(filename=file.filename, url=f"{file.url}?", hashes={})
    client.metadata(unhashed)
    states = client.page_states[1:]
    assert [each.kind for each in states] == ["metadata", "metadata"]
    assert [each.digest for each in find_changed(states, None, now=None)] == [""]


def test_what_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    assert read_directory_state("file://elsewhere.example/wheels") == ""
    assert read_directory_state("a\0b") == ""
    missing = read_directory_state(str(tmp_path / "missing"))
    assert missing
    (tmp_path / "missing").mkdir()
    assert read_directory_state(str(tmp_path / "missing")) != missing
    (tmp_path / "missing" / "a.whl").symlink_to(tmp_path / "nowhere")
    assert read_directory_state(str(tmp_path / "missing"))


@pytest.mark.subprocess
def test_a_test_of_pages_loads_nothing_heavy() -> None:
    code = (
        "import sys, crossdeps.index.cache, crossdeps.index.page_states;"
        "print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {"packaging", "requests", "urllib3", "http.client", "ssl", "email", "resolvelib"}
    assert loaded & heavy == set()
