"""Entries are stored as columns, and restored with the wheels that they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from crossdeps.bundle.model import ArchiveContent, Entry, Layout
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.stored_entries import StoredEntries, restore_entries, store_entries
from crossdeps.target.model import Target
from tests.support.wheel_factory import make_wheel
from tests.support.wheel_reading import read_wheel

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target(python="3.12", arch="x86_64")


def test_entries_of_every_kind_are_restored(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "app.py").write_text("import a\n")
    script = {"a-1.data/scripts/tool": b"#!python\nprint()\n", "a/data.bin": b"x" * 100}
    wheels = [
        read_wheel(make_wheel("a", "1", files=script).write_to(tmp_path)),
        read_wheel(make_wheel("b", "1").write_to(tmp_path)),
    ]
    layout = Layout(kind="directory", scripts=True, sources=(source,))
    entries = plan_bundle(wheels, TARGET, layout).entries
    data = msgspec.msgpack.encode(store_entries(entries))
    stored = msgspec.msgpack.decode(data, type=StoredEntries)
    by_hash = {wheel.sha256: wheel for wheel in wheels}
    again = restore_entries(stored, [by_hash[sha256] for sha256, _ in stored.wheels])
    same = [msgspec.structs.replace(entry, owner=None, binary=None) for entry in entries]
    assert list(again) == same
    assert {type(entry.content).__name__ for entry in again} == {
        "WheelContent", "InlineContent", "FileContent",
    }  # fmt: skip


def test_nothing_is_stored_and_restored() -> None:
    assert restore_entries(store_entries([]), []) == ()


def test_entries_that_were_read_cannot_be_stored(tmp_path: Path) -> None:
    content = ArchiveContent(archive=tmp_path / "a.zip", name="a")
    entry = Entry(path="a", mode=0o644, size=0, sha256="", content=content, owner=None)
    with pytest.raises(TypeError, match="isn't planned"):
        store_entries([entry])
