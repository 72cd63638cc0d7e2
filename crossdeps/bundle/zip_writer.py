"""Writing a zip from its layout, in large blocks.

Large extents are copied by the system (``copy_file_range``) where it can; small ones that are near
each other in a wheel are read at once. A second thread reads what has been written, right behind
it, for the SHA-256 of the zip: hashing takes longer than everything else.
"""

from __future__ import annotations

import errno
import hashlib
import os
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from crossdeps.bundle.content import ContentReader, verify_chunks, wheel_changed
from crossdeps.bundle.staging import write_all
from crossdeps.bundle.zip_layout import find_member
from crossdeps.fs import CHUNK
from crossdeps.system_errors import start_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from typing_extensions import Self

    from crossdeps.bundle.zip_layout import ZipLayout
    from crossdeps.errors import IntegrityError

# An extent of this size or more is copied by itself, in pieces of at most the other size.
_LARGE, _MAX_COPY = 64 << 10, 8 << 20
# What lies between two small extents is read along with them: up to this, another read is dearer.
_MAX_GAP, _MAX_SPAN = 16 << 10, 256 << 10
# What is hashed at once stays in the processor's cache after it was read.
_HASHED = 256 << 10


def write_members(layout: ZipLayout, paths: Sequence[Path], fd: int, path: Path) -> str:
    """Write all of *layout* to a new file.

    :param paths: of the files of *layout*
    :param fd: the new file, open for writing
    :param path: the same file
    :returns: SHA-256 of the file, in hex
    :raises IntegrityError: if a wheel has been truncated since it was verified
    :raises OutputError: if a file of the user has changed since it was planned
    :raises OSError: if a file cannot be read or written
    """
    with _Hasher(path) as hasher, ContentReader() as reader:
        _Writer(layout, paths, fd, hasher, reader).write()
        return hasher.finish()


class _Writer:
    def __init__(
        self,
        layout: ZipLayout,
        paths: Sequence[Path],
        fd: int,
        hasher: _Hasher,
        reader: ContentReader,
    ) -> None:
        self._layout = layout
        self._paths = paths
        self._fd = fd
        self._hasher = hasher
        self._reader = reader
        self._data = memoryview(layout.data)
        self._position = 0
        self._pending: list[memoryview] = []
        self._size = 0

    def write(self) -> None:
        layout = self._layout
        for first, stop in _group(layout):
            if not layout.files[layout.inputs[first]].is_wheel:
                self._write_user_file(first)
            elif layout.sizes[first] >= _LARGE:
                self._copy(first)
            else:
                self._add_small(first, stop)
        self._add_data(len(self._data) - self._position)
        self._flush()

    def _add_small(self, first: int, stop: int) -> None:
        layout = self._layout
        offsets, sizes = layout.offsets[first:stop], layout.sizes[first:stop]
        start, end = offsets[0], offsets[-1] + sizes[-1]
        source = self._reader.open_file(self._paths[layout.inputs[first]])
        block = memoryview(_read(source, start, end - start))
        if len(block) < end - start:
            cut = start + len(block)
            ends = map(sum, zip(offsets, sizes, strict=True))
            raise self._changed(first + next(i for i, after in enumerate(ends) if after > cut))
        data, position, pending = self._data, self._position, self._pending
        for length, offset, size in zip(layout.lengths[first:stop], offsets, sizes, strict=True):
            after = position + length
            pending += (data[position:after], block[offset - start : offset - start + size])
            position = after
        self._size += position - self._position + sum(sizes)
        self._position = position
        if self._size >= CHUNK:
            self._flush()

    def _copy(self, index: int) -> None:
        layout = self._layout
        self._add_data(layout.lengths[index])
        self._flush()
        source = self._reader.open_file(self._paths[layout.inputs[index]])
        left = layout.sizes[index]
        for count in _copy(source, self._fd, layout.offsets[index], left):
            self._hasher.add(count)
            left -= count
        if left:
            raise self._changed(index)

    def _write_user_file(self, index: int) -> None:
        layout = self._layout
        self._add_data(layout.lengths[index])
        file = layout.files[layout.inputs[index]]
        chunks = self._reader.iterate_file(self._paths[layout.inputs[index]])
        size = layout.sizes[index]
        for chunk in verify_chunks(chunks, size=size, sha256=file.sha256, name=file.name):
            self._add(memoryview(chunk))

    def _add_data(self, length: int) -> None:
        self._add(self._data[self._position : self._position + length])
        self._position += length

    def _add(self, data: memoryview) -> None:
        self._pending.append(data)
        self._size += len(data)
        if self._size >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        if self._size:
            write_all(self._fd, b"".join(self._pending))
            self._hasher.add(self._size)
        self._pending.clear()
        self._size = 0

    def _changed(self, index: int) -> IntegrityError:
        layout = self._layout
        file, path = layout.files[layout.inputs[index]], self._paths[layout.inputs[index]]
        end = sum(layout.lengths[: index + 1])
        header = layout.data[end - layout.lengths[index] : end]
        return wheel_changed(file.name, find_member(header), path)


