"""METADATA out of a wheel of which only parts may be here.

Only what a resolver needs: which member it is, and its bytes. Whether the archive as a whole can
be trusted is decided when the wheel is downloaded.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from typing import IO

from packaging.utils import canonicalize_name

from crossdeps.errors import WheelError
from crossdeps.text import escape

LARGEST_METADATA = 16 << 20
_LARGEST_RANGE = 32 << 20
_MOST_RANGES = 4
# A local header is 30 bytes, its name and an extra field that may differ from the directory's.
_HEADER_ROOM = 30 + 1024

FetchRange = Callable[[int, int], bytes]


class SparseFile(io.RawIOBase):
    """A file of which the end is known, and the rest is fetched where it is read.

    :param size: bytes of the whole file
    :param tail: its last bytes
    :param fetch: gives the bytes from an offset up to (not with) another
    """

    def __init__(self, size: int, tail: bytes, fetch: FetchRange) -> None:
        super().__init__()
        self._size = size
        self._spans = [(size - len(tail), tail)]
        self._fetch = fetch
        self._place = 0

    def seekable(self) -> bool:
        """Offsets can be chosen."""
        return True

    def readable(self) -> bool:
        """Bytes can be read."""
        return True

    def tell(self) -> int:
        """The offset of the next read."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Choose the offset of the next read; before the start is an error, as for any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("a negative offset")
        self._place = base + offset
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """Read up to *size* bytes, fetching them if they aren't here."""
        end = self._size if size < 0 else min(self._place + size, self._size)
        if end <= self._place:
            return b""
        self.require(self._place, end)
        for start, data in self._spans:
            if start <= self._place and end <= start + len(data):
                found = data[self._place - start : end - start]
                self._place = end
                return found
        raise OSError("unreachable")  # pragma: no cover - require() put the span there

    def require(self, start: int, end: int) -> None:
        """Have the bytes from *start* up to *end* here, by one request at most."""
        end = min(end, self._size)
        if any(at <= start and end <= at + len(data) for at, data in self._spans):
            return
        if end - start > _LARGEST_RANGE or len(self._spans) >= _MOST_RANGES:
            raise zipfile.BadZipFile("its directory or metadata is implausibly large or scattered")
        self._spans.append((start, self._fetch(start, end)))


def read_metadata(file: IO[bytes] | SparseFile, filename: str) -> bytes:
    """Read METADATA of the wheel in *file* (binary distribution format, "File contents").

    It must be in exactly one ``.dist-info`` directory, named after the project of *filename*.

    :raises WheelError: if the archive can't be read, or has no such member, or several
    """
    try:
        # The archive is checked strictly when it is downloaded; here any reader will do.
        with zipfile.ZipFile(file) as archive:
            member = _find(archive, filename)
            if member.file_size > LARGEST_METADATA or member.flag_bits & 0x1:
                raise _wrong("its METADATA is encrypted or implausibly large", filename)
            if isinstance(file, SparseFile):
                start = member.header_offset
                file.require(start, start + _HEADER_ROOM + member.compress_size)
            with archive.open(member) as opened:
                data = opened.read(LARGEST_METADATA + 1)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        UnicodeDecodeError,
        ValueError,
    ) as error:
        raise _wrong(f"it isn't a readable zip archive: {escape(str(error))}", filename) from error
    if len(data) != member.file_size:
        raise _wrong("its METADATA has another size than its archive says", filename)
    return data


def _find(archive: zipfile.ZipFile, filename: str) -> zipfile.ZipInfo:
    project = canonicalize_name(filename.partition("-")[0])
    found = [
        member
        for member in archive.infolist()
        if member.filename.endswith(".dist-info/METADATA") and member.filename.count("/") == 1
    ]
    if len(found) != 1:
        raise _wrong(f"{len(found) or 'none'} of its members is METADATA, not one", filename)
    stem = found[0].filename.partition("/")[0].removesuffix(".dist-info")
    if canonicalize_name(stem.rpartition("-")[0]) != project:
        raise _wrong(f"its metadata is in {escape(stem)}.dist-info, of another project", filename)
    return found[0]


def _wrong(message: str, filename: str) -> WheelError:
    return WheelError(
        f"the metadata of a wheel can't be used: {message}",
        context=(escape(filename),),
        hint="if this isn't your own wheel, ask for another version of the project",
        rule="wheel-metadata",
    )
