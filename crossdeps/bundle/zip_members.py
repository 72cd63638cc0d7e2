"""The members of a zip that any tool made: each read once, the large ones by two threads.

``zipfile`` lists the members and has the last word. But it spends more on a small member than
inflating it costs, so members of the usual kind are read here: stored or deflated, with a local
header that agrees with the directory. All others, the damaged ones included, are left to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import os
import struct
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.bundle.content import ContentReader, has_same_data
from crossdeps.bundle.model import ArchiveContent, InlineContent
from crossdeps.errors import WheelError
from crossdeps.fs import run_in_threads
from crossdeps.wheels.zip_format import (
    DEFLATED,
    LOCAL_HEADER,
    STORED,
    UINT32_MAX,
    checksum,
    inflate,
    inflate_small,
    inflate_start,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path
    from zipfile import ZipInfo

    from typing_extensions import Self

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.bundle.model import Bundle, Content, Entry

_LARGE = 256 << 10
_MAX_IN_MEMORY = 16 << 20
_HEAD_SIZE = 8
_HEAD_INPUT = 512  # more than the tables of a deflated block need, which come first
_EXTRA_ROOM = 64  # some archivers write longer extra fields in the local header
_HEADER_SIZE = LOCAL_HEADER.size
_DESCRIPTOR = 0x0008
_UTF8 = 0x0800
# The level of compression, a data descriptor, a name in UTF-8
_USUAL_FLAGS = 0x0006 | _DESCRIPTOR | _UTF8


class ScannedMember(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a member.

    :param content: its bytes if they are to be kept, else where they are
    :param sha256: hex digest; empty if hashes were not asked for
    """

    content: Content
    sha256: str = ""
    binary: BinaryFacts | None = None


def scan_members(
    path: Path,
    members: Mapping[str, ZipInfo],
    *,
    ends: Mapping[int, int],
    kept: Collection[str],
    hashes: bool,
    known: Bundle | None = None,
) -> dict[str, ScannedMember]:
    """Read those of *members* that are of the usual kind and intact.

    :param members: by the path that each will have
    :param ends: where each member must end, by the offset of its local header
    :param kept: paths of small members whose bytes are kept
    :param hashes: read and check all bytes; otherwise only those that are kept, and of binaries
        what their facts need
    :param known: its contents and facts are used for members with the same compressed bytes, unless
        hashes are asked for
    :raises OSError: if the archive cannot be read
    """
    entries = {entry.path: entry for entry in known.entries} if known else {}
    scan = _Scan(path, ends, kept, hashes=hashes, known=entries)
    usual = [
        (name, info)
        for name, info in members.items()
        if info.compress_type in (STORED, DEFLATED)
        and not info.flag_bits & ~_USUAL_FLAGS
        and max(info.file_size, info.compress_size) < UINT32_MAX
    ]
    large = [(name, info) for name, info in usual if _is_large(info)]
    large.sort(key=lambda item: item[1].file_size, reverse=True)
    # For small members, passing the interpreter lock around costs more than a thread gains.
    run_in_threads(scan.read, large, threads=2)
    scan.read((name, info) for name, info in usual if not _is_large(info))
    return scan.found


def _is_large(info: ZipInfo) -> bool:
    return info.file_size >= _LARGE or info.compress_size >= _LARGE


