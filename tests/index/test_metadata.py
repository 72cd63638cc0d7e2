"""METADATA comes by the cheapest way that an index offers, and is checked as far as it can be."""

from __future__ import annotations

import contextlib
import io
import os
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from crossdeps.errors import (
    HashMismatchError,
    IndexAccessError,
    IndexUnreachableError,
    OfflineError,
    WheelError,
)
from crossdeps.index.metadata import FetchedWheels
from crossdeps.index.partial_wheel import SparseFile, read_metadata
from tests.support import faults
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.index.client import IndexClient
    from crossdeps.index.model import ProjectFile
    from tests.support.faults import Fault
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

NOISE = random.Random(2).randbytes(1_500_000)  # noqa: S311 - doesn't compress
SMALL = make_wheel("foo", "1.0", requires=["bar"])
LARGE = make_wheel("foo", "2.0", requires=["bar"], files={"foo/noise": NOISE})
FOO = canonicalize_name("foo")


def only_file(client: IndexClient) -> ProjectFile:
    [file] = client.page(FOO).files
    return file


def test_metadata_beside_the_wheel_costs_one_request(
    pypi_like_index: IndexServer, open_client: OpenClient
) -> None:
    """PEP 658 (C36)."""
    pypi_like_index.add(LARGE)
    client = open_client(pypi_like_index.url)
    assert client.metadata(only_file(client)) == LARGE.metadata
    assert pypi_like_index.paths() == ["/simple/foo/", f"/files/{LARGE.filename}.metadata"]


def test_wrong_metadata_beside_the_wheel_is_refused(
    pypi_like_index: IndexServer, open_client: OpenClient
) -> None:
    """Its hash on the page decides (C37)."""
    pypi_like_index.add(LARGE, metadata=b"Name: other", metadata_hashes={"sha256": "0" * 64})
    client = open_client(pypi_like_index.url)
    with pytest.raises(HashMismatchError) as caught:
        client.metadata(only_file(client))
    assert LARGE.filename in caught.value.message


@pytest.mark.parametrize("wheel", [SMALL, LARGE])
def test_a_promise_that_is_not_kept_is_told(
    pypi_like_index: IndexServer, open_client: OpenClient, wheel: object
) -> None:
    """The wheel itself is read where its promised metadata is missing (C37)."""
    pypi_like_index.add(wheel, metadata=b"")  # type: ignore[arg-type]
    client = open_client(pypi_like_index.url)
    assert b"Requires-Dist: bar" in client.metadata(only_file(client))
    assert len(client.warnings) == 1