def _group(layout: ZipLayout) -> Iterator[tuple[int, int]]:
    """Yield ranges of extents (first, after the last) that are written together.

    The extents of a range are small, and near each other in the same wheel in the same order; or it
    has only one.
    """
    first, first_input, start, end = 0, -1, 0, 0
    index = 0
    for number, offset, size in zip(layout.inputs, layout.offsets, layout.sizes, strict=True):
        is_near = number == first_input and 0 <= offset - end <= _MAX_GAP
        end = offset + size
        if not is_near or size >= _LARGE or end - start > _MAX_SPAN:
            if index:
                yield first, index
            is_alone = size >= _LARGE or not layout.files[number].is_wheel
            first, first_input, start = index, -1 if is_alone else number, offset
        index += 1
    if index:
        yield first, index


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    """Read *size* bytes, fewer only where the file ends."""
    file.seek(offset)
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _copy(source: BinaryIO, fd: int, offset: int, size: int) -> Iterator[int]:
    """Copy an extent, and yield how many bytes were copied each time.

    They are fewer than *size* in all only where the source ends.
    """
    copy = getattr(os, "copy_file_range", None)  # Linux and FreeBSD
    while size:
        count = 0
        if copy:
            try:
                count = copy(source.fileno(), fd, min(size, _MAX_COPY), offset)
            except OSError:  # two file systems, or one without it; a read or write tells the reason
                copy = None
        if not count:  # as some file systems answer instead of an error
            copy = None
            data = _read(source, offset, min(size, CHUNK))
            if not data:
                return
            write_all(fd, data)
            count = len(data)
        offset += count
        size -= count
        yield count


class _Hasher:
    """Hashes a file in a second thread while it is being written."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._buffer = memoryview(bytearray(_HASHED))
        self._digest = hashlib.sha256()
        self._counts: SimpleQueue[int] = SimpleQueue()
        self._error: OSError | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._started = False

    def __enter__(self) -> Self:
        self._started = bool(start_threads([self._thread]))
        return self

    def __exit__(self, *exception: object) -> None:
        self._counts.put(0)
        if self._started:
            self._thread.join()
        self._file.close()

    def add(self, count: int) -> None:
        """Hash the next *count* bytes, which have been written."""
        self._counts.put(count)

    def finish(self) -> str:
        """Return the hash of everything, in hex.

        :raises OSError: if the file could not be read
        """
        self._counts.put(0)
        if self._started:
            self._thread.join()
        else:
            self._run()
        if self._error:
            raise self._error
        return self._digest.hexdigest()

    def _run(self) -> None:
        try:
            while count := self._counts.get():
                self._hash(count)
        except OSError as error:
            self._error = error

    def _hash(self, left: int) -> None:
        while left:
            count = self._file.readinto(self._buffer[: min(left, _HASHED)])
            if not count:
                raise OSError(errno.EIO, "it was truncated meanwhile", self._file.name)
            self._digest.update(self._buffer[:count])
            left -= count
