"""The bytes of entries, from wherever they are, in bounded memory."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, TypeVar

from crossdeps.bundle.model import ArchiveContent, FileContent, InlineContent, WheelContent
from crossdeps.errors import ArtifactReadError, IntegrityError, OutputError, WheelError
from crossdeps.fs import CHUNK
from crossdeps.wheels.zip_format import checksum, inflate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO
    from zipfile import ZipFile

    from typing_extensions import Self

    from crossdeps.bundle.model import Content, Entry

File = TypeVar("File", "BinaryIO", "ZipFile")

_MAX_OPEN_FILES = 16


class ContentReader:
    """Reads contents; the wheels and archives that have them stay open between reads.

    One content at a time: an iterator must be exhausted before the next one is requested.
    """

    def __init__(self) -> None:
        self._wheels: dict[Path, BinaryIO] = {}
        self._archives: dict[Path, ZipFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for wheel in self._wheels.values():
            wheel.close()
        for archive in self._archives.values():
            archive.close()

    def read(self, content: Content) -> bytes:
        """Return all bytes of *content*, inflated.

        :raises IntegrityError: if a wheel has changed since it was verified
        :raises ArtifactReadError: if a member of an archive cannot be read
        :raises OSError: if a file cannot be read
        """
        return b"".join(self.iterate(content))

    def iterate(self, content: Content) -> Iterator[bytes]:
        """Yield the bytes of *content*, inflated, in chunks; raise as :meth:`read`."""
        if isinstance(content, InlineContent):
            yield content.data
        elif isinstance(content, WheelContent):
            yield from self._inflate(content)
        elif isinstance(content, FileContent):
            with content.file.open("rb", buffering=0) as file:
                while data := file.read(CHUNK):
                    yield data
        else:
            yield from self._read_archive(content)

    def iterate_compressed(self, content: WheelContent) -> Iterator[bytes]:
        """Yield the bytes of a member as they are in the wheel, in chunks.

        :raises IntegrityError: if the wheel was truncated since it was verified
        """
        file = self._open_wheel(content)
        file.seek(content.member.offset)
        left = content.member.compressed_size
        while left:
            data = file.read(min(left, CHUNK))
            if not data:
                raise _wheel_changed(content)
            left -= len(data)
            yield data

    def _inflate(self, content: WheelContent) -> Iterator[bytes]:
        crc = 0
        try:
            for data in inflate(self._open_wheel(content), content.member, content.member.path):
                crc = checksum(data, crc)
                yield data
        except WheelError as error:
            raise _wheel_changed(content) from error
        if crc != content.member.crc32:
            raise _wheel_changed(content)

    def _read_archive(self, content: ArchiveContent) -> Iterator[bytes]:
        try:
            with self._open_archive(content.archive).open(content.name) as stream:
                while data := stream.read(CHUNK):
                    yield data
        except zip_errors(KeyError) as error:
            raise ArtifactReadError(
                f"a member cannot be read: {error}", context=(str(content.archive), content.name)
            ) from error

    def _open_wheel(self, content: WheelContent) -> BinaryIO:
        return _reuse(self._wheels, content.wheel.file, lambda path: path.open("rb", buffering=0))

    def _open_archive(self, path: Path) -> ZipFile:
        # Opening reads the whole central directory: once for each member would be quadratic.
        from zipfile import ZipFile  # noqa: PLC0415 - slow to load, only for zips that are read

        return _reuse(self._archives, path, ZipFile)


def _reuse(files: dict[Path, File], path: Path, open_file: Callable[[Path], File]) -> File:
    """Return the open file of *path*, now the last one of *files*; close the first of too many."""
    file = files.pop(path, None)
    if file is None:
        if len(files) >= _MAX_OPEN_FILES:
            files.pop(next(iter(files))).close()
        file = open_file(path)
    files[path] = file
    return file


def read_content(content: Content) -> bytes:
    """Return all bytes of one *content*, inflated; a :class:`ContentReader` reads many.

    :raises IntegrityError: if a wheel has changed since it was verified
    :raises ArtifactReadError: if a member of an archive cannot be read
    :raises OSError: if a file cannot be read
    """
    with ContentReader() as reader:
        return reader.read(content)


@functools.cache
def zip_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what ``zipfile`` raises for damaged and unsupported archives, and *others*."""
    import lzma  # noqa: PLC0415 - with zipfile, which is slow to load
    import zlib  # noqa: PLC0415
    from zipfile import BadZipFile  # noqa: PLC0415

    errors = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
    return (*errors, RuntimeError, ValueError, OverflowError, *others)


def _wheel_changed(content: WheelContent) -> IntegrityError:
    return IntegrityError(
        "the wheel was changed after it was verified",
        context=(content.wheel.filename, content.member.path),
        hint=f"remove {content.wheel.file} and run again: it will be downloaded again",
    )


def verify_chunks(entry: Entry, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *chunks* while they agree with the planned size and hash of *entry*.

    :raises OutputError: if there are more or fewer bytes, or different ones
    """
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > entry.size:
            break
        digest.update(chunk)
        yield chunk
    if size != entry.size or (entry.sha256 and digest.hexdigest() != entry.sha256):
        changed = entry.content.file if isinstance(entry.content, FileContent) else entry.path
        raise OutputError(
            f"{changed} changed while it was being packaged",
            hint="run again when nothing writes to it",
        )
