"""What is known of a wheel whose bytes are verified, and the rules that a wheel can break."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol, cast

import msgspec

from crossdeps.binaries.model import BinaryFacts  # noqa: TC001 - msgspec reads the annotation
from crossdeps.errors import WheelError
from crossdeps.requirements.requires_dist import (
    ProjectMetadata,  # noqa: TC001 - msgspec reads the annotation
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.progress import Progress


class Member(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
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


ExclusionReason = Literal["bytecode", "headers", "scripts", "signature", "rewritten"]


class MovedMember(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A member that isn't installed under its own path.

    :param index: of the member
    :param path: where it is installed
    :param excluded: why it isn't installed; None if it is
    """

    index: int
    path: str
    excluded: ExclusionReason | None = None


class Installation(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The files of a wheel when it is installed into one directory, its scripts apart.

    :param moved: the members that aren't installed under their own path, by index
    :param directories: every directory, the nearest of a file first
    :param foreign_metadata: installed paths in another project's .dist-info directory
    :param record: the RECORD of all installed members and INSTALLER
    :param size: bytes of the installed members
    :param compressed_size: bytes of them in the wheel
    """

    moved: tuple[MovedMember, ...]
    directories: tuple[str, ...]
    foreign_metadata: tuple[str, ...]
    record: bytes
    size: int
    compressed_size: int


class CheckedName(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A published file name that agrees with the wheel.

    :param tags: its tags, as text, sorted
    :param warnings: what is unusual about it
    """

    filename: str
    tags: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class WheelFacts(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """All that can be known of a wheel without its neighbours, worked out when it is stored.

    :param sha256: hex digest of the whole file
    :param size: bytes of the whole file
    :param dist_info: name of its .dist-info directory
    :param members: every file, in path order, without directories
    :param metadata: bytes of METADATA
    :param project: what METADATA declares
    :param entry_points: text of entry_points.txt, or empty
    :param wheel_tags: the Tag lines of WHEEL
    :param expanded_tags: the tags that these lines stand for, sorted
    :param warnings: what is unusual but allowed
    :param checked_name: the first file name that it was stored under; None before that
    """

    sha256: str
    size: int
    dist_info: str
    members: tuple[Member, ...]
    metadata: bytes
    project: ProjectMetadata
    entry_points: str
    wheel_tags: tuple[str, ...]
    expanded_tags: tuple[str, ...]
    root_is_purelib: bool
    warnings: tuple[str, ...]
    installation: Installation
    checked_name: CheckedName | None = None


class Wheel(WheelFacts, frozen=True, kw_only=True):
    """A local wheel whose bytes are verified.

    :param file: the wheel on disk, in the store
    :param filename: the name under which it was published
    :param tags: the tags of its file name, as text, sorted
    """

    file: Path
    filename: str
    tags: tuple[str, ...]

    @property
    def name(self) -> NormalizedName:
        """The normalised name of its project, in the file name and METADATA alike."""
        return cast("NormalizedName", self.project.name)

    @property
    def version(self) -> Version:
        """Its version, in the file name and METADATA alike."""
        from packaging.version import Version  # noqa: PLC0415 - most uses need only the text

        return Version(self.project.public_version)


class ByteSource(Protocol):
    """Downloads files; the index room's client implements it."""

    def download(
        self,
        url: str,
        destination: Path,
        *,
        size: int | None,
        hashes: dict[str, str],
        progress: Progress | None = None,
    ) -> str:
        """Stream *url* to *destination*, and check it on the way.

        :param progress: is told of the bytes as they arrive; what it raises ends the download
        :returns: sha256 of the file, hex
        :raises IndexAccessError: if it cannot be fetched
        :raises HashMismatchError: if any listed hash differs
        """


RULES: Final[Mapping[str, str]] = MappingProxyType({
    "filename": "the file name isn't a valid wheel file name",
    "zip-end-record": "the file doesn't end with exactly one ZIP end record",
    "zip64": "the ZIP64 records are missing, misplaced or contradict the ordinary ones",
    "zip-directory": "the central directory is truncated, too long or has a wrong count",
    "zip-gap": "bytes before, between or after the members belong to none of them",
    "zip-overlap": "two members share bytes",
    "zip-header-mismatch": "a member's local header contradicts the central directory",
    "zip-descriptor": "a data descriptor is missing or contradicts the central directory",
    "zip-extra-field": "an extra field is truncated, repeated or gives the file another name",
    "zip-encrypted": "a member is encrypted",
    "zip-method": "a member is neither stored nor deflated",
    "zip-flags": "a member has flags that no wheel needs",
    "zip-member-type": "a member is a link, a device or another special file",
    "zip-directory-entry": "a directory entry has content, or a file claims to be a directory",
    "zip-duplicate": "two members have the same name, or a file has the name of a directory",
    "zip-data": "a member's compressed data is damaged, too short or too long",
    "zip-crc": "a member's checksum is wrong",
    "zip-bomb": "the wheel inflates to more than any wheel should",
    "path-traversal": "a member's name leads out of the wheel, or is absolute",
    "path-characters": "a member's name has characters that systems interpret differently",
    "path-encoding": "a member's name isn't UTF-8, or isn't marked as UTF-8",
    "path-length": "a member's name is longer than file systems allow",
    "dist-info": "there isn't exactly one .dist-info directory, named after the wheel",
    "wheel-file": "the WHEEL file is missing or unreadable",
    "wheel-version": "the wheel format has a later major version",
    "metadata-file": "the METADATA file is missing or unreadable",
    "metadata-name": "METADATA and the file name have different project names",
    "metadata-version": "METADATA and the file name have different versions",
    "metadata-mismatch": "METADATA differs from the metadata that the index offered",
    "record-missing": "there is no RECORD",
    "record-unreadable": "RECORD isn't a table of paths, hashes and sizes",
    "record-path": "RECORD has an invalid path",
    "record-duplicate": "RECORD lists a path twice",
    "record-absent-file": "RECORD lists a file that doesn't exist",
    "record-extra-file": "a file isn't listed in RECORD",
    "record-no-hash": "RECORD has no hash for a file",
    "record-weak-hash": "RECORD has a hash weaker than SHA-256, or an unknown one",
    "record-hash": "a file's hash differs from the one in RECORD",
    "record-size": "a file's size differs from the one in RECORD",
    "data-scheme": "a .data directory belongs to another project, or has an unknown scheme",
    "entry-points-unreadable": "entry_points.txt cannot be parsed",
    "entry-point-name": "a script's name is a path, or would shadow a Python interpreter",
    "entry-point-reference": "a script's object reference isn't a dotted name",
})  # fmt: skip

_HINT = (
    "the file is damaged or malicious: download it again; if the error persists, report it to the"
    " project and require another version"
)
_HINTS: Final[Mapping[str, str]] = MappingProxyType({
    "filename": "wheels are named NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl",
    "zip-encrypted": "wheels must not be encrypted: report it to the project",
    "zip-method": "members of wheels must be stored or deflated: report it to the project",
    "zip-bomb": "if you trust the project, unpack the wheel by hand and inspect its contents",
    "wheel-version": "upgrade crossdeps, or require an older version of the project",
    "entry-point-name": "require another version, and report it to the project",
    "entry-point-reference": "require another version, and report it to the project",
})  # fmt: skip


def invalid_wheel(rule: str, message: str, member: str | None = None) -> WheelError:
    """Make the error for a wheel that breaks *rule*, with its hint.

    :param rule: a key of :data:`RULES`
    :param member: the member concerned; shown escaped
    """
    context = (f"member {member!r}",) if member is not None else ()
    return WheelError(message, context=context, hint=_HINTS.get(rule, _HINT), rule=rule)
