"""Read METADATA out of a wheel, also one of which only the end was fetched.

This is for the resolver: whether the archive as a whole can be trusted is checked when the wheel
is downloaded.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import WheelError
from crossdeps.text import escape

if TYPE_CHECKING:
    import zipfile

LARGEST_METADATA = 16 << 20
"""Bytes of the largest METADATA that is read."""

_LARGEST_RANGE = 32 << 20
_MAX_RANGES = 4
# A local header is 30 bytes, its name and an extra field, which may differ from the directory's.
_LOCAL_HEADER = 30 + 1024

FetchRange = Callable[[int, int], bytes]


class SparseFile(io.RawIOBase):
    """A file whose end is known, and whose other bytes are fetched when they are read.

    :param size: bytes of the whole file
    :param tail: its last bytes
    :param fetch: returns the bytes from an offset up to, but not including, another
    """

    def __init__(self, size: int, tail: bytes, fetch: FetchRange) -> None:
        super().__init__()
        self._size = size
        self._spans = [(size - len(tail), tail)]
        self._fetch = fetch
        self._position = 0

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the offset of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Set the offset of the next read, and return it.

        :raises OSError: if it is negative
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("a negative offset")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Read up to *size* bytes, and fetch them if necessary."""
        end = self._size if size < 0 else min(self._position + size, self._size)
        if end <= self._position:
            return b""
        self.require(self._position, end)
        for start, data in self._spans:
            if start <= self._position and end <= start + len(data):
                found = data[self._position - start : end - start]
                self._position = end
                return found
        raise OSError("unreachable")  # pragma: no cover - require() put the span there

    def require(self, start: int, end: int) -> None:
        """Fetch the bytes from *start* up to *end* by a single request, unless they are known.

        :raises ValueError: if that needs an implausibly large range, or too many ranges
        """
        end = min(end, self._size)
        if any(at <= start and end <= at + len(data) for at, data in self._spans):
            return
        if end - start > _LARGEST_RANGE or len(self._spans) >= _MAX_RANGES:
            raise ValueError("its directory or metadata is implausibly large or scattered")
        self._spans.append((start, self._fetch(start, end)))


def read_metadata(file: IO[bytes] | SparseFile, filename: str) -> bytes:
    """Read METADATA of the wheel in *file* (binary distribution format, "File contents").

    It must be in the only ``.dist-info`` directory, named after the project of *filename*.

    :raises WheelError: if the archive cannot be read, or does not have exactly one METADATA
    """
    import zipfile  # noqa: PLC0415 - not loaded where metadata comes from the index or the cache
    import zlib  # noqa: PLC0415 - the same

    try:
        # The archive is checked strictly when it is downloaded; here any reader will do.
        with zipfile.ZipFile(file) as archive:
            member = _find_member(archive, filename)
            if member.file_size > LARGEST_METADATA or member.flag_bits & 0x1:
                raise _metadata_error("its METADATA is encrypted or implausibly large", filename)
            if isinstance(file, SparseFile):
                start = member.header_offset
                file.require(start, start + _LOCAL_HEADER + member.compress_size)
            with archive.open(member) as opened:
                data = opened.read(LARGEST_METADATA + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        reason = f"it is not a readable zip archive: {escape(str(error))}"
        raise _metadata_error(reason, filename) from error
    if len(data) != member.file_size:
        raise _metadata_error("the size of its METADATA differs from the stated size", filename)
    return data


def _find_member(archive: zipfile.ZipFile, filename: str) -> zipfile.ZipInfo:
    found = [
        member
        for member in archive.infolist()
        if member.filename.endswith(".dist-info/METADATA") and member.filename.count("/") == 1
    ]
    if len(found) != 1:
        count = "no METADATA" if not found else f"{len(found)} METADATA files"
        raise _metadata_error(f"it has {count}", filename)
    stem = found[0].filename.partition("/")[0].removesuffix(".dist-info")
    if canonicalize_name(stem.rpartition("-")[0]) != canonicalize_name(filename.partition("-")[0]):
        raise _metadata_error(
            f"its METADATA is in {escape(stem)}.dist-info, that of another project", filename
        )
    return found[0]


def _metadata_error(reason: str, filename: str) -> WheelError:
    return WheelError(
        f"the metadata of a wheel cannot be used: {reason}",
        context=(escape(filename),),
        hint="unless this is your own wheel, require another version of the project",
        rule="wheel-metadata",
    )
