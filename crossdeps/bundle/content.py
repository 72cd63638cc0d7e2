"""The bytes behind an entry, wherever they lie, in bounded memory."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from crossdeps.bundle.model import ArchiveContent, FileContent, InlineContent, WheelContent
from crossdeps.errors import ArtifactReadError, IntegrityError, OutputError, WheelError
from crossdeps.fs import CHUNK
from crossdeps.wheels.zip_format import checksum, inflate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from typing_extensions import Self

    from crossdeps.bundle.model import Content, Entry

_OPEN_FILES = 16


class ContentReader:
    """Reads contents; the wheels and archives behind them stay open between reads.

    One member at a time: each iterator is to be used up before the next is asked for.
    """

    def __init__(self) -> None:
        self._wheels: OrderedDict[Path, BinaryIO] = OrderedDict()
        self._archives: OrderedDict[Path, zipfile.ZipFile] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        while self._wheels:
            self._wheels.popitem()[1].close()
        while self._archives:
            self._archives.popitem()[1].close()

    def read(self, content: Content) -> bytes:
        """All bytes of *content*, inflated.

        :raises IntegrityError: if a wheel isn't what was verified
        :raises ArtifactReadError: if a member of an archive that was read can't be read again
        :raises OSError: if a file can't be read
        """
        return b"".join(self.iterate(content))

    def iterate(self, content: Content) -> Iterator[bytes]:
        """The bytes of *content*, inflated, in chunks.

        :raises IntegrityError: if a wheel isn't what was verified
        :raises ArtifactReadError: if a member of an archive that was read can't be read again
        :raises OSError: if a file can't be read
        """
        if isinstance(content, InlineContent):
            yield content.data
        elif isinstance(content, WheelContent):
            yield from self._inflated(content)
        elif isinstance(content, FileContent):
            with content.file.open("rb", buffering=0) as file:
                while data := file.read(CHUNK):
                    yield data
        else:
            yield from self._archived(content)

    def compressed(self, content: WheelContent) -> Iterator[bytes]:
        """The member's bytes as they lie in the wheel, in chunks.

        :raises IntegrityError: if the wheel was cut since it was verified
        """
        file = self._wheel(content.wheel.file)
        file.seek(content.member.offset)
        left = content.member.compressed_size
        while left:
            data = file.read(min(left, CHUNK))
            if not data:
                raise _changed(content)
            left -= len(data)
            yield data

    def _inflated(self, content: WheelContent) -> Iterator[bytes]:
        crc = 0
        file = self._wheel(content.wheel.file)
        try:
            for data in inflate(file, content.member, content.member.path):
                crc = checksum(data, crc)
                yield data
        except WheelError as error:
            raise _changed(content) from error
        if crc != content.member.crc32:
            raise _changed(content)

    def _archived(self, content: ArchiveContent) -> Iterator[bytes]:
        try:
            with self._archive(content.archive).open(content.name) as stream:
                while data := stream.read(CHUNK):
                    yield data
        except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError) as error:
            raise ArtifactReadError(
                f"a member can't be read: {error}", context=(str(content.archive), content.name)
            ) from error

    def _wheel(self, path: Path) -> BinaryIO:
        file = self._wheels.get(path)
        if file is None:
            if len(self._wheels) >= _OPEN_FILES:
                self._wheels.popitem(last=False)[1].close()
            file = self._wheels[path] = path.open("rb", buffering=0)
        self._wheels.move_to_end(path)
        return file

    def _archive(self, path: Path) -> zipfile.ZipFile:
        # Opening reads the whole central directory: thousands of members take longer than one.
        archive = self._archives.get(path)
        if archive is None:
            if len(self._archives) >= _OPEN_FILES:
                self._archives.popitem(last=False)[1].close()
            archive = self._archives[path] = zipfile.ZipFile(path)
        self._archives.move_to_end(path)
        return archive


def read_content(content: Content) -> bytes:
    """All bytes of one *content*, inflated; a :class:`ContentReader` reads many.

    :raises IntegrityError: if a wheel isn't what was verified
    :raises ArtifactReadError: if a member of an archive that was read can't be read again
    :raises OSError: if a file can't be read
    """
    with ContentReader() as reader:
        return reader.read(content)


def _changed(content: WheelContent) -> IntegrityError:
    return IntegrityError(
        "the wheel was changed after it was verified",
        context=(content.wheel.filename, content.member.path),
        hint=f"remove {content.wheel.file} and run again: it will be fetched anew",
    )


class Check:
    """Compares an entry's bytes, as they pass, with what was planned."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._digest = hashlib.sha256()
        self._size = 0

    def pass_through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Give *chunks* on, and stop where they differ from the plan.

        :raises OutputError: if there are more or fewer bytes than planned, or other ones
        """
        for chunk in chunks:
            self._size += len(chunk)
            if self._size > self._entry.size:
                raise self._error()
            self._digest.update(chunk)
            yield chunk
        expected = self._entry.sha256
        if self._size != self._entry.size or (expected and self._digest.hexdigest() != expected):
            raise self._error()

    def _error(self) -> OutputError:
        content = self._entry.content
        what = str(content.file) if isinstance(content, FileContent) else self._entry.path
        return OutputError(
            f"{what} changed while it was being packaged",
            hint="run again when nothing writes to it",
        )