def test_a_small_wheel_is_fetched_whole_and_once(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    plain_index.add(SMALL)
    client = open_client(plain_index.url)
    file = only_file(client)
    assert client.metadata(file) == SMALL.metadata
    digest = client.download(file.url, tmp_path / "w", size=file.size, hashes=file.hashes)
    assert digest == SMALL.sha256
    assert plain_index.paths() == ["/simple/foo/", f"/files/{SMALL.filename}"]


def test_a_small_wheel_of_other_bytes_is_refused(
    plain_index: IndexServer, open_client: OpenClient
) -> None:
    plain_index.add(SMALL, hashes={"sha256": "0" * 64})
    client = open_client(plain_index.url)
    with pytest.raises(HashMismatchError):
        client.metadata(only_file(client))


def test_of_a_large_wheel_only_the_end_is_fetched(
    plain_index: IndexServer, open_client: OpenClient
) -> None:
    plain_index.add(LARGE)
    client = open_client(plain_index.url)
    assert client.metadata(only_file(client)) == LARGE.metadata
    assert [request.headers.get("range") for request in plain_index.requests] == [
        None,
        "bytes=-49152",
    ]


@pytest.mark.parametrize("ranges", ["ignored", "no-suffix"])
def test_a_server_without_such_ranges_sends_the_whole(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path, ranges: str
) -> None:
    """It is kept for the download, and its origin isn't asked for ranges again."""
    other = make_wheel("bar", "2.0", files={"bar/noise": NOISE})
    plain_index.configure(ranges=ranges)
    plain_index.add(LARGE)
    plain_index.add(other)
    client = open_client(plain_index.url)
    file = only_file(client)
    assert client.metadata(file) == LARGE.metadata
    before = len(plain_index.requests)
    client.download(file.url, tmp_path / "w", size=file.size, hashes=file.hashes)
    assert len(plain_index.requests) == before
    assert client.metadata(client.page(canonicalize_name("bar")).files[0]) == other.metadata
    assert "range" not in plain_index.requests[-1].headers


@pytest.mark.parametrize(
    "fault",
    [
        faults.content_range("bytes 0-49151/49152"),
        faults.content_range("bytes 5-6/7"),
        faults.content_range("nonsense"),
        faults.content_range(None),
        faults.status(416),
        faults.status(400),
        faults.short_body(1000),
        faults.reset(after=1000),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_strange_end_is_made_up_for(
    plain_index: IndexServer, open_client: OpenClient, fault: Fault
) -> None:
    plain_index.add(LARGE)
    plain_index.script(f"/files/{LARGE.filename}", [fault])
    client = open_client(plain_index.url)
    try:
        assert client.metadata(only_file(client)) == LARGE.metadata
    except WheelError:
        # A server that lies consistently about size and place can't be told from a broken wheel.
        assert fault.headers.get("Content-Range") == "bytes 0-49151/49152"


def test_a_directory_that_is_longer_than_the_end_costs_more_ranges(
    plain_index: IndexServer, open_client: OpenClient
) -> None:
    many = {f"foo/{'x' * 60}{i}.py": "" for i in range(1200)}
    wheel = make_wheel("foo", "3.0", files={"foo/noise": NOISE, **many})
    plain_index.add(wheel)
    client = open_client(plain_index.url)
    assert client.metadata(only_file(client)) == wheel.metadata
    assert 2 <= len(plain_index.requests) - 1 <= 4


@pytest.mark.parametrize("large", [True, False])
def test_a_wheel_that_is_no_archive_is_refused(
    plain_index: IndexServer, open_client: OpenClient, large: bool
) -> None:
    wheel = make_wheel("foo", "1.0")
    url = plain_index.serve("/broken", b"no zip" * (300_000 if large else 10))
    plain_index.add(wheel, hashes={}, size=1_800_000 if large else 60, url=url)
    client = open_client(plain_index.url)
    with pytest.raises((WheelError, IndexAccessError)) as caught:
        client.metadata(only_file(client))
    assert wheel.filename in str(caught.value) or "broken" in str(caught.value)


def test_metadata_is_kept_between_runs(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    """By the hash of the wheel: its metadata never changes."""
    plain_index.add(LARGE)
    client = open_client(plain_index.url, cache=tmp_path / "cache")
    file = only_file(client)
    client.metadata(file)
    plain_index.forget_requests()
    again = open_client(plain_index.url, cache=tmp_path / "cache", offline=True)
    assert again.metadata(file) == LARGE.metadata
    assert plain_index.requests == ()


def test_offline_without_the_metadata_is_an_error(
    plain_index: IndexServer, open_client: OpenClient
) -> None:
    plain_index.add(LARGE)
    file = only_file(open_client(plain_index.url))
    with pytest.raises(OfflineError, match=r"foo-2\.0"):
        open_client(plain_index.url, offline=True).metadata(file)


def test_local_wheels_are_read_directly(open_client: OpenClient, tmp_path: Path) -> None:
    (tmp_path / LARGE.filename).write_bytes(LARGE.content)
    client = open_client(links=(str(tmp_path),))
    assert client.metadata(only_file(client)) == LARGE.metadata
    assert client._session is not None
    assert not client._session.is_started


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"bar-1.0.dist-info/METADATA": "x"}, "it has 2 METADATA files"),
        ({}, None),
    ],
)
def test_metadata_is_in_one_directory(files: dict[str, str], message: str | None) -> None:
    """A second ``.dist-info`` is refused (I116)."""
    wheel = make_wheel("foo", "1.0", files=files)
    if message is None:
        assert read_metadata(io.BytesIO(wheel.content), wheel.filename) == wheel.metadata
        return
    with pytest.raises(WheelError, match=message):
        read_metadata(io.BytesIO(wheel.content), wheel.filename)


def test_metadata_of_another_project_is_refused() -> None:
    wheel = make_wheel("foo", "1.0")
    with pytest.raises(WheelError, match="another project"):
        read_metadata(io.BytesIO(wheel.content), "bar-1.0-py3-none-any.whl")


@given(st.data())
def test_a_broken_wheel_gives_metadata_or_a_wheel_error(data: st.DataObject) -> None:
    """Whatever bytes are flipped or cut off, nothing else is raised."""
    content = bytearray(SMALL.content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(WheelError):
        read_metadata(io.BytesIO(cut), SMALL.filename)


@given(st.integers(0, 3000), st.data())
def test_a_sparse_file_reads_as_the_whole_one(tail: int, data: st.DataObject) -> None:
    content = bytes(i % 251 for i in range(2000))
    sparse = SparseFile(
        len(content), content[max(0, len(content) - tail) :], lambda a, b: content[a:b]
    )
    whole = io.BytesIO(content)
    for _ in range(3):
        place, size = data.draw(st.integers(0, 2100)), data.draw(st.integers(0, 2100))
        assert sparse.seek(place) == whole.seek(place)
        assert sparse.read(size) == whole.read(size)
        assert sparse.tell() == whole.tell()


def test_a_closed_client_takes_no_wheel() -> None:
    """A worker that is still at it would leave a folder behind."""
    wheels = FetchedWheels()
    wheels.close()
    with pytest.raises(IndexUnreachableError):
        wheels.path_for("https://files.example/foo-1.0-py3-none-any.whl")


def test_closing_bears_threads_that_are_still_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun ahead ends by itself, and may begin a file while its folder is removed."""
    wheels = FetchedWheels()
    path = wheels.path_for("https://x.example/foo-1.0-py3-none-any.whl")
    remove, late = os.rmdir, iter([path.with_suffix(".part")])

    def rmdir(path: str, *, dir_fd: int | None = None) -> None:
        for each in late:
            each.touch()
        remove(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", rmdir)
    wheels.close()
    assert not path.parent.exists()
