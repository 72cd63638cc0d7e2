"""One strict pass over a wheel: everything in it is inflated, hashed and held against RECORD."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.wheels.archive import read_archive
from crossdeps.wheels.dist_info import (
    check_data_directories,
    check_script_name,
    find_dist_info,
    parse_identity,
    parse_scripts,
    parse_wheel_file,
)
from crossdeps.wheels.model import Member, refusal
from crossdeps.wheels.record import RecordRow, check_members, check_record, parse_record
from crossdeps.wheels.zip_format import checksum, inflate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, BinaryIO

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.wheels.archive import ArchiveMember

MAX_TEXT_SIZE: Final = 64 * 1024**2
"""Bytes of RECORD, METADATA, WHEEL and entry_points.txt, each."""
_SPOOL_SIZE = 32 * 1024**2
_HEAD_SIZE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelContents:
    """What is true of a wheel's bytes, under whatever name they are published.

    :param sha256: hex digest of the whole file
    :param size: bytes of the whole file
    :param name: normalised, from METADATA
    :param version: from METADATA
    :param wheel_tags: the Tag lines of WHEEL
    """

    sha256: str
    size: int
    name: str
    version: str
    dist_info: str
    members: tuple[Member, ...]
    metadata: bytes
    entry_points: str
    wheel_tags: tuple[str, ...]
    root_is_purelib: bool
    warnings: tuple[str, ...]


def read_contents(file: BinaryIO, *, size: int, sha256: str) -> WheelContents:
    """Read a whole wheel, strictly.

    :param file: open and seekable
    :param size: bytes of the file
    :param sha256: hex digest of the file, which the caller has just computed
    :raises WheelError: naming the rule and the member
    """
    archive = read_archive(file, size)
    warnings = list(check_members(archive))
    files = {member.name: member for member in archive if not member.is_directory}
    dist_info = find_dist_info(files)
    metadata = _read_text(file, files, f"{dist_info}/METADATA", "metadata-file")
    name, version = parse_identity(metadata, f"{dist_info}/METADATA")
    wheel_path = f"{dist_info}/WHEEL"
    wheel_file = parse_wheel_file(_read_text(file, files, wheel_path, "wheel-file"), wheel_path)
    if wheel_file.version > (1, 0):
        warnings.append(
            f"WHEEL is of format {wheel_file.version[0]}.{wheel_file.version[1]}, later than 1.0"
        )
    record_path = f"{dist_info}/RECORD"
    rows = parse_record(_read_text(file, files, record_path, "record-missing"), record_path)
    check_data_directories(files, name, version)
    entry_points = _read_entry_points(file, files, dist_info)
    members, digests = [], {}
    for member in archive:
        if member.is_directory:
            _drain(file, member)
            continue
        done, digest = _read_member(file, member, rows.get(member.name))
        members.append(done)
        if digest is not None:
            digests[done.path] = digest
    check_record(rows, members, digests, dist_info)
    return WheelContents(
        sha256=sha256,
        size=size,
        name=name,
        version=str(version),
        dist_info=dist_info,
        members=tuple(sorted(members, key=lambda member: member.path)),
        metadata=metadata,
        entry_points=entry_points,
        wheel_tags=wheel_file.tags,
        root_is_purelib=wheel_file.root_is_purelib,
        warnings=tuple(warnings),
    )


def _read_text(
    file: BinaryIO, files: Mapping[str, ArchiveMember], path: str, missing: str
) -> bytes:
    member = files.get(path)
    if member is None:
        raise refusal(missing, f"there is no {path}")
    if member.size > MAX_TEXT_SIZE:
        raise refusal(
            "zip-bomb", f"has {member.size:,} bytes, which no such file needs", member=path
        )
    return b"".join(inflate(file, member, path))


def _read_entry_points(file: BinaryIO, files: Mapping[str, ArchiveMember], dist_info: str) -> str:
    """The text of entry_points.txt or nothing, once all scripts of the wheel have plain names."""
    path = f"{dist_info}/entry_points.txt"
    text = ""
    if path in files:
        try:
            text = _read_text(file, files, path, "entry-points-unreadable").decode("utf-8-sig")
        except UnicodeDecodeError:
            raise refusal("entry-points-unreadable", "is not UTF-8", member=path) from None
        parse_scripts(text, path)
    for name in files:
        top, _, rest = name.partition("/")
        if top.endswith(".data") and rest.startswith("scripts/"):
            check_script_name(rest.removeprefix("scripts/"), name)
    return text


def _read_member(
    file: BinaryIO, member: ArchiveMember, row: RecordRow | None
) -> tuple[Member, bytes | None]:
    """The member, hashed; and its digest where RECORD uses another algorithm than sha256."""
    sha256 = hashlib.sha256()
    other = hashlib.new(row.algorithm) if row and row.algorithm not in ("", "sha256") else None
    hashes = (sha256, other) if other else (sha256,)
    crc32 = 0
    pieces = inflate(file, member, member.name)
    head = next(pieces, b"")
    copy: IO[bytes] | None = None
    binary: BinaryFacts | None = None
    with contextlib.ExitStack() as stack:
        if is_binary_head(head[:_HEAD_SIZE]):
            copy = stack.enter_context(tempfile.SpooledTemporaryFile(_SPOOL_SIZE))
        for piece in itertools.chain((head,), pieces):
            crc32 = checksum(piece, crc32)
            for hasher in hashes:
                hasher.update(piece)
            if copy is not None:
                copy.write(piece)
        if crc32 != member.crc32:
            raise refusal("zip-crc", "its CRC-32 is wrong", member=member.name)
        if copy is not None:
            copy.seek(0)
            binary = read_binary(cast("BinaryIO", copy))
    return Member(
        path=member.name,
        offset=member.offset,
        compressed_size=member.compressed_size,
        size=member.size,
        crc32=crc32,
        sha256=sha256.hexdigest(),
        method=member.method,
        executable=bool(member.mode & 0o111),
        binary=binary,
    ), other.digest() if other else None


def _drain(file: BinaryIO, member: ArchiveMember) -> None:
    for _ in inflate(file, member, member.name):
        """A directory's nothing must inflate to nothing."""
