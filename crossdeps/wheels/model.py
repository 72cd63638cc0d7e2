"""A wheel whose bytes are verified, and its members."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from crossdeps.errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Mapping
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


RULES: Final[Mapping[str, str]] = MappingProxyType({
    "filename": "the file name isn't that of a wheel",
    "zip-end-record": "the file doesn't end with exactly one ZIP end record",
    "zip64": "the ZIP64 records are missing, misplaced or contradict the ordinary ones",
    "zip-directory": "the central directory is cut short, too long or miscounted",
    "zip-gap": "bytes before, between or after the members belong to none of them",
    "zip-overlap": "two members share bytes",
    "zip-header-mismatch": "a member's local header contradicts the central directory",
    "zip-descriptor": "a data descriptor is missing or contradicts the central directory",
    "zip-extra-field": "an extra field is cut short, repeated or names another file",
    "zip-encrypted": "a member is encrypted",
    "zip-method": "a member is neither stored nor deflated",
    "zip-flags": "a member has flags that no wheel needs",
    "zip-member-type": "a member is a link, a device or another special file",
    "zip-directory-entry": "a directory entry has content, or a file claims to be a directory",
    "zip-duplicate": "two members have one name, or a file has the name of a directory",
    "zip-data": "a member's compressed data are damaged, too short or too long",
    "zip-crc": "a member's checksum is wrong",
    "zip-bomb": "the wheel is larger, inflated, than any wheel should be",
    "path-traversal": "a member's name leads out of the wheel, or is absolute",
    "path-characters": "a member's name has characters that not every system reads alike",
    "path-encoding": "a member's name isn't UTF-8, or doesn't say that it is",
    "path-length": "a member's name is longer than file systems allow",
    "dist-info": "there isn't exactly one .dist-info directory, with the name of the wheel",
    "wheel-file": "the WHEEL file is missing or unreadable",
    "wheel-version": "the wheel is of a later major version of the format",
    "metadata-file": "the METADATA file is missing or unreadable",
    "metadata-name": "METADATA has another project name than the file name",
    "metadata-version": "METADATA has another version than the file name",
    "metadata-mismatch": "METADATA differs from the metadata that the index offered",
    "record-missing": "there is no RECORD",
    "record-unreadable": "RECORD isn't a table of paths, hashes and sizes",
    "record-path": "RECORD has a path that isn't plain",
    "record-duplicate": "RECORD lists a path twice",
    "record-absent-file": "RECORD lists a file that isn't there",
    "record-extra-file": "a file isn't listed in RECORD",
    "record-no-hash": "RECORD has no hash for a file",
    "record-weak-hash": "RECORD has a hash weaker than SHA-256, or an unknown one",
    "record-hash": "a file's hash isn't the one in RECORD",
    "record-size": "a file's size isn't the one in RECORD",
    "data-scheme": "a .data directory is another project's, or has an unknown scheme",
    "entry-points-unreadable": "entry_points.txt can't be parsed",
    "entry-point-name": "a script's name is a path, or would stand before an interpreter",
    "entry-point-reference": "a script's object reference isn't a dotted name",
})  # fmt: skip

_HINT = (
    "the file is damaged or was made to deceive: fetch it again; if it stays so, tell the project"
    " and ask for another version"
)
_HINTS: Final[Mapping[str, str]] = MappingProxyType({
    "filename": "a wheel is named NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl",
    "zip-encrypted": "wheels can't be encrypted: ask the project for a plain one",
    "zip-method": "wheels are stored or deflated: ask the project to repack it",
    "zip-bomb": "if you trust the project, unpack the wheel by hand and look at what is in it",
    "wheel-version": "a newer crossdeps may know it; or ask for an older version of the project",
    "entry-point-name": "ask for another version, or tell the project",
    "entry-point-reference": "ask for another version, or tell the project",
})  # fmt: skip


def refusal(rule: str, message: str, *, member: str | None = None) -> WheelError:
    """The error for a wheel that breaks *rule*, with its hint.

    :param rule: a key of :data:`RULES`
    :param member: the member concerned; shown escaped
    """
    context = (f"member {member!r}",) if member is not None else ()
    return WheelError(message, context=context, hint=_HINTS.get(rule, _HINT), rule=rule)
