"""``crossdeps cache`` covers all that is kept: wheels, builds, index pages and metadata."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import TARGET

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine

CACHE = ("--cache-dir", "cache")
DAY = 86400


@pytest.fixture
def filled(run: CommandLine) -> CommandLine:
    """A cache with two wheels, their pages, and their metadata."""
    assert run.build("leaf", "-o", "a", *CACHE).code == 0
    return run


def files(kind: str) -> list[Path]:
    return [path for path in Path("cache").rglob("*") if path.is_file() and kind in path.parts]


def age(paths: list[Path], days: float) -> None:
    for path in paths:
        os.utime(path, (time.time() - days * DAY,) * 2)


def test_info_counts_everything(filled: CommandLine) -> None:
    document = filled("cache", "info", "--json", *CACHE).document
    contents = document["contents"]
    assert (document["wheels"], contents["wheels"]["count"]) == (2, 2)
    for kind in ("pages", "metadata"):
        found = files(kind)
        size = sum(path.stat().st_size for path in found)
        assert contents[kind] == {"count": len(found), "size": size}
        assert len(found) >= 2
    assert document["size"] == sum(each["size"] for each in contents.values())
    assert document["path"] == str(filled.folder / "cache")


def test_info_for_people(filled: CommandLine) -> None:
    lines = filled("cache", "info", *CACHE).out.splitlines()
    assert lines[0] == str(filled.folder / "cache")
    assert [line.split()[0] for line in lines[1:]] == [
        "wheels", "builds", "pages", "metadata", "derived", "total",
    ]  # fmt: skip
    assert lines[3].split()[1] == str(len(files("pages")))


def test_clear_leaves_no_file(filled: CommandLine) -> None:
    told = filled("cache", "clear", *CACHE)
    assert told.code == 0
    assert not told.err.startswith("freed 0 B")
    assert [path for path in Path("cache").rglob("*") if path.is_file()] == []
    assert filled("cache", "clear", *CACHE).err == "freed 0 B\n"
    assert filled("cache", "info", "--json", *CACHE).document["size"] == 0


def test_prune_removes_pages_and_metadata_that_nobody_uses(filled: CommandLine) -> None:
    assert filled("cache", "prune", *CACHE).err.startswith("freed 0 B")
    age([*files("pages"), *files("metadata")], 31)
    assert not filled("cache", "prune", *CACHE).err.startswith("freed 0 B")
    assert (files("pages"), files("metadata")) == ([], [])
    assert len(files("wheels")) >= 2


def test_what_is_used_is_kept(filled: CommandLine) -> None:
    """Even when it was written long ago, and is only read since."""
    old = [*files("pages"), *files("metadata")]
    age(old, 31)
    assert filled.build("leaf", "-o", "b", "--offline", *CACHE).code == 0
    assert filled("cache", "prune", *CACHE).err.startswith("freed 0 B")
    assert all(path.exists() for path in old)


def test_builds_go_on_while_it_is_cleared(run: CommandLine, tmp_path: Path) -> None:
    """Neither an error nor a warning."""
    root = tmp_path / "cache"
    done = threading.Event()

    def clear() -> None:
        from crossdeps.index.cache import IndexCache
        from crossdeps.wheels.pruning import clear_store

        while not done.is_set():
            clear_store(root)
            IndexCache(root, pytest.fail).clear()

    thread = threading.Thread(target=clear)
    thread.start()
    try:
        for number in range(5):
            told = run("build", "tree", "-o", f"out{number}", "--cache-dir", root, *TARGET)
            assert (told.code, told.err) == (0, "")
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("action", ["dir", "prune", "clear"])
def test_every_action_has_a_document(run: CommandLine, action: str) -> None:
    run.build("pure", "--cache-dir", "cache")
    told = run("cache", action, "--cache-dir", "cache", "--json")
    assert told.code == 0
    assert told.document["path"] == str(run.folder / "cache")
    if action != "dir":
        assert isinstance(told.document["freed"], int)
