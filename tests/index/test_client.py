"""Every place as one: merged in order, asked once, from many threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from crossdeps.config.credentials import Credentials
from crossdeps.config.index_options import IndexOptions
from crossdeps.errors import IndexRefusedError, IndexResponseError, IndexUnreachableError
from crossdeps.index.client import open_index
from crossdeps.index.model import read_connection, read_locations
from crossdeps.index.workers import Task, Workers
from tests.support import faults
from tests.support.wheel_factory import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.index.client import IndexClient
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

FOO = canonicalize_name("foo")
ONE, TWO, THREE = (make_wheel("foo", f"{i}.0") for i in (1, 2, 3))


def test_places_are_merged_in_their_order(
    make_index: Callable[..., IndexServer], open_client: OpenClient, tmp_path: Path
) -> None:
    """Which of them counts is decided by whoever asks: each file says where it came from."""
    first, second, third = make_index(), make_index(), make_index()
    first.add(TWO)
    third.add(ONE)
    third.add(TWO)
    (tmp_path / THREE.filename).write_bytes(THREE.content)
    client = open_client(first.url, second.url, third.url, links=(str(tmp_path),))
    page = client.page(FOO)
    assert [(file.filename, file.index) for file in page.files] == [
        (TWO.filename, first.url),
        (ONE.filename, third.url),
        (TWO.filename, third.url),
        (THREE.filename, str(tmp_path)),
    ]
    assert page.searched == (first.url, second.url, third.url, str(tmp_path))
    assert page.found_on == (first.url, third.url, str(tmp_path))
    assert list(page.files.filenames) == [file.filename for file in page.files]  # type: ignore[attr-defined]


def test_json_and_html_answers_are_alike(
    index_server: IndexServer, open_client: OpenClient
) -> None:
    """One client reads both to the same files (C35)."""
    index_server.add(ONE, requires_python=">=3.8", yanked="because")
    [file] = open_client(index_server.url).page(FOO).files
    assert (file.filename, file.requires_python, file.yanked, file.hashes) == (
        ONE.filename,
        ">=3.8",
        "because",
        {"sha256": ONE.sha256},
    )


@pytest.mark.parametrize("slash", [True, False])
def test_a_slash_at_the_end_of_the_root_makes_no_difference(
    plain_index: IndexServer, open_client: OpenClient, slash: bool
) -> None:
    """The URL of an index may be written either way (C40)."""
    plain_index.add(ONE)
    root = plain_index.url if slash else plain_index.url.rstrip("/")
    assert len(open_client(root).page(FOO).files) == 1


def test_a_page_is_asked_for_once(plain_index: IndexServer, open_client: OpenClient) -> None:
    plain_index.add(ONE)
    plain_index.configure(latency=0.05)
    client = open_client(plain_index.url)
    threads = [threading.Thread(target=client.page, args=(FOO,)) for _ in range(8)]
    client.prefetch([FOO, FOO])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file = client.page(FOO).files[0]
    client.prefetch_metadata([file, file])
    assert client.metadata(file) == client.metadata(file)
    assert plain_index.paths() == ["/simple/foo/", f"/files/{ONE.filename}"]


def test_prefetching_is_parallel_and_its_errors_wait(
    plain_index: IndexServer, open_client: OpenClient
) -> None:
    names = [canonicalize_name(f"p{i}") for i in range(16)]
    for name in names:
        plain_index.add(make_wheel(name, "1.0"))
    plain_index.script("/simple/p3/", [faults.status(403)], repeat=True)
    plain_index.configure(latency=0.1)
    client = open_client(plain_index.url)
    client.prefetch(names)
    for name in names:
        if name == "p3":
            for _ in range(2):
                with pytest.raises(IndexRefusedError) as caught:
                    client.page(name)
                caught.value.within("somewhere")
                assert caught.value.context[:2] == ("somewhere", "p3")
        else:
            assert len(client.page(name).files) == 1
    assert len(plain_index.requests) == 16


def test_one_broken_index_is_not_passed_over(
    make_index: Callable[..., IndexServer], open_client: OpenClient
) -> None:
    """Otherwise an outage would silently choose other files."""
    first, second = make_index(), make_index()
    second.add(ONE)
    first.close()
    with pytest.raises(IndexUnreachableError):
        open_client(first.url, second.url).page(FOO)


def test_find_links_over_http(plain_index: IndexServer, open_client: OpenClient) -> None:
    plain_index.add(ONE)
    plain_index.add(make_sdist("foo", "2.0"))
    plain_index.add(make_wheel("foo-bar", "1.0"))
    plain_index.add(make_wheel("other", "1.0"))
    client = open_client(links=(plain_index.links_url,))
    assert {file.filename for file in client.page(FOO).files} == {ONE.filename, "foo-2.0.tar.gz"}
    assert client.page(canonicalize_name("missing")).found_on == ()


def test_find_links_may_be_a_file_itself(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    url = plain_index.file_url(ONE.filename)
    [file] = open_client(links=(f"{url}#sha256={ONE.sha256}",)).page(FOO).files
    assert (file.url, file.hashes) == (url, {"sha256": ONE.sha256})
    (tmp_path / ONE.filename).write_bytes(ONE.content)
    (tmp_path / TWO.filename).write_bytes(TWO.content)
    [file] = open_client(links=(str(tmp_path / ONE.filename),)).page(FOO).files
    assert file.hashes == {"sha256": ONE.sha256}


def local_index(root: Path) -> Path:
    (root / "simple" / "foo").mkdir(parents=True)
    (root / "files").mkdir()
    (root / "files" / ONE.filename).write_bytes(ONE.content)
    link = f'<a href="../../files/{ONE.filename}#sha256={ONE.sha256}">foo</a>'
    (root / "simple" / "foo" / "index.html").write_text(f"<!DOCTYPE html>{link}")
    return root / "simple"


@pytest.mark.parametrize("as_url", [True, False])
def test_a_local_index(open_client: OpenClient, tmp_path: Path, as_url: bool) -> None:
    """No HTTP library is loaded for it."""
    root = local_index(tmp_path)
    client = open_client(root.as_uri() + "/" if as_url else str(root), offline=True)
    [file] = client.page(FOO).files
    assert file.url == (tmp_path / "files" / ONE.filename).as_uri()
    assert client.metadata(file) == ONE.metadata
    assert client.page(canonicalize_name("bar")).found_on == ()
    size, hashes = file.size, file.hashes
    assert client.download(file.url, tmp_path / "w", size=size, hashes=hashes) == ONE.sha256


def test_a_local_directory_a_project_needs_no_page(open_client: OpenClient, tmp_path: Path) -> None:
    (tmp_path / "foo").mkdir()
    (tmp_path / "foo" / ONE.filename).write_bytes(ONE.content)
    [file] = open_client(str(tmp_path)).page(FOO).files
    assert (file.size, file.hashes) == (ONE.size, {"sha256": ONE.sha256})


def test_local_links_pages(open_client: OpenClient, tmp_path: Path) -> None:
    page = tmp_path / "links.html"
    page.write_text(f'<a href="{ONE.filename}">x</a> <a href="bar-1.0-py3-none-any.whl">y</a>')
    [file] = open_client(links=(page.as_uri(),)).page(FOO).files
    assert file.url == (tmp_path / ONE.filename).as_uri()


@pytest.mark.parametrize(
    ("root", "links"),
    [
        ("missing", ()),
        (None, ("missing",)),
        (None, ("broken.html",)),
        ("ftp://index.example/simple/", ()),
        ("file://elsewhere.example/simple/", ()),
    ],
)
def test_local_places_that_are_not_there(
    open_client: OpenClient, tmp_path: Path, root: str | None, links: tuple[str, ...]
) -> None:
    (tmp_path / "broken.html").write_text("no page")
    roots = () if root is None else (root if "://" in root else str(tmp_path / root),)
    client = open_client(*roots, links=tuple(str(tmp_path / each) for each in links))
    with pytest.raises((IndexUnreachableError, IndexResponseError)) as caught:
        client.page(FOO)
    assert caught.value.context


def test_closing_does_not_wait_for_what_nobody_asked(
    plain_index: IndexServer, open_client: OpenClient
) -> None:
    plain_index.configure(latency=0.2)
    client = open_client(plain_index.url)
    client.prefetch([canonicalize_name(f"p{i}") for i in range(40)])
    client.close()
    client.close()
    assert len(plain_index.requests) <= 16


def test_a_task_is_worked_for_by_whoever_needs_it() -> None:
    """A page that is needed now never waits behind pages that may be."""
    blocked = threading.Event()
    workers = Workers(1)
    workers.submit(Task(blocked.wait))
    task = Task(lambda: 7)
    workers.submit(task)
    assert task.result() == 7
    blocked.set()
    workers.close()
    workers.submit(Task(pytest.fail))


def test_an_index_is_opened_from_options(plain_index: IndexServer, tmp_path: Path) -> None:
    plain_index.configure(credentials=("me", "hunter2"))
    plain_index.add(ONE)
    url = plain_index.url.replace("http://", "http://me:hunter2@")
    options = IndexOptions(index_url=url, timeout=1.0, retries=0)
    with open_index(options, cache=tmp_path / "c") as index:
        page = index.page(FOO)
        assert page.searched == (plain_index.url,)
        assert page.files[0].index == plain_index.url
        assert index.metadata(page.files[0]) == ONE.metadata
    assert plain_index.requests[0].headers["user-agent"].startswith("crossdeps/")
    with open_index(options, cache=tmp_path / "c", offline=True) as index:
        assert len(index.page(FOO).files) == 1


def test_places_and_connection_of_options() -> None:
    options = IndexOptions(
        index_url="https://me:secret@one.example/simple",
        extra_index_urls=("https://two.example/simple/", "file:///opt/index"),
        find_links=("/opt/wheels",),
        proxies={"https": "http://proxy.example:3128"},
        no_proxy=("two.example", ".internal.example"),
        trusted_hosts=("One.example", "three.example:8443"),
        cert="/etc/ca.pem",
    )
    assert [location.root for location in read_locations(options)] == [
        "https://one.example/simple",
        "https://two.example/simple/",
        "file:///opt/index",
        "/opt/wheels",
    ]
    connection = read_connection(options)
    assert connection.certificates == "/etc/ca.pem"
    assert connection.is_trusted("https://one.example/simple/")
    assert connection.is_trusted("https://three.example:8443/")
    assert not connection.is_trusted("https://three.example/")
    assert connection.proxies_for("https://one.example/") == {"https": "http://proxy.example:3128"}
    assert connection.proxies_for("https://two.example/") == {}
    assert connection.proxies_for("https://a.internal.example/") == {}
    assert connection.proxies_for("https://not-two.example/")
    assert [location.root for location in read_locations(IndexOptions(no_index=True))] == []


def test_logins_of_inputs_fit(plain_index: IndexServer) -> None:
    """A login found elsewhere than in the URL reaches pages and files of its server."""
    plain_index.configure(credentials=("me", "hunter2"))
    plain_index.add(ONE)
    url = plain_index.url.replace("http://", "http://me:hunter2@")
    options = IndexOptions(index_url=plain_index.url)
    with open_index(options, credentials=Credentials([url], {}, isolated=True).find) as index:
        assert index.metadata(index.page(FOO).files[0]) == ONE.metadata
    with open_index(options) as index, pytest.raises(IndexRefusedError, match="401") as caught:
        index.page(FOO)
    assert caught.value.hint is not None


def test_a_proxy_is_asked_except_for_hosts_that_are_left_out(plain_index: IndexServer) -> None:
    plain_index.add(ONE)
    root = "http://index.example/simple/"
    options = IndexOptions(index_url=root, proxies={"http": plain_index.origin}, retries=0)
    with open_index(options) as index:
        assert len(index.page(FOO).files) == 1
    assert plain_index.paths() == [root + "foo/"]
    direct = IndexOptions(
        index_url=plain_index.url,
        proxies={"http": "http://127.0.0.1:1"},
        no_proxy=("127.0.0.1",),
        retries=0,
    )
    with open_index(direct) as index:
        assert len(index.page(FOO).files) == 1


@pytest.mark.network
def test_the_real_index() -> None:
    """Pages, and metadata by a range or by a small wheel, of the configured index."""
    import os

    from crossdeps.config.index_options import gather_index_options

    options = gather_index_options(os.environ)
    with open_index(options) as index:
        names = [canonicalize_name(name) for name in ("pycryptodome", "numpy", "six")]
        index.prefetch(names)
        for name in names:
            files = [file for file in index.page(name).files if file.filename.endswith(".whl")]
            assert f"Name: {name}".encode() in index.metadata(files[-1])
