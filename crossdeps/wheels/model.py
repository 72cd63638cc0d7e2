"""A wheel whose bytes are verified, and its members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.binaries.model import BinaryFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One file of a verified wheel.

    :param path: POSIX path inside the wheel, checked
    :param offset: of the first compressed byte in the wheel file
    :param compressed_size: bytes
    :param size: bytes when inflated
    :param crc32: of the inflated bytes, verified
    :param sha256: hex digest of the inflated bytes, verified against RECORD
    :param method: 0 stored, 8 deflated
    :param executable: whether any x bit was set
    :param binary: facts, if it is a native binary
    """

    path: str
    offset: int
    compressed_size: int
    size: int
    crc32: int
    sha256: str
    method: int
    executable: bool
    binary: BinaryFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wheel:
    """A local wheel whose bytes are verified.

    :param file: the wheel on disk, in the store
    :param filename: the name under which it was published
    :param sha256: hex digest of the whole file
    :param size: bytes
    :param dist_info: name of its .dist-info directory
    :param members: every file, in path order, without directories
    :param tags: the tags of its file name, as text, sorted
    :param metadata: bytes of METADATA
    :param entry_points: text of entry_points.txt, or empty
    :param warnings: what is odd but allowed
    """

    file: Path
    filename: str
    name: NormalizedName
    version: Version
    sha256: str
    size: int
    dist_info: str
    members: tuple[Member, ...]
    tags: tuple[str, ...]
    metadata: bytes
    entry_points: str = ""
    root_is_purelib: bool = True
    warnings: tuple[str, ...] = ()


class ByteSource(Protocol):
    """What a download asks of the network: the index room's session fits it."""

    def download(
        self, url: str, destination: Path, *, size: int | None, hashes: dict[str, str]
    ) -> str:
        """Stream *url* to *destination*, checking as it goes.

        :returns: sha256 of the file, hex
        :raises IndexAccessError: if it can't be fetched
        :raises HashMismatchError: if any listed hash differs
        """
