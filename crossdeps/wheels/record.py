"""Which member names are plain paths: relative, POSIX, readable alike on every system.

Tolerated, since published wheels have it: an empty size beside a hash, a hash with padding, rows
for directories, a blank line.

Source: "Recording installed projects", section "The RECORD file", and the binary distribution
format, both on packaging.python.org.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import posixpath
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from crossdeps.errors import WheelError
from crossdeps.wheels.model import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crossdeps.wheels.archive import ArchiveMember
    from crossdeps.wheels.model import Member

MAX_COMPONENT_BYTES: Final = 255
MAX_PATH_BYTES: Final = 4000
_FILE_TYPE = 0o170000
_REGULAR = 0o100000
_DIRECTORY = 0o040000


def check_path(path: str) -> None:
    """Refuse *path* unless it is plain; a directory's ends in one slash.

    :raises WheelError: naming the rule
    """
    parts = path.removesuffix("/").split("/")
    if path.startswith("/") or ".." in parts or _has_drive(path):
        raise refusal("path-traversal", "leads out of the wheel", member=path)
    if "\\" in path or not _is_visible(path):
        raise refusal("path-characters", "has a backslash or control character", member=path)
    if "" in parts or "." in parts:
        raise refusal("path-characters", "has an empty or dot component", member=path)
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES or any(
        len(part.encode("utf-8", "surrogatepass")) > MAX_COMPONENT_BYTES for part in parts
    ):
        raise refusal("path-length", "is too long for a file system", member=path[:200])


def _is_visible(path: str) -> bool:
    """Whether *path* has no control, format or surrogate characters."""
    if path.isascii() and path.isprintable():
        return True
    return not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in path)


def _has_drive(path: str) -> bool:
    return len(path) > 1 and path[1] == ":" and path[0].isalpha()


def check_members(members: Iterable[ArchiveMember]) -> tuple[str, ...]:
    """Refuse names that aren't plain, special files, and names that stand in each other's way.

    :returns: warnings: names that are one on a case-insensitive or normalising file system
    :raises WheelError: naming the rule
    """
    files: set[str] = set()
    directories: set[str] = set()
    parents: set[str] = set()
    for member in members:
        check_path(member.name)
        _check_type(member)
        names = directories if member.is_directory else files
        name = member.name.removesuffix("/")
        if name in names:
            raise refusal("zip-duplicate", "stands in the wheel twice", member=member.name)
        names.add(name)
        _add_parents(name, parents)
    clashes = files & (directories | parents)
    if clashes:
        raise refusal("zip-duplicate", "is both a file and a directory", member=min(clashes))
    return _similar_names(files)


def _add_parents(name: str, parents: set[str]) -> None:
    parent = name.rpartition("/")[0]
    while parent and parent not in parents:
        parents.add(parent)
        parent = parent.rpartition("/")[0]


def _check_type(member: ArchiveMember) -> None:
    """Regular files and directories only: wheels have no links (binary distribution format)."""
    kind = member.mode & _FILE_TYPE
    if kind not in (0, _REGULAR, _DIRECTORY):
        raise refusal("zip-member-type", "is a link or another special file", member=member.name)
    if member.is_directory:
        # Some writers deflate the nothing in a directory to the two bytes of an empty stream.
        if member.size or member.crc32 or member.compressed_size not in (0, 2):
            raise refusal("zip-directory-entry", "is a directory with content", member=member.name)
        if kind == _REGULAR:
            raise refusal(
                "zip-directory-entry", "is a directory and a regular file", member=member.name
            )
    elif kind == _DIRECTORY or member.dos_directory:
        raise refusal(
            "zip-directory-entry", "is a file that claims to be a directory", member=member.name
        )


def _similar_names(files: set[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    warnings = []
    for name in sorted(files):
        key = unicodedata.normalize("NFC", name).casefold() if not name.isascii() else name.lower()
        if key in seen:
            warnings.append(
                f"{seen[key]!r} and {name!r} are one file where case or Unicode form don't count"
            )
        seen[key] = name
    return tuple(warnings)


ALGORITHMS: Final[Mapping[str, int]] = MappingProxyType({"sha256": 32, "sha384": 48, "sha512": 64})
"""Hashes that RECORD may use and their digests' bytes: sha256 or better (PEP 427)."""
UNLISTED: Final = ("RECORD", "RECORD.jws", "RECORD.p7s")
"""Files of .dist-info that need no row, or a row without a hash."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordRow:
    """What RECORD says of one file; *algorithm* is empty where it gives no hash."""

    path: str
    algorithm: str
    digest: bytes
    size: int | None


def parse_record(data: bytes, member: str) -> Mapping[str, RecordRow]:
    """The rows of RECORD by path, in order; rows of directories are left out.

    :param member: path of the RECORD, for messages
    :raises WheelError: naming the rule and the line
    """
    rows: dict[str, RecordRow] = {}
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        for fields in reader:
            if fields:
                row = _parse_row(fields, f"line {reader.line_num}", member)
                if row.path in rows:
                    raise refusal("record-duplicate", f"lists {row.path!r} twice", member=member)
                rows[row.path] = row
    except UnicodeDecodeError:
        raise refusal("record-unreadable", "is not UTF-8", member=member) from None
    except csv.Error as error:
        raise refusal("record-unreadable", f"is not CSV ({error})", member=member) from None
    return {path: row for path, row in rows.items() if not path.endswith("/")}


def _parse_row(fields: list[str], place: str, member: str) -> RecordRow:
    if len(fields) != 3:
        raise refusal(
            "record-unreadable", f"{place} has {len(fields)} fields, not 3", member=member
        )
    path, hash_text, size_text = fields
    try:
        check_path(path)
    except WheelError as error:
        raise refusal("record-path", f"{place}: {path!r} {error.message}", member=member) from None
    if size_text and not (size_text.isascii() and size_text.isdecimal()):
        raise refusal("record-unreadable", f"{place}: size {size_text!r}", member=member)
    algorithm, digest = _parse_hash(hash_text, place, member)
    size = int(size_text) if size_text else None
    return RecordRow(path=path, algorithm=algorithm, digest=digest, size=size)


def _parse_hash(text: str, place: str, member: str) -> tuple[str, bytes]:
    if not text:
        return "", b""
    algorithm, _, encoded = text.partition("=")
    length = ALGORITHMS.get(algorithm)
    if length is None:
        raise refusal("record-weak-hash", f"{place} uses {algorithm!r}", member=member)
    try:
        encoded = encoded.rstrip("=")
        digest = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != length:
        raise refusal("record-unreadable", f"{place}: not a {algorithm} hash", member=member)
    return algorithm, digest


def check_record(
    rows: Mapping[str, RecordRow],
    members: Iterable[Member],
    digests: Mapping[str, bytes],
    dist_info: str,
) -> None:
    """Hold *rows* and *members* against each other, both ways.

    :param digests: by path, for rows that use another algorithm than sha256
    :raises WheelError: naming the rule and the file
    """
    unlisted = {f"{dist_info}/{name}" for name in UNLISTED}
    found = set()
    for member in members:
        found.add(member.path)
        row = rows.get(member.path)
        if row is None:
            if member.path in unlisted:
                continue
            raise refusal("record-extra-file", "is not listed in RECORD", member=member.path)
        _check_row(row, member, digests, exempt=member.path in unlisted)
    absent = sorted(set(rows) - found - unlisted)
    if absent:
        raise refusal("record-absent-file", "is listed in RECORD, but not there", member=absent[0])


def _check_row(
    row: RecordRow, member: Member, digests: Mapping[str, bytes], *, exempt: bool
) -> None:
    if not row.algorithm:
        if exempt:
            return
        raise refusal("record-no-hash", "has no hash in RECORD", member=member.path)
    if row.size not in (None, member.size):
        raise refusal(
            "record-size",
            f"has {member.size} bytes, RECORD says {row.size}",
            member=member.path,
        )
    if row.digest != digests.get(member.path, bytes.fromhex(member.sha256)):
        raise refusal(
            "record-hash", f"its {row.algorithm} isn't the one in RECORD", member=member.path
        )


INSTALLER = "crossdeps"
SOURCE_RECORD = ".crossdeps/RECORD"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of a RECORD.

    :param path: POSIX path, relative to the folder that the .dist-info directory is in
    :param sha256: hex digest; empty where there is none, or another algorithm's
    :param size: bytes; None where it isn't said
    """

    path: str
    sha256: str = ""
    size: int | None = None


def render_record(rows: Iterable[Row], own_path: str) -> bytes:
    """The text of a RECORD at *own_path*: sorted, UTF-8, a line feed at each line's end."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    lines = {row.path: (row.path, _encode(row.sha256), row.size) for row in rows}
    lines[own_path] = (own_path, "", None)
    writer.writerows(line for _, line in sorted(lines.items()))
    return text.getvalue().encode()


def parse_installed_record(data: bytes) -> Iterator[Row]:
    """Read a RECORD by any tool; lines that can't be understood are passed over."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    lines = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except csv.Error:
            continue
        if not line or not line[0]:
            continue
        path, digest, size, *_ = (*line, "", "")
        yield Row(
            path=posixpath.normpath(path.replace("\\", "/")),
            sha256=_decode(digest),
            size=int(size) if size.isascii() and size.isdecimal() and len(size) < 20 else None,
        )


def _encode(sha256: str) -> str:
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
    return f"sha256={digest}"


def _decode(text: str) -> str:
    algorithm, _, digest = text.partition("=")
    if algorithm != "sha256":
        return ""
    try:
        return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except ValueError:
        return ""
