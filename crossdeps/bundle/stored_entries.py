"""The entries of a planned bundle in a form that can be stored, and back with the same wheels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.bundle.model import Entry, FileContent, InlineContent, WheelContent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.wheels.model import Wheel

_INLINE: Final = -1
_FILE: Final = -2


class StoredEntries(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The entries of a bundle. The columns from *paths* on have an element for each of them.

    :param wheels: SHA-256 and published name of each wheel that has members among the entries
    :param inline: SHA-256 and bytes of each file that crossdeps writes itself
    :param files: path, size in bytes and SHA-256 of each file of the user
    :param sources: index in *wheels*; -1 for *inline*, -2 for *files*
    :param indexes: of the member in its wheel, or in *inline* or *files*
    """

    wheels: tuple[tuple[str, str], ...]
    inline: tuple[tuple[str, bytes], ...]
    files: tuple[tuple[str, int, str], ...]
    paths: tuple[str, ...]
    modes: tuple[int, ...]
    sources: tuple[int, ...]
    indexes: tuple[int, ...]


_DECODER: Final = msgspec.msgpack.Decoder(StoredEntries)


def decode_entries(data: bytes | msgspec.Raw) -> StoredEntries:
    """Decode stored entries from MessagePack.

    :raises msgspec.MsgspecError: if it is none
    """
    return _DECODER.decode(data)


def store_entries(entries: Iterable[Entry]) -> StoredEntries:
    """Return the storable form of the *entries* of a planned bundle."""
    wheels: dict[str, tuple[int, str, dict[str, int]]] = {}
    inline: list[tuple[str, bytes]] = []
    files: list[tuple[str, int, str]] = []
    rows: list[tuple[str, int, int, int]] = []
    for entry in entries:
        content = entry.content
        if isinstance(content, WheelContent):
            wheel = content.wheel
            known = wheels.get(wheel.sha256)
            if known is None:
                members = {member.path: index for index, member in enumerate(wheel.members)}
                known = wheels[wheel.sha256] = (len(wheels), wheel.filename, members)
            source, index = known[0], known[2][content.member.path]
        elif isinstance(content, InlineContent):
            source, index = _INLINE, len(inline)
            inline.append((entry.sha256, content.data))
        elif isinstance(content, FileContent):
            source, index = _FILE, len(files)
            files.append((str(content.file), entry.size, entry.sha256))
        else:
            raise TypeError(f"{entry.path} isn't planned from a wheel or a file")
        rows.append((entry.path, entry.mode, source, index))
    paths, modes, sources, indexes = zip(*rows, strict=True) if rows else ((), (), (), ())
    return StoredEntries(
        wheels=tuple((sha256, filename) for sha256, (_, filename, _) in wheels.items()),
        inline=tuple(inline),
        files=tuple(files),
        paths=paths,
        modes=modes,
        sources=sources,
        indexes=indexes,
    )


def restore_entries(stored: StoredEntries, wheels: Sequence[Wheel]) -> tuple[Entry, ...]:
    """Return the entries that were stored, without their owners.

    :param wheels: those of *stored*, in its order
    :raises IndexError: if a wheel has other members
    """
    entries = []
    rows = zip(stored.paths, stored.modes, stored.sources, stored.indexes, strict=True)
    for path, mode, source, index in rows:
        if source >= 0:
            wheel = wheels[source]
            member = wheel.members[index]
            entry = Entry(
                path=path,
                mode=mode,
                size=member.size,
                sha256=member.sha256,
                content=WheelContent(wheel=wheel, member=member),
                owner=None,
            )
        elif source == _INLINE:
            sha256, data = stored.inline[index]
            content = InlineContent(data=data)
            entry = Entry(
                path=path, mode=mode, size=len(data), sha256=sha256, content=content, owner=None
            )
        else:
            name, size, sha256 = stored.files[index]
            entry = Entry(
                path=path,
                mode=mode,
                size=size,
                sha256=sha256,
                content=FileContent(file=Path(name)),
                owner=None,
            )
        entries.append(entry)
    return tuple(entries)
