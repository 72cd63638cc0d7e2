"""Atomic writes, private directories and hashes."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import OutputError
from crossdeps.fs import (
    CHUNK,
    atomic_write,
    belongs_to_another,
    hash_file,
    hash_stream,
    make_private_directory,
    run_in_threads,
    write_output,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def mode(path: Path) -> int:
    """Permissions of *path*."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_takes_its_place_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with atomic_write(path, sync=True) as file:
        file.write(b"after")
        assert path.read_bytes() == b"before"
        assert len(list(tmp_path.iterdir())) == 2
    assert path.read_bytes() == b"after"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", "replace", "fsync"])
def test_a_failed_write_changes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    if name:
        monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match="No space"), atomic_write(path, sync=True) as file:  # noqa: PT012
        file.write(b"after")
        if not name:
            fail()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.touch()
    real.chmod(0o640)
    link.symlink_to(real)
    write_output(link, "text\n", what="the lock")
    assert link.is_symlink()
    assert real.read_bytes() == b"text\n"
    assert mode(real) == 0o640


def test_a_new_output_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_output(tmp_path / "new", "", what="the lock")
    assert mode(tmp_path / "new") == mode(tmp_path / "other")


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"the lock cannot be written to .*/missing/lock: No such"
    ):
        write_output(tmp_path / "missing/lock", "", what="the lock")


def test_private_directories_have_private_parents(tmp_path: Path) -> None:
    path = tmp_path / "a/b/c"
    make_private_directory(path)
    make_private_directory(path)
    assert {mode(folder) for folder in (path, *path.parents[:2])} == {0o700}
    (path / "file").touch()
    with pytest.raises(FileExistsError):
        make_private_directory(path / "file")
    with pytest.raises(NotADirectoryError):
        make_private_directory(path / "file/below")


def test_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not belongs_to_another(tmp_path)
    assert not belongs_to_another(tmp_path / "missing")
    owner = os.stat_result((0o40700, 0, 0, 1, 54321, 0, 0, 0, 0, 0))
    monkeypatch.setattr(type(tmp_path), "stat", lambda _path: owner)
    assert belongs_to_another(tmp_path)
    monkeypatch.delattr(os, "geteuid")
    assert not belongs_to_another(tmp_path)


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1])
def test_hashes_are_of_all_bytes(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    assert hash_file(tmp_path / "file") == hashlib.sha256(data).hexdigest()
    stream = io.BytesIO(data)
    stream.seek(size // 2)
    found = hash_stream(stream, ("md5", "sha256"))
    assert found == {
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert stream.tell() == size


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_share_the_items(threads: int) -> None:
    seen: list[int] = []
    calls = []

    def work(items: Iterator[int]) -> None:
        calls.append(threading.current_thread())
        seen.extend(items)

    run_in_threads(work, range(100), threads=threads)
    assert sorted(seen) == list(range(100))
    assert len(set(calls)) == threads
    assert threading.current_thread() in calls
    run_in_threads(work, (), threads=threads)
    assert len(seen) == 100


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_thread_ends_the_others(threads: int) -> None:
    seen: list[int] = []

    def work(items: Iterator[int]) -> None:
        for item in items:
            if item == 10:
                raise OSError(str(item))
            seen.append(item)

    with pytest.raises(OSError, match="10"):
        run_in_threads(work, range(1_000_000), threads=threads)
    assert len(seen) < 1_000_000 - 1
    assert all(not thread.name.startswith("crossdeps-read") for thread in threading.enumerate())
