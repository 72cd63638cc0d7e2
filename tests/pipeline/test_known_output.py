"""A zip that an earlier run left is not read again, unless anything has touched it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NoReturn

import pytest

import crossdeps
from crossdeps.bundle import destination
from crossdeps.pipeline.build import build
from crossdeps.pipeline.request import Settings
from crossdeps.requirements.model import FileOptions
from crossdeps.target.model import Target
from tests.support.command_line import fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index_server import IndexServer

TARGET = Target(python="3.12", arch="x86_64")


@pytest.fixture
def settings(plain_index: IndexServer, tmp_path: Path) -> Settings:
    fill(plain_index)
    return Settings(
        index=FileOptions(index_url=plain_index.url), isolated=True, cache=tmp_path / "cache"
    )


def read_nothing(*_: object) -> NoReturn:
    pytest.fail("the old zip was read")


@pytest.mark.parametrize("second", ["pure", "leaf"])
def test_our_last_zip_is_replaced_without_reading_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    out = tmp_path / "out.zip"
    build(["pure"], TARGET, out, settings=settings)
    monkeypatch.setattr(destination, "_find_unrecorded", read_nothing)
    report = build([second], TARGET, out, settings=settings)
    assert report.artifact.size == out.stat().st_size
    build(["pure"], TARGET, out, settings=settings)


def test_a_zip_that_was_touched_is_read(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.zip"
    build(["pure"], TARGET, out, settings=settings)
    os.utime(out, (1, 1))
    monkeypatch.setattr(destination, "_find_unrecorded", read_nothing)
    with pytest.raises(pytest.fail.Exception, match="was read"):
        build(["leaf"], TARGET, out, settings=settings)


def test_a_file_of_the_user_in_its_place_is_kept(settings: Settings, tmp_path: Path) -> None:
    """Even one of the same size and with the same time."""
    out = tmp_path / "out.zip"
    build(["pure"], TARGET, out, settings=settings)
    stat = out.stat()
    mine = b"mine".ljust(stat.st_size, b".")
    out.write_bytes(mine)
    os.utime(out, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(crossdeps.CrossdepsError, match="isn't a zip that crossdeps wrote"):
        build(["pure"], TARGET, out, settings=settings)
    assert out.read_bytes() == mine


def test_a_copy_of_our_zip_with_more_in_it_is_kept(settings: Settings, tmp_path: Path) -> None:
    import zipfile

    out = tmp_path / "out.zip"
    build(["pure"], TARGET, out, settings=settings)
    shutil.copy2(out, tmp_path / "copy.zip")
    with zipfile.ZipFile(tmp_path / "copy.zip", "a") as archive:
        archive.writestr("mine.py", "")
    (tmp_path / "copy.zip").replace(out)
    with pytest.raises(crossdeps.CrossdepsError, match="has files that crossdeps didn't write"):
        build(["pure"], TARGET, out, settings=settings)


def test_without_a_cache_it_is_read(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    settings = replace(settings, no_cache=True)
    out = tmp_path / "out.zip"
    build(["pure"], TARGET, out, settings=settings)
    monkeypatch.setattr(destination, "_find_unrecorded", read_nothing)
    with pytest.raises(pytest.fail.Exception, match="was read"):
        build(["pure"], TARGET, out, settings=settings)
