"""Reading a wheel: one strict pass over its bytes, and what is kept of it in the store.

In the pass every member is inflated, hashed and compared with RECORD. What it found is kept beside
a stored wheel as msgpack, behind a header with the format's version and the SHA-256 of the rest.
That is a convenience, not evidence: where it is absent, damaged, of another version or of another
wheel, the wheel is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from typing import TYPE_CHECKING, Final, cast

import msgspec
from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.errors import WheelError
from crossdeps.wheels.archive import read_archive
from crossdeps.wheels.dist_info import (
    check_data_directories,
    check_script_name,
    find_dist_info,
    is_named_after,
    parse_identity,
    parse_scripts,
    parse_wheel_file,
)
from crossdeps.wheels.model import Member, Wheel, WheelContents, invalid_wheel
from crossdeps.wheels.record import RecordRow, check_members, check_record, parse_record
from crossdeps.wheels.zip_format import checksum, inflate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO, BinaryIO

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.wheels.archive import ArchiveMember

MAX_TEXT_SIZE: Final = 64 * 1024**2
"""Bytes of RECORD, METADATA, WHEEL and entry_points.txt, each."""
FORMAT: Final = 2
"""Of the encoded contents; raise it with every change to what is found, or to what is refused."""
_MAGIC = b"crossdeps wheel facts %d\n" % FORMAT
_DIGEST_SIZE = 32
_SPOOL_SIZE = 32 * 1024**2
_HEAD_SIZE = 64

# Made on import, under Python's import lock: msgspec learns a type when it first meets it, and two
# threads that make it learn the same one at once crash the process.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(WheelContents)


def read_contents(path: Path, *, sha256: str, filename: str) -> WheelContents:
    """Read a whole wheel, strictly.

    :param sha256: hex digest of the file, which the caller has just computed
    :param filename: for messages
    :raises WheelError: naming the rule and the member
    :raises OSError: if *path* cannot be read
    """
    with path.open("rb") as file, _naming(filename):
        return _read(file, file.seek(0, 2), sha256)


def name_wheel(contents: WheelContents, path: Path, filename: str) -> Wheel:
    """Check that *contents* agree with the published *filename*, and make the wheel of both.

    :param path: the wheel file
    :raises WheelError: if project or version (compared as PEP 440 versions) differ
    """
    with _naming(filename):
        return _name(contents, path, filename)


@contextlib.contextmanager
def _naming(filename: str) -> Iterator[None]:
    try:
        yield
    except WheelError as error:
        error.within(filename)
        raise


def _read(file: BinaryIO, size: int, sha256: str) -> WheelContents:
    archive = read_archive(file, size)
    warnings = list(check_members(archive))
    files = {member.name: member for member in archive if not member.is_directory}
    dist_info = find_dist_info(files)
    metadata_path, wheel_path = f"{dist_info}/METADATA", f"{dist_info}/WHEEL"
    metadata = _read_text(file, files, metadata_path, "metadata-file")
    name, version = parse_identity(metadata, metadata_path)
    wheel_file = parse_wheel_file(_read_text(file, files, wheel_path, "wheel-file"), wheel_path)
    if wheel_file.version > (1, 0):
        warnings.append("the wheel format is {}.{}, later than 1.0".format(*wheel_file.version))
    record_path = f"{dist_info}/RECORD"
    rows = parse_record(_read_text(file, files, record_path, "record-missing"), record_path)
    check_data_directories(files, name, version)
    entry_points = _read_entry_points(file, files, dist_info)
    members = []
    digests: dict[str, str] = {}
    for member in archive:
        if member.is_directory:
            for _ in inflate(file, member, member.name):
                """The compressed nothing of a directory must be valid."""
        else:
            members.append(_read_member(file, member, rows.get(member.name), digests))
    check_record(rows, members, digests, dist_info)
    return WheelContents(
        sha256=sha256,
        size=size,
        dist_info=dist_info,
        members=tuple(sorted(members, key=lambda member: member.path)),
        metadata=metadata,
        entry_points=entry_points,
        wheel_tags=wheel_file.tags,
        root_is_purelib=wheel_file.root_is_purelib,
        warnings=tuple(warnings),
    )


def _read_text(
    file: BinaryIO, files: Mapping[str, ArchiveMember], path: str, rule_if_missing: str
) -> bytes:
    member = files.get(path)
    if member is None:
        raise invalid_wheel(rule_if_missing, f"there is no {path}")
    if member.size > MAX_TEXT_SIZE:
        raise invalid_wheel(
            "zip-bomb", f"it has {member.size:,} bytes, more than such a file needs", path
        )
    return b"".join(inflate(file, member, path))


def _read_entry_points(file: BinaryIO, files: Mapping[str, ArchiveMember], dist_info: str) -> str:
    """Return the text of entry_points.txt or "", and check the names of all scripts."""
    path = f"{dist_info}/entry_points.txt"
    text = ""
    if path in files:
        try:
            text = _read_text(file, files, path, "entry-points-unreadable").decode("utf-8-sig")
        except UnicodeDecodeError:
            raise invalid_wheel("entry-points-unreadable", "it isn't UTF-8", path) from None
        parse_scripts(text, path)
    for name in files:
        top, _, rest = name.partition("/")
        if top.endswith(".data") and rest.startswith("scripts/"):
            check_script_name(rest.removeprefix("scripts/"), name)
    return text


def _read_member(
    file: BinaryIO, member: ArchiveMember, row: RecordRow | None, digests: dict[str, str]
) -> Member:
    """Inflate and hash a member.

    :param digests: gets the digest where RECORD uses another algorithm than sha256
    """
    sha256 = hashlib.sha256()
    other = hashlib.new(row.algorithm) if row and row.algorithm not in ("", "sha256") else None
    hashes = (sha256, other) if other else (sha256,)
    crc32 = 0
    chunks = inflate(file, member, member.name)
    head = next(chunks, b"")
    copy: IO[bytes] | None = None
    binary: BinaryFacts | None = None
    with contextlib.ExitStack() as stack:
        if is_binary_head(head[:_HEAD_SIZE]):
            from tempfile import SpooledTemporaryFile  # noqa: PLC0415 - for native wheels only

            copy = stack.enter_context(SpooledTemporaryFile(_SPOOL_SIZE))
        for chunk in itertools.chain((head,), chunks):
            crc32 = checksum(chunk, crc32)
            for hasher in hashes:
                hasher.update(chunk)
            if copy is not None:
                copy.write(chunk)
        if crc32 != member.crc32:
            raise invalid_wheel("zip-crc", "its CRC-32 is wrong", member.name)
        if copy is not None:
            copy.seek(0)
            binary = read_binary(cast("BinaryIO", copy))
    if other:
        digests[member.name] = other.hexdigest()
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
    )


def _name(contents: WheelContents, path: Path, filename: str) -> Wheel:
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise invalid_wheel("filename", f"invalid wheel file name: {error}") from None
    member = f"{contents.dist_info}/METADATA"
    inner_name, inner_version = parse_identity(contents.metadata, member)
    if inner_name != name:
        message = f"its project name is {inner_name!r} instead of {name!r}"
        raise invalid_wheel("metadata-name", message, member)
    if inner_version != version:
        message = f"its version is {inner_version} instead of {version}"
        raise invalid_wheel("metadata-version", message, member)
    if not is_named_after(contents.dist_info, ".dist-info", name, version):
        message = f"{contents.dist_info!r} isn't named after {name} {version}"
        raise invalid_wheel("dist-info", message)
    texts = tuple(sorted(str(tag) for tag in tags))
    warnings = contents.warnings
    inner_tags = {str(tag) for text in contents.wheel_tags for tag in _parse_tags(text)}
    if inner_tags != set(texts):
        shown = ", ".join(sorted(inner_tags)) or "none"
        warnings = (*warnings, f"its WHEEL file has other tags than its name: {shown}")
    values = {**msgspec.structs.asdict(contents), "warnings": warnings}
    return Wheel(**values, file=path, filename=filename, name=name, version=version, tags=texts)


def _parse_tags(text: str) -> frozenset[object]:
    try:
        return frozenset(parse_tag(text))
    except ValueError:
        return frozenset({text})


def encode_contents(contents: WheelContents) -> bytes:
    """Encode *contents* for the store."""
    body = _ENCODER.encode(contents)
    return _MAGIC + hashlib.sha256(body).digest() + body


def decode_contents(data: bytes, *, sha256: str, size: int) -> WheelContents | None:
    """Decode the contents of the wheel with *sha256* and *size*; None if they are invalid."""
    start = len(_MAGIC) + _DIGEST_SIZE
    body = data[start:]
    if data[:start] != _MAGIC + hashlib.sha256(body).digest():
        return None
    try:
        contents = _DECODER.decode(body)
    except msgspec.MsgspecError:
        return None
    return contents if (contents.sha256, contents.size) == (sha256, size) else None
