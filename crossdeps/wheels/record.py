"""RECORD: which files a wheel or an installed project consists of.

That of a wheel is parsed strictly, except for what published wheels have: an empty size beside a
hash, a hash with padding, rows for directories, a blank line. In an artifact, which any tool may
have made, the valid rows of a RECORD are used.

Sources: "Recording installed projects", section "The RECORD file", and the binary distribution
format, both on packaging.python.org.
"""

from __future__ import annotations

import base64
import csv
import io
import posixpath
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.errors import WheelError
from crossdeps.wheels.member_names import check_path
from crossdeps.wheels.model import invalid_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crossdeps.wheels.model import Member

INSTALLER: Final = "crossdeps"
"""Content of the file INSTALLER in the .dist-info directories that crossdeps writes."""
DIRECT_URL: Final = "direct_url.json"
"""Name of the file in .dist-info that says where a project came from, if not from an index."""
SOURCE_RECORD: Final = ".crossdeps/RECORD"
"""Path of the RECORD of those files of an artifact that belong to no project."""
ALGORITHMS: Final[Mapping[str, int]] = MappingProxyType({"sha256": 32, "sha384": 48, "sha512": 64})
"""Hashes that RECORD may use, with the bytes of a digest: sha256 or better (PEP 427)."""
_QUOTED = frozenset(',"\r\n')
"""What makes CSV quote a field."""
UNLISTED: Final = ("RECORD", "RECORD.jws", "RECORD.p7s")
"""Files of .dist-info that need no row, or a row without a hash."""


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a RECORD.

    :param path: POSIX path, relative to the directory that the .dist-info directory is in
    :param algorithm: of the hash; empty where there is none
    :param digest: hex; empty where there is none
    :param size: bytes; None where it is missing
    """

    path: str
    algorithm: str = ""
    digest: str = ""
    size: int | None = None

    @property
    def sha256(self) -> str:
        """The digest, if it is a SHA-256; else empty."""
        return self.digest if self.algorithm == "sha256" else ""


def parse_record(data: bytes, member: str) -> Mapping[str, RecordRow]:
    """Parse the RECORD of a wheel strictly: its rows by path, in order, without directories.

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
                    raise invalid_wheel("record-duplicate", f"it lists {row.path!r} twice", member)
                rows[row.path] = row
    except UnicodeDecodeError:
        raise invalid_wheel("record-unreadable", "it isn't UTF-8", member) from None
    except csv.Error as error:
        raise invalid_wheel("record-unreadable", f"it isn't CSV ({error})", member) from None
    return {path: row for path, row in rows.items() if not path.endswith("/")}


def _parse_row(fields: list[str], line: str, member: str) -> RecordRow:
    def invalid(message: str, rule: str = "record-unreadable") -> WheelError:
        return invalid_wheel(rule, f"{line}: {message}", member)

    if len(fields) != 3:
        raise invalid(f"there are {len(fields)} fields instead of 3")
    path, hash_text, size = fields
    try:
        check_path(path)
    except WheelError as error:
        raise invalid(f"{path!r}: {error.message}", "record-path") from None
    if size and not (size.isascii() and size.isdecimal()):
        raise invalid(f"the size {size!r} is invalid")
    algorithm, digest = _parse_hash(hash_text, strict=True)
    if hash_text and algorithm not in ALGORITHMS:
        raise invalid(f"the hash algorithm {algorithm!r} isn't allowed", "record-weak-hash")
    if hash_text and len(digest) != 2 * ALGORITHMS[algorithm]:
        raise invalid(f"the {algorithm} hash is invalid")
    return RecordRow(
        path=path, algorithm=algorithm, digest=digest, size=int(size) if size else None
    )


def _parse_hash(text: str, *, strict: bool) -> tuple[str, str]:
    """Split ``ALGORITHM=BASE64``; the digest is in hex, and empty where it is invalid."""
    algorithm, _, encoded = text.partition("=")
    encoded = encoded.rstrip("=")
    encoded += "=" * (-len(encoded) % 4)
    try:
        return algorithm, base64.b64decode(encoded, b"-_", validate=strict).hex()
    except ValueError:
        return algorithm, ""


def parse_installed_record(data: bytes) -> Iterator[RecordRow]:
    """Parse a RECORD by any tool; invalid lines are skipped.

    A row with a hash of another algorithm than :data:`ALGORITHMS` has none; one whose hash is
    invalid has an algorithm without a digest.
    """
    for path, hash_text, size in iterate_fields(data):
        yield parse_installed_row(path, hash_text, size)


def parse_installed_row(path: str, hash_text: str, size: str) -> RecordRow:
    """Parse one row of :func:`iterate_fields`."""
    algorithm, digest = _parse_hash(hash_text, strict=False) if hash_text else ("", "")
    is_usable = algorithm in ALGORITHMS
    return RecordRow(
        path=path,
        algorithm=algorithm if is_usable else "",
        digest=digest if is_usable else "",
        size=int(size[:30]) if size.isascii() and size.isdecimal() else None,
    )


def iterate_fields(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield path, hash and size of each row of :func:`parse_installed_record` as text."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    lines = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            fields = next(lines)
        except StopIteration:
            return
        except csv.Error:
            continue
        if not fields or not fields[0] or len(fields) > 3:
            continue
        path, hash_text, size = (*fields, "", "")[:3]
        yield posixpath.normpath(path.replace("\\", "/")), hash_text, size


def check_record(
    rows: Mapping[str, RecordRow],
    members: Iterable[Member],
    digests: Mapping[str, str],
    dist_info: str,
) -> None:
    """Check that *rows* list all *members* as they are, and nothing else.

    :param digests: in hex, by path, of members whose row uses another algorithm than sha256
    :raises WheelError: naming the rule and the file
    """
    unlisted = {f"{dist_info}/{name}" for name in UNLISTED}
    found = set()
    for member in members:
        found.add(member.path)
        row = rows.get(member.path)
        if (row is None or not row.digest) and member.path in unlisted:
            continue
        if row is None:
            raise invalid_wheel("record-extra-file", "RECORD doesn't list it", member.path)
        _check_row(row, member, digests.get(member.path, member.sha256))
    if absent := sorted(set(rows) - found - unlisted):
        raise invalid_wheel(
            "record-absent-file", "RECORD lists it, but it doesn't exist", absent[0]
        )


def _check_row(row: RecordRow, member: Member, digest: str) -> None:
    if not row.digest:
        raise invalid_wheel("record-no-hash", "RECORD has no hash for it", member.path)
    if row.size not in (None, member.size):
        raise invalid_wheel(
            "record-size", f"its size is {member.size} bytes, and {row.size} in RECORD", member.path
        )
    if row.digest != digest:
        raise invalid_wheel(
            "record-hash", f"its {row.algorithm} differs from the one in RECORD", member.path
        )


def render_record(rows: Iterable[RecordRow], own_path: str) -> bytes:
    """Write a RECORD at *own_path*: sorted, UTF-8, each line ending in a line feed."""
    lines = {
        row.path: (row.path, _format_hash(row), "" if row.size is None else str(row.size))
        for row in rows
    }
    lines[own_path] = (own_path, "", "")
    ordered = [lines[path] for path in sorted(lines)]
    if not any(_QUOTED.intersection(path) for path in lines):
        return "".join(f"{path},{digest},{size}\n" for path, digest, size in ordered).encode()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(ordered)
    return text.getvalue().encode()


def _format_hash(row: RecordRow) -> str:
    if not row.digest:
        return ""
    encoded = base64.urlsafe_b64encode(bytes.fromhex(row.digest)).decode().rstrip("=")
    return f"{row.algorithm}={encoded}"
