"""Derived values: kept under the digest of their inputs, and never trusted when damaged."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from crossdeps.derived import DerivedCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def entries(root: Path) -> list[Path]:
    """The files of the cache."""
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_value_is_found_under_its_kind_and_key(tmp_path: Path) -> None:
    DerivedCache(tmp_path).write("sums1", "a", b"value")
    cache = DerivedCache(tmp_path)
    assert cache.read("sums1", "a") == b"value"
    assert cache.read("sums1", "b") is None
    assert cache.read("sums2", "a") is None


def test_an_empty_value_is_a_value(tmp_path: Path) -> None:
    cache = DerivedCache(tmp_path)
    cache.write("sums1", "a", b"")
    assert cache.read("sums1", "a") == b""


def test_the_last_value_counts(tmp_path: Path) -> None:
    cache = DerivedCache(tmp_path)
    cache.write("sums1", "a", b"first")
    cache.write("sums1", "a", b"second")
    assert cache.read("sums1", "a") == b"second"
    assert len(entries(tmp_path)) == 1


def test_without_a_directory_nothing_is_kept() -> None:
    cache = DerivedCache(None)
    cache.write("sums1", "a", b"value")
    assert cache.read("sums1", "a") is None
    assert cache.usage() == {"derived": (0, 0)}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:40],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data.replace(b"derived-1", b"derived-2"),
    ],
    ids=["emptied", "cut", "longer", "head only", "flipped", "flipped head", "other version"],
)
def test_a_damaged_entry_counts_as_missing(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    cache = DerivedCache(tmp_path)
    cache.write("sums1", "a", b"value")
    (entry,) = entries(tmp_path)
    entry.write_bytes(damage(entry.read_bytes()))
    assert cache.read("sums1", "a") is None
    cache.write("sums1", "a", b"again")
    assert cache.read("sums1", "a") == b"again"


def test_an_entry_in_the_place_of_another_counts_as_missing(tmp_path: Path) -> None:
    cache = DerivedCache(tmp_path)
    cache.write("sums1", "a", b"value of a")
    (of_a,) = entries(tmp_path)
    cache.write("sums1", "b", b"value of b")
    (of_b,) = set(entries(tmp_path)) - {of_a}
    of_a.replace(of_b)
    assert cache.read("sums1", "b") is None
    assert cache.read("sums1", "a") is None


def test_a_directory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "derived").write_bytes(b"a file")
    cache = DerivedCache(tmp_path)
    cache.write("sums1", "a", b"value")
    assert cache.read("sums1", "a") is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root changes owners")
def test_entries_of_another_user_are_ignored(tmp_path: Path) -> None:
    DerivedCache(tmp_path).write("sums1", "a", b"value")
    os.chown(tmp_path, 12345, 12345)
    if os.geteuid() == 0:
        assert DerivedCache(tmp_path).read("sums1", "a") is None


def test_unused_entries_are_pruned(tmp_path: Path) -> None:
    cache = DerivedCache(tmp_path)
    cache.write("sums1", "old", b"value")
    (old,) = entries(tmp_path)
    cache.write("sums1", "new", b"value")
    month_ago = time.time() - 31 * 86400
    os.utime(old, (month_ago, month_ago))
    size = old.stat().st_size
    assert cache.usage() == {"derived": (2, 2 * size)}
    assert cache.prune(unused_days=30) == size
    assert cache.read("sums1", "old") is None
    assert cache.read("sums1", "new") == b"value"
    assert cache.clear() == size
    assert cache.usage() == {"derived": (0, 0)}


def test_use_keeps_an_entry(tmp_path: Path) -> None:
    cache = DerivedCache(tmp_path)
    cache.write("sums1", "a", b"value")
    (entry,) = entries(tmp_path)
    month_ago = time.time() - 31 * 86400
    os.utime(entry, (month_ago, month_ago))
    assert cache.read("sums1", "a") == b"value"
    assert cache.prune(unused_days=30) == 0


@pytest.mark.subprocess
def test_a_process_that_is_killed_while_it_writes_leaves_no_entry(tmp_path: Path) -> None:
    program = """
import os, pathlib, sys
from crossdeps import derived
from crossdeps.fs import atomic_write
import contextlib
@contextlib.contextmanager
def killed(path):
    with atomic_write(path) as file:
        file.write(b"half")
        file.flush()
        os.kill(os.getpid(), 9)
        yield file
derived.atomic_write = killed
derived.DerivedCache(pathlib.Path(sys.argv[1])).write("sums1", "a", b"value")
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert done.returncode == -9
    assert len(entries(tmp_path)) == 1
    cache = DerivedCache(tmp_path)
    assert cache.read("sums1", "a") is None
    cache.write("sums1", "a", b"value")
    assert cache.read("sums1", "a") == b"value"
