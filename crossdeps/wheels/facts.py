"""WheelFacts: what is worked out of a wheel when it enters the store, and its form on disk.

It is kept beside a stored wheel as msgpack, behind a header with the format's version and the
SHA-256 of the rest. That is a convenience, not evidence: where it is absent, damaged, of another
version or of another wheel, the wheel is read again.

Where files go: as with ``pip install --target``, one directory takes purelib, platlib and data.
Sources: the binary distribution format, "Installing a wheel 'distribution-1.0-py32-none-any.whl'"
and "The .data directory"; "Recording installed projects".
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.errors import WheelError
from crossdeps.wheels.model import Installation, MovedMember, Wheel, WheelFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from crossdeps.wheels.model import CheckedName, ExclusionReason, Member

FORMAT: Final = 5
"""Of the encoded facts; raise it with every change to what is found, or to what is refused."""
SCRIPTS: Final = "bin/"
"""Where scripts are installed."""
_MAGIC = b"crossdeps wheel facts %d\n" % FORMAT
_DIGEST_SIZE = 32
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_REWRITTEN = ("RECORD", "INSTALLER")
# Patterns are text: ``re`` compiles them on first use, and a stored wheel needs none.
_DIST_INFO = r"(?i)([^/]+\.dist-info)(/|$)"

# Made on import, under Python's import lock: msgspec learns a type when it first meets it, and two
# threads that make it learn the same one at once crash the process.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(WheelFacts)


def encode_facts(facts: WheelFacts) -> bytes:
    """Encode *facts* for the store."""
    body = _ENCODER.encode(facts)
    return _MAGIC + hashlib.sha256(body).digest() + body


def decode_facts(data: bytes, *, sha256: str, size: int) -> WheelFacts | None:
    """Decode the facts of the wheel with *sha256* and *size*; None if they are invalid."""
    start = len(_MAGIC) + _DIGEST_SIZE
    body = memoryview(data)[start:]
    if data[:start] != _MAGIC + hashlib.sha256(body).digest():
        return None
    try:
        facts = _DECODER.decode(body)
    except msgspec.MsgspecError:
        return None
    return facts if (facts.sha256, facts.size) == (sha256, size) else None


def name_wheel(facts: WheelFacts, file: Path, name: CheckedName) -> Wheel:
    """Make the wheel that is published under a name which agrees with its *facts*.

    :param file: the wheel file
    """
    values = {field: getattr(facts, field) for field in facts.__struct_fields__}
    values["warnings"] = facts.warnings + name.warnings
    return Wheel(**values, file=file, filename=name.filename, tags=name.tags)


def is_bytecode(path: str) -> bool:
    """Whether *path* is compiled Python, which suits only the Python that compiled it."""
    return path.endswith((".pyc", ".pyo")) or "/__pycache__/" in f"/{path}"


def metadata_directory(path: str) -> str | None:
    """Return the .dist-info directory that *path* is in, however it is spelled."""
    found = re.match(_DIST_INFO, path)
    return found[1] if found else None


def parent_directories(paths: Iterable[str]) -> tuple[str, ...]:
    """Return every directory that one of *paths* is in, once."""
    found: dict[str, None] = {}
    for path in paths:
        directory = path.rpartition("/")[0]
        while directory and directory not in found:
            found[directory] = None
            directory = directory.rpartition("/")[0]
    return tuple(found)


def plan_installation(dist_info: str, members: Sequence[Member]) -> Installation:
    """Work out where the *members* of a wheel go.

    :param dist_info: name of its .dist-info directory
    :raises WheelError: if a scheme of the .data directory is unknown
    """
    from crossdeps.wheels.record import (  # noqa: PLC0415 - loads csv
        INSTALLER,
        RecordRow,
        render_record,
    )

    places = [_place(dist_info, member.path) for member in members]
    moved = tuple(
        MovedMember(index=index, path=path, excluded=excluded)
        for index, (member, (path, excluded)) in enumerate(zip(members, places, strict=True))
        if excluded or path != member.path
    )
    installed = [
        (path, member)
        for member, (path, excluded) in zip(members, places, strict=True)
        if not excluded
    ]
    content = f"{INSTALLER}\n".encode()
    rows = [
        RecordRow(path=path, algorithm="sha256", digest=member.sha256, size=member.size)
        for path, member in installed
    ]
    rows.append(
        RecordRow(
            path=f"{dist_info}/INSTALLER",
            algorithm="sha256",
            digest=hashlib.sha256(content).hexdigest(),
            size=len(content),
        )
    )
    paths = [path for path, _ in installed]
    return Installation(
        moved=moved,
        directories=parent_directories(paths),
        foreign_metadata=tuple(
            path for path in paths if metadata_directory(path) not in {None, dist_info}
        ),
        record=render_record(rows, f"{dist_info}/RECORD"),
        size=sum(member.size for _, member in installed),
        compressed_size=sum(member.compressed_size for _, member in installed),
    )


def _place(dist_info: str, path: str) -> tuple[str, ExclusionReason | None]:
    """Return where the member at *path* goes, and why it isn't installed if so."""
    data = f"{dist_info.removesuffix('.dist-info')}.data/"
    if not path.startswith(data):
        return path, _exclusion(dist_info, path)
    scheme, _, rest = path.removeprefix(data).partition("/")
    if rest and scheme in {"purelib", "platlib", "data"}:
        return rest, _exclusion(dist_info, rest)
    if rest and scheme == "headers":
        return rest, "headers"
    if rest and scheme == "scripts":
        return SCRIPTS + rest, "scripts"
    raise WheelError(
        f"{scheme!r} isn't a valid scheme of the .data directory",
        context=(path,),
        hint="valid schemes are purelib, platlib, scripts, data and headers",
        rule="unknown-data-scheme",
    )


def _exclusion(dist_info: str, path: str) -> ExclusionReason | None:
    directory, _, name = path.rpartition("/")
    if directory == dist_info and name in _SIGNATURES:
        return "signature"
    if directory == dist_info and name in _REWRITTEN:
        return "rewritten"
    return "bytecode" if is_bytecode(path) else None