class _Scan:
    def __init__(
        self,
        path: Path,
        ends: Mapping[int, int],
        kept: Collection[str],
        *,
        hashes: bool,
        known: Mapping[str, Entry],
    ) -> None:
        self.found: dict[str, ScannedMember] = {}
        self._path = path
        self._ends = ends
        self._kept = kept
        self._hashes = hashes
        self._known = known

    def read(self, members: Iterator[tuple[str, ZipInfo]]) -> None:
        with self._path.open("rb", buffering=0) as stream, ContentReader() as reader:
            file = cast("BinaryIO", stream)
            for name, info in members:
                is_kept = name in self._kept
                if self._hashes or is_kept:
                    member = self._read_whole(file, info, is_kept=is_kept)
                else:
                    member = self._read_head(file, info, self._known.get(name), reader)
                if member is not None:
                    self.found[name] = member

    def _read_head(
        self, file: BinaryIO, info: ZipInfo, known: Entry | None, reader: ContentReader
    ) -> ScannedMember | None:
        """Read enough to tell whether a member is a binary, and its facts.

        :param reader: reads the archive of the *known* entry
        """
        located = self._locate(file, info, min(info.compress_size, _HEAD_INPUT))
        if located is None:
            return None
        content, head = located
        if known is not None and isinstance(known.content, ArchiveContent):
            other = reader.open_file(known.content.archive)
            if has_same_data(file, content, other, known.content):
                return ScannedMember(content=known.content, binary=known.binary)
        if content.method == DEFLATED:
            head = inflate_start(head, _HEAD_SIZE)
        if len(head) < min(info.file_size, _HEAD_SIZE):
            return None
        if not is_binary_head(head[:_HEAD_SIZE]):
            return ScannedMember(content=content)
        if _is_large(info):
            return _read_partly(file, content)
        return self._read_whole(file, info, is_kept=False)

    def _read_whole(self, file: BinaryIO, info: ZipInfo, *, is_kept: bool) -> ScannedMember | None:
        """Read all of a member; None if it is unusual or damaged."""
        is_large = _is_large(info)
        located = self._locate(file, info, 0 if is_large else info.compress_size)
        if located is None:
            return None
        content, raw = located
        if is_large:
            return _read_large(file, content)
        data = inflate_small(raw, content.size) if content.method == DEFLATED else raw
        if len(data) != content.size or checksum(data) != content.crc32:
            return None
        return ScannedMember(
            content=InlineContent(data=data) if is_kept else content,
            sha256=hashlib.sha256(data).hexdigest() if self._hashes else "",
            binary=read_binary(data) if is_binary_head(data[:_HEAD_SIZE]) else None,
        )

    def _locate(
        self, file: BinaryIO, info: ZipInfo, count: int
    ) -> tuple[ArchiveContent, bytes] | None:
        """Find the data of a member, and read the first *count* bytes of it.

        None if its local header is missing, says something else, or leads beyond the member's end.
        """
        name = info.orig_filename
        is_utf8 = info.flag_bits & _UTF8 or name.isascii()
        raw_name = name.encode("utf-8" if is_utf8 else "cp437")
        file.seek(info.header_offset)
        raw = file.read(_HEADER_SIZE + len(raw_name) + len(info.extra) + _EXTRA_ROOM + count)
        lengths = raw[_HEADER_SIZE - 4 : _HEADER_SIZE]
        if len(lengths) < 4 or not raw.startswith(b"PK\x03\x04"):
            return None
        name_end = _HEADER_SIZE + int.from_bytes(lengths[:2], "little")
        start = name_end + int.from_bytes(lengths[2:], "little")
        offset = info.header_offset + start
        stated = struct.pack("<3I", info.CRC, info.compress_size, info.file_size)
        if (
            raw[_HEADER_SIZE:name_end] != raw_name
            or (raw[14:26] != stated and not info.flag_bits & _DESCRIPTOR)
            or offset + info.compress_size > self._ends[info.header_offset]
        ):
            return None
        data = raw[start : start + count]
        if len(data) < count:
            file.seek(offset)
            data = file.read(count)
        content = ArchiveContent(
            archive=self._path,
            name=info.filename,
            offset=offset,
            compressed_size=info.compress_size,
            size=info.file_size,
            method=info.compress_type,
            crc32=info.CRC,
        )
        return content, data


def _read_partly(file: BinaryIO, content: ArchiveContent) -> ScannedMember | None:
    """Read of a large binary what its facts need."""
    try:
        with _InflatedStream(inflate(file, content, content.name), content.size) as stream:
            return ScannedMember(content=content, binary=read_binary(cast("BinaryIO", stream)))
    except WheelError:
        return None


def _read_large(file: BinaryIO, content: ArchiveContent) -> ScannedMember | None:
    digest = hashlib.sha256()
    crc = 0
    binary = None
    chunks = inflate(file, content, content.name)
    try:
        head = next(chunks, b"")
        with contextlib.ExitStack() as stack:
            copy = None
            if is_binary_head(head[:_HEAD_SIZE]):
                copy = stack.enter_context(_open_temporary(content.size))
            for chunk in itertools.chain((head,), chunks):
                digest.update(chunk)
                crc = checksum(chunk, crc)
                if copy is not None:
                    copy.write(chunk)
            if copy is not None:
                binary = read_binary(copy)
    except WheelError:
        return None
    if crc != content.crc32:
        return None
    return ScannedMember(content=content, sha256=digest.hexdigest(), binary=binary)


def _open_temporary(size: int) -> BinaryIO:
    """Open a file for *size* bytes, in memory if they are not too many."""
    if size <= _MAX_IN_MEMORY:
        return io.BytesIO()
    from tempfile import TemporaryFile  # noqa: PLC0415 - slow to load, for the largest only

    return cast("BinaryIO", TemporaryFile())


class _InflatedStream:
    """The bytes of a member as a seekable stream, which inflates no more than is read."""

    def __init__(self, chunks: Iterator[bytes], size: int) -> None:
        self._chunks = chunks
        self._size = size
        self._inflated = 0
        self._position = 0
        self._copy = _open_temporary(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._copy.close()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = self._size if whence == os.SEEK_END else offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, count: int) -> bytes:
        stop = min(self._position + count, self._size)
        self._copy.seek(0, os.SEEK_END)
        while self._inflated < stop:
            chunk = next(self._chunks)
            self._inflated += self._copy.write(chunk)
        self._copy.seek(self._position)
        data = self._copy.read(count)
        self._position += len(data)
        return data
