"""RECORD files: what a project laid out, with hashes.

Source: "Recording installed projects", section "The RECORD file", and the binary distribution
format, both on packaging.python.org.
"""

from __future__ import annotations

import base64
import csv
import io
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


def parse_record(data: bytes) -> Iterator[Row]:
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
