"""Downloads: streamed, hashed, resumed where that is safe, and never half there."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from crossdeps.errors import (
    CrossdepsError,
    HashMismatchError,
    IndexAccessError,
    IndexRefusedError,
    IndexResponseError,
    IndexUnreachableError,
    OfflineError,
)
from crossdeps.progress import Progress
from tests.support import faults
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.index.client import IndexClient
    from tests.support.faults import Fault
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

BIG = make_wheel("foo", "1.0", files={"foo/noise": random.Random(1).randbytes(400_000)})  # noqa: S311
FOO = canonicalize_name("foo")
PATH = f"/files/{BIG.filename}"


@pytest.fixture(params=["plain_index", "pypi_like_index"])
def server(request: pytest.FixtureRequest) -> IndexServer:
    """With and without ETags."""
    index: IndexServer = request.getfixturevalue(request.param)
    index.add(BIG)
    return index


def fetch(client: IndexClient, server: IndexServer, path: Path, **more: object) -> str:
    arguments: dict[str, object] = {"size": BIG.size, "hashes": {"sha256": BIG.sha256}}
    return client.download(server.file_url(BIG.filename), path, **(arguments | more))  # type: ignore[arg-type]


def test_a_file_arrives(server: IndexServer, open_client: OpenClient, tmp_path: Path) -> None:
    class Told(Progress):
        def __init__(self) -> None:
            self.size = 0

        def fetched(self, filename: str, size: int) -> None:
            assert filename == BIG.filename
            self.size += size

    told = Told()
    place = tmp_path / "wheel"
    assert fetch(open_client(server.url, progress=told), server, place) == BIG.sha256
    assert place.read_bytes() == BIG.content
    assert told.size == BIG.size
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize(
    "fault",
    [
        faults.reset(after=100_000),
        faults.short_body(100_000),
        faults.stall(1.5, after=100_000),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_broken_transfer_goes_on_where_it_broke(
    server: IndexServer, open_client: OpenClient, tmp_path: Path, fault: Fault
) -> None:
    server.script(PATH, [fault])
    place = tmp_path / "wheel"
    assert fetch(open_client(server.url), server, place) == BIG.sha256
    assert place.read_bytes() == BIG.content
    again = server.requests[-1]
    assert again.status == 206
    assert again.headers["range"].startswith("bytes=")
    assert ("if-range" in again.headers) is server.settings.etags


@pytest.mark.parametrize(
    "second",
    [
        faults.content_range("bytes 0-1/2"),
        faults.content_range(f"bytes 99999-{BIG.size - 1}/{BIG.size}"),
        faults.content_range(f"bytes 100000-{BIG.size - 1}/{BIG.size + 1}"),
        faults.content_range("nonsense"),
        faults.content_range(None),
        faults.status(416),
        faults.Fault(headers={"ETag": '"another"'}),
        faults.Fault(content=bytes(BIG.size - 100_000)),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_rest_that_does_not_fit_is_thrown_away(
    server: IndexServer, open_client: OpenClient, tmp_path: Path, second: Fault
) -> None:
    """Another offset, another size, another file, or other bytes: the file is fetched anew."""
    server.script(PATH, [faults.short_body(100_000), second])
    place = tmp_path / "wheel"
    assert fetch(open_client(server.url, retries=3), server, place) == BIG.sha256
    assert place.read_bytes() == BIG.content


def test_a_server_that_ignores_ranges_sends_it_all_again(
    server: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    server.configure(ranges="ignored")
    server.script(PATH, [faults.short_body(100_000)])
    place = tmp_path / "wheel"
    assert fetch(open_client(server.url), server, place) == BIG.sha256


def test_nothing_is_put_together_that_nothing_can_check(
    server: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    """Without a hash and without an ETag the second attempt asks for the whole."""
    server.script(PATH, [faults.short_body(100_000)])
    place = tmp_path / "wheel"
    assert fetch(open_client(server.url), server, place, hashes={}) == BIG.sha256
    assert ("range" in server.requests[-1].headers) is server.settings.etags


@pytest.mark.parametrize(
    ("fault", "more", "error"),
    [
        (faults.other_body(b"other bytes"), {}, HashMismatchError),
        (faults.normal(), {"hashes": {"sha256": "0" * 64}}, HashMismatchError),
        (faults.normal(), {"hashes": {"sha256": "short"}}, HashMismatchError),
        (
            faults.normal(),
            {"hashes": {"sha256": BIG.sha256, "md5": "0" * 32}},
            HashMismatchError,
        ),
        (faults.short_body(1000), {}, IndexUnreachableError),
        (faults.reset(), {}, IndexUnreachableError),
        (faults.status(403), {}, IndexRefusedError),
        (faults.status(404), {}, IndexRefusedError),
        (faults.status(500), {}, IndexRefusedError),
        (faults.redirect("file:///etc/passwd"), {}, IndexResponseError),
        (faults.other_body(bytes(3_000_000)), {}, IndexResponseError),
        (faults.Fault(content=bytes(3_000_000), headers={"Content-Length": None}), {}, None),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_failure_leaves_nothing_and_keeps_what_was_there(
    server: IndexServer,
    open_client: OpenClient,
    tmp_path: Path,
    fault: Fault,
    more: dict[str, object],
    error: type[CrossdepsError] | None,
) -> None:
    server.script(PATH, [fault], repeat=True)
    place = tmp_path / "wheel"
    place.write_bytes(b"before")
    with pytest.raises(error or IndexAccessError) as caught:
        fetch(open_client(server.url), server, place, **more)
    assert place.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [place]
    assert caught.value.context
    assert any(BIG.filename in part for part in (caught.value.message, *caught.value.context))


def test_every_listed_hash_counts_and_unknown_algorithms_do_not(
    server: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    hashes = {
        "md5": hashlib.md5(BIG.content, usedforsecurity=False).hexdigest(),
        "SHA512": hashlib.sha512(BIG.content).hexdigest().upper(),
        "crc-of-tomorrow": "00",
    }
    assert fetch(open_client(server.url), server, tmp_path / "w", hashes=hashes) == BIG.sha256


def test_a_mismatch_says_what_was_expected(
    server: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    with pytest.raises(HashMismatchError) as caught:
        fetch(open_client(server.url), server, tmp_path / "w", hashes={"sha256": "0" * 64})
    assert caught.value.context == (
        server.file_url(BIG.filename),
        f"expected {'0' * 64}",
        f"got      {BIG.sha256}",
    )


def test_the_size_is_advice(server: IndexServer, open_client: OpenClient, tmp_path: Path) -> None:
    """The hash decides, whatever size the index states (B32)."""
    assert fetch(open_client(server.url), server, tmp_path / "w", size=7) == BIG.sha256


@pytest.mark.parametrize("as_url", [True, False])
def test_files_of_this_machine_are_copied(
    open_client: OpenClient, tmp_path: Path, as_url: bool
) -> None:
    source = tmp_path / "source %20.whl"
    source.write_bytes(BIG.content)
    location = source.as_uri() if as_url else str(source)
    client = open_client(offline=True)
    place = tmp_path / "w"
    assert client.download(location, place, size=None, hashes={}) == BIG.sha256
    with pytest.raises(HashMismatchError):
        client.download(location, place, size=None, hashes={"sha256": "0" * 64})
    assert place.read_bytes() == BIG.content
    with pytest.raises(IndexUnreachableError):
        client.download(location + ".missing", place, size=None, hashes={})


@pytest.mark.parametrize("url", ["ftp://files.example/w.whl", "file://other.example/w.whl"])
def test_other_schemes_are_refused(open_client: OpenClient, tmp_path: Path, url: str) -> None:
    with pytest.raises(IndexResponseError):
        open_client().download(url, tmp_path / "w", size=None, hashes={})


def test_offline_means_no_connection(
    server: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    with pytest.raises(OfflineError):
        fetch(open_client(server.url, offline=True), server, tmp_path / "w")
    assert server.requests == ()
