"""Ways to break a wheel in one place."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support import zip_surgery
from tests.support.wheel_factory import (
    Member,
    RecordRow,
    WheelFile,
    make_wheel,
    record_hash,
)
from tests.support.zip_writer import write_zip

if TYPE_CHECKING:
    from typing import Any

Case = tuple[str, str, Callable[[], WheelFile]]
CODE = "foo/__init__.py"
RECORD = "foo-1.0.dist-info/RECORD"
METADATA = "foo-1.0.dist-info/METADATA"
WHEEL = "foo-1.0.dist-info/WHEEL"


def wheel(**knobs: Any) -> WheelFile:  # noqa: ANN401 - make_wheel's own
    """A wheel of foo 1.0."""
    return make_wheel("foo", "1.0", **knobs)


def with_file(path: str | bytes, data: bytes = b"x", **fields: Any) -> WheelFile:  # noqa: ANN401
    """A wheel with one more file, which RECORD lists."""
    text = path.decode("utf-8", "replace") if isinstance(path, bytes) else path
    return wheel(
        extra_members=[Member(name=path, data=data, **fields)],
        record=lambda rows: [*rows, (text, record_hash(data), str(len(data)))],
    )


def changed(path: str, **fields: Any) -> WheelFile:  # noqa: ANN401
    """A wheel, one member of which is written otherwise."""

    def change(members: list[Member]) -> list[Member]:
        return [replace(each, **fields) if each.name == path else each for each in members]

    return wheel(members=change)


def cut(change: Callable[[bytes], bytes]) -> WheelFile:
    """A wheel after surgery on its bytes."""
    made = wheel()
    return made.with_content(change(made.content))


def rows(change: Callable[[RecordRow], list[RecordRow]], path: str = CODE) -> WheelFile:
    """A wheel, one row of whose RECORD is written otherwise."""
    return wheel(
        record=lambda old: [
            new for row in old for new in (change(row) if row[0] == path else [row])
        ]
    )


def zip64_end(**overrides: int) -> WheelFile:
    """A wheel with ZIP64 end records that it doesn't need."""
    kept: list[Member] = []

    def keep(members: list[Member]) -> list[Member]:
        kept.extend(members)
        return members

    made = wheel(members=keep)
    return made.with_content(write_zip(kept, zip64_end=True, zip64_overrides=overrides))


def overlong_stream(extra: bytes) -> bytes:
    """A deflate stream that gives *extra* after its b"x"."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(b"x" + extra) + packer.flush()


def extra_field(header_id: int, data: bytes) -> bytes:
    """One extra field."""
    return struct.pack("<HH", header_id, len(data)) + data


def lying_descriptor() -> WheelFile:
    """A wheel with a data descriptor whose CRC-32 is another."""
    made = changed(CODE, descriptor="signed")
    place = zip_surgery.find_member(made.content, CODE)
    start = place.data + place.compressed_size + 4
    return made.with_content(made.content[:start] + b"evil" + made.content[start + 4 :])


def unicode_path(name: bytes, header_name: bytes) -> bytes:
    """An Info-ZIP Unicode Path field."""
    return extra_field(0x7075, struct.pack("<BI", 1, zlib.crc32(header_name)) + name)


def scripts(line: str, group: str = "console_scripts") -> WheelFile:
    """A wheel with an entry_points.txt of one group and line."""
    return wheel(entry_points=f"[{group}]\n{line}\n")
