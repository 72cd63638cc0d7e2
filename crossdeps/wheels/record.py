"""RECORD: the list of a wheel's files with their hashes (PEP 376, PEP 427).

Tolerated, since published wheels have it: an empty size beside a hash, a hash with padding, rows
for directories, a blank line.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from crossdeps.errors import WheelError
from crossdeps.wheels.faults import refusal
from crossdeps.wheels.paths import check_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crossdeps.wheels.model import Member

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
