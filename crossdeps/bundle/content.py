"""The bytes of entries, from wherever they are, in bounded memory."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from typing import TYPE_CHECKING, TypeVar

from crossdeps.bundle.model import ArchiveContent, FileContent, InlineContent, WheelContent
from crossdeps.errors import ArtifactReadError, IntegrityError, OutputError, WheelError
from crossdeps.fs import CHUNK
from crossdeps.wheels.zip_format import DEFLATED, checksum, inflate, inflate_small, read_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO
    from zipfile import ZipFile

    from typing_extensions import Self

    from crossdeps.bundle.model import Content

File = TypeVar("File", "BinaryIO", "ZipFile")

_MAX_OPEN = 16


class ContentReader:
    """Reads contents; the wheels and archives that have them stay open between reads.

    One content at a time: an iterator must be exhausted before the next one is requested.

    :param max_open: how many files may be open at a time, and how many archives
    """

    def __init__(self, max_open: int = _MAX_OPEN) -> None:
        self._max_open = max_open
        self._files: dict[Path, BinaryIO] = {}
        self._archives: dict[Path, ZipFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for file in self._files.values():
            file.close()
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
            yield from self.iterate_file(content.file)
        else:
            yield from self._read_archive(content)

    def iterate_file(self, path: Path) -> Iterator[bytes]:
        """Yield the bytes of a file in chunks.

        :raises OSError: if it cannot be read
        """
        with path.open("rb", buffering=0) as file:
            while data := file.read(CHUNK):
                yield data

    def open_file(self, path: Path) -> BinaryIO:
        """Open a file, such as a wheel, which stays open for the next reads.

        :raises OSError: if it cannot be opened
        """
        return _reuse(self._files, path, lambda path: path.open("rb", buffering=0), self._max_open)

    def _inflate(self, content: WheelContent) -> Iterator[bytes]:
        crc, member, wheel = 0, content.member, content.wheel
        file = self.open_file(wheel.file)
        chunks: Iterable[bytes]
        try:
            if max(member.compressed_size, member.size) <= CHUNK:
                data = read_at(file, member.offset, member.compressed_size)
                if member.method == DEFLATED:
                    data = inflate_small(data, member.size)
                if len(data) != member.size:
                    raise wheel_changed(wheel.filename, member.path, wheel.file)
                chunks = (data,)
            else:
                chunks = inflate(file, member, member.path)
            for chunk in chunks:
                crc = checksum(chunk, crc)
                yield chunk
        except WheelError as error:
            raise wheel_changed(wheel.filename, member.path, wheel.file) from error
        if crc != member.crc32:
            raise wheel_changed(wheel.filename, member.path, wheel.file)

    def _read_archive(self, content: ArchiveContent) -> Iterator[bytes]:
        if content.offset < 0:
            yield from self._read_member(content)
            return
        crc = 0
        with contextlib.suppress(WheelError):
            for data in inflate(self.open_file(content.archive), content, content.name):
                crc = checksum(data, crc)
                yield data
            if crc == content.crc32:
                return
        # The archive was changed, or damaged where it was not read before: zipfile knows which.
        for _ in self._read_member(content):
            pass
        raise ArtifactReadError(
            "a member cannot be read: the archive was changed",
            context=(str(content.archive), content.name),
        )

    def _read_member(self, content: ArchiveContent) -> Iterator[bytes]:
        try:
            with self._open_archive(content.archive).open(content.name) as stream:
                while data := stream.read(CHUNK):
                    yield data
        except zip_errors(KeyError) as error:
            raise ArtifactReadError(
                f"a member cannot be read: {error}", context=(str(content.archive), content.name)
            ) from error

    def _open_archive(self, path: Path) -> ZipFile:
        # Opening reads the whole central directory: once for each member would be quadratic.
        from zipfile import ZipFile  # noqa: PLC0415 - slow to load, only for zips that are read

        return _reuse(self._archives, path, ZipFile, self._max_open)


def _reuse(
    files: dict[Path, File], path: Path, open_file: Callable[[Path], File], limit: int
) -> File:
    """Return the open file of *path*, now the last one of *files*; close the first of too many."""
    file = files.pop(path, None)
    if file is None:
        if len(files) >= limit:
            files.pop(next(iter(files))).close()
        file = open_file(path)
    files[path] = file
    return file


def has_same_data(
    file: BinaryIO, content: ArchiveContent, other_file: BinaryIO, other: ArchiveContent
) -> bool:
    """Whether two members have the same compressed bytes, and so the same content.

    :param file: the archive of *content*, open
    :param other_file: the archive of *other*, open
    """
    if other.offset < 0 or (content.method, content.crc32, content.size) != (
        other.method,
        other.crc32,
        other.size,
    ):
        return False
    left = content.compressed_size
    if left != other.compressed_size:
        return False
    file.seek(content.offset)
    other_file.seek(other.offset)
    while left:
        data = file.read(min(left, CHUNK))
        if not data or data != other_file.read(len(data)):
            return False
        left -= len(data)
    return True


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


def wheel_changed(filename: str, member: str, file: Path) -> IntegrityError:
    """Make the error for a wheel whose bytes are not those that were verified.

    :param filename: the name under which it was published
    :param member: path of the member that is damaged
    :param file: the wheel on disk
    """
    return IntegrityError(
        "the wheel was changed after it was verified",
        context=(filename, member),
        hint=f"remove {file} and run again: it will be downloaded again",
    )


def verify_chunks(
    chunks: Iterable[bytes], *, size: int, sha256: str, name: object
) -> Iterator[bytes]:
    """Yield *chunks* while they agree with the planned *size* and hash.

    :param sha256: hex digest; empty if it isn't known
    :param name: of the file, for the message
    :raises OutputError: if there are more or fewer bytes, or different ones
    """
    digest = hashlib.sha256()
    left = size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            break
        digest.update(chunk)
        yield chunk
    if left or (sha256 and digest.hexdigest() != sha256):
        raise OutputError(
            f"{name} changed while it was being packaged",
            hint="run again when nothing writes to it",
        )
