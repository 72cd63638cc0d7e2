"""Reading a wheel: one strict pass over its bytes, and the check of the name it is published under.

In the pass every member is inflated, hashed and compared with RECORD.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from typing import TYPE_CHECKING, Final, cast

from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from crossdeps.binaries.formats import is_binary_head, read_binary
from crossdeps.errors import WheelError
from crossdeps.requirements.core_metadata import Headers
from crossdeps.requirements.requires_dist import read_project_metadata
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
from crossdeps.wheels.facts import plan_installation
from crossdeps.wheels.member_names import check_members
from crossdeps.wheels.model import CheckedName, Member, WheelFacts, invalid_wheel
from crossdeps.wheels.record import RecordRow, check_record, parse_record
from crossdeps.wheels.zip_format import checksum, inflate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO, BinaryIO, Protocol

    from crossdeps.binaries.model import BinaryFacts
    from crossdeps.wheels.archive import ArchiveMember

    class _Hash(Protocol):
        def update(self, data: bytes, /) -> None: ...


MAX_TEXT_SIZE: Final = 64 * 1024**2
"""Bytes of RECORD, METADATA, WHEEL and entry_points.txt, each."""
_SPOOL_SIZE = 4 * 1024**2
"""Bytes of a native binary that each thread keeps in memory; of a larger one it writes a copy."""
_HEAD_SIZE = 64
_SMALL_SIZE = 1024**2
"""Bytes of a member that is kept in memory as a whole."""


def read_facts(path: Path, *, sha256: str, filename: str) -> WheelFacts:
    """Read a whole wheel, strictly.

    :param sha256: hex digest of the file, which the caller has just computed
    :param filename: for messages
    :raises WheelError: naming the rule and the member
    :raises OSError: if *path* cannot be read
    """
    with path.open("rb") as file, _naming(filename):
        return _read(file, file.seek(0, 2), sha256)


def check_name(facts: WheelFacts, filename: str) -> CheckedName:
    """Check that *facts* agree with the published *filename*.

    :raises WheelError: if project or version (compared as PEP 440 versions) differ
    """
    with _naming(filename):
        return _check_name(facts, filename)


@contextlib.contextmanager
def _naming(filename: str) -> Iterator[None]:
    try:
        yield
    except WheelError as error:
        error.within(filename)
        raise


def _read(file: BinaryIO, size: int, sha256: str) -> WheelFacts:
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
    members.sort(key=lambda member: member.path)
    return WheelFacts(
        sha256=sha256,
        size=size,
        dist_info=dist_info,
        members=tuple(members),
        metadata=metadata,
        project=read_project_metadata(Headers(metadata), name=name, public_version=str(version)),
        entry_points=entry_points,
        wheel_tags=wheel_file.tags,
        expanded_tags=tuple(sorted(set().union(*map(_parse_tags, wheel_file.tags)))),
        root_is_purelib=wheel_file.root_is_purelib,
        warnings=tuple(warnings),
        installation=plan_installation(dist_info, members),
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
    chunks = inflate(file, member, member.name)
    if member.size <= _SMALL_SIZE:
        data = b"".join(chunks)
        crc32 = checksum(data)
        sha256.update(data)
        if other:
            other.update(data)
        head = data[:_HEAD_SIZE]
        binary = read_binary(data) if is_binary_head(head) else None
    else:
        crc32, binary = _read_large(chunks, (sha256, other) if other else (sha256,))
    if crc32 != member.crc32:
        raise invalid_wheel("zip-crc", "its CRC-32 is wrong", member.name)
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


def _read_large(chunks: Iterator[bytes], hashes: Sequence[_Hash]) -> tuple[int, BinaryFacts | None]:
    """Hash the *chunks* of a member in little memory; return its CRC-32 and what it is."""
    crc32 = 0
    head = next(chunks, b"")
    copy: IO[bytes] | None = None
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
        if copy is None:
            return crc32, None
        copy.seek(0)
        return crc32, read_binary(cast("BinaryIO", copy))


def _check_name(facts: WheelFacts, filename: str) -> CheckedName:
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise invalid_wheel("filename", f"invalid wheel file name: {error}") from None
    member = f"{facts.dist_info}/METADATA"
    project = facts.project
    if project.name != name:
        message = f"its project name is {project.name!r} instead of {name!r}"
        raise invalid_wheel("metadata-name", message, member)
    if Version(project.public_version) != version:
        message = f"its version is {project.public_version} instead of {version}"
        raise invalid_wheel("metadata-version", message, member)
    if not is_named_after(facts.dist_info, ".dist-info", name, version):
        message = f"{facts.dist_info!r} isn't named after {name} {version}"
        raise invalid_wheel("dist-info", message)
    texts = tuple(sorted(str(tag) for tag in tags))
    warnings: tuple[str, ...] = ()
    if set(facts.expanded_tags) != set(texts):
        shown = ", ".join(facts.expanded_tags) or "none"
        warnings = (f"its WHEEL file has other tags than its name: {shown}",)
    return CheckedName(filename=filename, tags=texts, warnings=warnings)


def _parse_tags(text: str) -> frozenset[str]:
    try:
        return frozenset(map(str, parse_tag(text)))
    except ValueError:
        return frozenset({text})
