"""The bytes behind an entry, wherever they lie, in bounded memory."""

from __future__ import annotations

import zipfile
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from crossdeps.bundle.model import ArchiveContent, FileContent, InlineContent, WheelContent
from crossdeps.errors import ArtifactReadError, IntegrityError, WheelError
from crossdeps.wheels.inflate import checksum, inflate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from typing_extensions import Self

    from crossdeps.bundle.model import Content

CHUNK = 1 << 20
_OPEN_WHEELS = 16


class WheelFiles:
    """Wheels opened for reading, a bounded number at a time.

    One member at a time: each iterator is to be used up before the next is asked for.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[Path, BinaryIO] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        while self._files:
            self._files.popitem()[1].close()

    def compressed(self, content: WheelContent) -> Iterator[bytes]:
        """The member's bytes as they lie in the wheel, in chunks.

        :raises IntegrityError: if the wheel was cut since it was verified
        """
        file = self._open(content.wheel.file)
        file.seek(content.member.offset)
        left = content.member.compressed_size
        while left:
            data = file.read(min(left, CHUNK))
            if not data:
                raise _changed(content)
            left -= len(data)
            yield data

    def inflated(self, content: WheelContent) -> Iterator[bytes]:
        """The member's bytes, in chunks, checked against its size and CRC-32.

        :raises IntegrityError: if they aren't what was verified
        """
        crc = 0
        file = self._open(content.wheel.file)
        try:
            for data in inflate(file, content.member, content.member.path):
                crc = checksum(data, crc)
                yield data
        except WheelError as error:
            raise _changed(content) from error
        if crc != content.member.crc32:
            raise _changed(content)

    def _open(self, path: Path) -> BinaryIO:
        file = self._files.get(path)
        if file is None:
            if len(self._files) >= _OPEN_WHEELS:
                self._files.popitem(last=False)[1].close()
            file = self._files[path] = path.open("rb", buffering=0)
        self._files.move_to_end(path)
        return file


def iterate_content(content: Content, wheels: WheelFiles) -> Iterator[bytes]:
    """The bytes of *content*, inflated, in chunks.

    :raises IntegrityError: if a wheel isn't what was verified
    :raises ArtifactReadError: if a member of an archive that was read can't be read again
    :raises OSError: if a file can't be read
    """
    if isinstance(content, InlineContent):
        yield content.data
    elif isinstance(content, WheelContent):
        yield from wheels.inflated(content)
    elif isinstance(content, FileContent):
        with content.file.open("rb", buffering=0) as file:
            while data := file.read(CHUNK):
                yield data
    else:
        yield from _archived(content)


def read_content(content: Content) -> bytes:
    """All bytes of *content*, inflated.

    :raises IntegrityError: if a wheel isn't what was verified
    :raises ArtifactReadError: if a member of an archive that was read can't be read again
    :raises OSError: if a file can't be read
    """
    with WheelFiles() as wheels:
        return b"".join(iterate_content(content, wheels))


def _archived(content: ArchiveContent) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(content.archive) as archive, archive.open(content.name) as stream:
            while data := stream.read(CHUNK):
                yield data
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError) as error:
        raise ArtifactReadError(
            f"a member can't be read: {error}", context=(str(content.archive), content.name)
        ) from error


def _changed(content: WheelContent) -> IntegrityError:
    return IntegrityError(
        "the wheel was changed after it was verified",
        context=(content.wheel.filename, content.member.path),
        hint=f"remove {content.wheel.file} and run again: it will be fetched anew",
    )
