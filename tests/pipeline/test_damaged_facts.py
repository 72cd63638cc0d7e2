"""What is kept of wheels is a convenience: no damage to it changes what is built."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.build import build as run_build
from crossdeps.pipeline.request import Settings
from crossdeps.requirements.model import FileOptions
from crossdeps.target.model import Target
from crossdeps.wheels.store_directory import FACTS_SUFFIX
from tests.support.command_line import fill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.index_server import IndexServer

TARGET = Target(python="3.12", arch="x86_64")

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "cut": lambda data: data[: len(data) // 2],
    "emptied": lambda _: b"",
    "of another version": lambda data: data.replace(b"facts 3", b"facts 4", 1),
}


@pytest.fixture
def build(plain_index: IndexServer, tmp_path: Path) -> Callable[[], bytes]:
    """Builds a zip of several wheels, without what else is remembered."""
    fill(plain_index)
    cache = tmp_path / "cache"
    settings = Settings(index=FileOptions(index_url=plain_index.url), isolated=True, cache=cache)

    def run() -> bytes:
        shutil.rmtree(cache / "derived", ignore_errors=True)
        (tmp_path / "out.zip").unlink(missing_ok=True)
        run_build(["tree"], TARGET, tmp_path / "out.zip", settings=settings)
        return (tmp_path / "out.zip").read_bytes()

    return run


def facts(tmp_path: Path) -> list[Path]:
    found = sorted(tmp_path.rglob(f"*{FACTS_SUFFIX}"))
    assert len(found) == 4
    return found


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_changes_no_output(
    damage: Callable[[bytes], bytes], build: Callable[[], bytes], tmp_path: Path
) -> None:
    first = build()
    kept = {path: path.read_bytes() for path in facts(tmp_path)}
    for path, data in kept.items():
        path.write_bytes(damage(data))
    assert build() == first
    assert {path: path.read_bytes() for path in facts(tmp_path)} == kept
    assert build() == first


def test_swapped_facts_change_no_output(build: Callable[[], bytes], tmp_path: Path) -> None:
    first = build()
    paths = facts(tmp_path)
    kept = [path.read_bytes() for path in paths]
    for path, data in zip(paths, [*kept[1:], kept[0]], strict=True):
        path.write_bytes(data)
    assert build() == first
    assert [path.read_bytes() for path in paths] == kept
