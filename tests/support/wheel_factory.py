"""Wheels made on the spot: valid by default, or broken in one stated way.

Rules of a valid wheel: the binary distribution format, and *Recording installed projects* for
RECORD (packaging.python.org/specifications). Equal arguments give equal bytes.
"""

from __future__ import annotations

import base64
import hashlib
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.support.binary_factory import make_elf, make_fat_macho, make_macho, make_pe
from tests.support.sdist_factory import SdistFile, make_sdist
from tests.support.zip_writer import DEFLATED, Member, folder_member, symlink_member, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Member",
    "RecordRow",
    "SdistFile",
    "WheelFile",
    "folder_member",
    "make_elf",
    "make_fat_macho",
    "make_macho",
    "make_pe",
    "make_sdist",
    "make_wheel",
    "record_hash",
    "symlink_member",
]

RecordRow = tuple[str, str, str]
"""Path, ``algorithm=digest`` and size, as text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelFile:
    """A wheel in memory: its file name, its bytes, and the METADATA inside."""

    filename: str
    content: bytes
    metadata: bytes
    name: str
    version: str
    requires_python: str | None = None

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """Length of the content in bytes."""
        return len(self.content)

    def with_content(self, content: bytes) -> WheelFile:
        """The same wheel with other bytes, say from :mod:`tests.support.zip_surgery`."""
        return replace(self, content=content)

    def write_to(self, folder: Path) -> Path:
        """Write the wheel under its own name; gives the path."""
        path = folder / self.filename
        path.write_bytes(self.content)
        return path


def record_hash(data: bytes, algorithm: str = "sha256") -> str:
    """``sha256=<urlsafe base64, no padding>``, as RECORD has it."""
    digest = hashlib.new(algorithm, data).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def make_wheel(
    name: str,
    version: str,
    *,
    tag: str = "py3-none-any",
    build: str | None = None,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] = {},
    files: Mapping[str, bytes | str] | None = None,
    executable: Collection[str] = (),
    modes: Mapping[str, int] = {},
    entry_points: Mapping[str, Mapping[str, str]] | str | None = None,
    metadata: bytes | str | None = None,
    metadata_extra: Sequence[str] = (),
    metadata_version: str = "2.1",
    wheel_metadata: bytes | str | None = None,
    record: Callable[[list[RecordRow]], list[RecordRow]] | bytes | None = None,
    omit: Collection[str] = (),
    dist_info: str | None = None,
    method: int = DEFLATED,
    extra_members: Sequence[Member] = (),
    members: Callable[[list[Member]], list[Member]] | None = None,
    end: Mapping[str, int | bytes] = {},
    filename: str | None = None,
) -> WheelFile:
    """A wheel, valid unless told otherwise.

    >>> make_wheel("Foo.Bar", "1.0", tag="cp39-abi3-manylinux2014_x86_64").filename
    'foo_bar-1.0-cp39-abi3-manylinux2014_x86_64.whl'

    :param requires: ``Requires-Dist`` values
    :param extras: extra -> its requirements
    :param files: path -> content; a package named like the project by default
    :param executable: paths of *files* with mode 0755
    :param modes: path -> permission bits, instead of 0644
    :param entry_points: group -> name -> object reference; or the text of the file
    :param metadata: the whole METADATA instead of the one made here
    :param metadata_extra: header lines to add
    :param wheel_metadata: the whole WHEEL file instead of the one made here
    :param record: the bytes of RECORD, or a function from the right rows to those to write
    :param omit: names of dist-info files to leave out: ``METADATA``, ``WHEEL``, ``RECORD``
    :param dist_info: folder name instead of ``name-version.dist-info``
    :param extra_members: further members, not in RECORD
    :param members: last word on the member list
    :param end: fields of the archive's end record to write otherwise
    :param filename: instead of the one that the other arguments give
    """
    stem = f"{_escape(name)}-{version}"
    info = dist_info or f"{stem}.dist-info"
    described = _text(metadata) or _metadata(
        name, version, requires, requires_python, extras, metadata_extra, metadata_version
    )
    content = dict(_default_files(name, version) if files is None else files)
    info_files = {
        "METADATA": described,
        "WHEEL": _text(wheel_metadata) or _wheel_file(tag, build, content),
    }
    if entry_points is not None:
        info_files["entry_points.txt"] = _entry_points(entry_points)
    content |= {f"{info}/{key}": data for key, data in info_files.items() if key not in omit}
    plain = {path: _text(data) or b"" for path, data in content.items()}
    made = [
        Member(
            name=path,
            data=data,
            mode=stat.S_IFREG | modes.get(path, 0o755 if path in executable else 0o644),
            method=method,
        )
        for path, data in plain.items()
    ]
    if "RECORD" not in omit:
        written = _record(plain, f"{info}/RECORD", record)
        made.append(Member(name=f"{info}/RECORD", data=written, method=method))
    made.extend(extra_members)
    if members is not None:
        made = members(made)
    parts = [stem, *([build] if build else []), tag]
    return WheelFile(
        filename=filename or f"{'-'.join(parts)}.whl",
        content=write_zip(made, end=end),
        metadata=described,
        name=name,
        version=version,
        requires_python=requires_python,
    )


def _escape(name: str) -> str:
    return "_".join(part for part in name.lower().replace(".", "-").replace("_", "-").split("-"))


def _text(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _default_files(name: str, version: str) -> dict[str, bytes | str]:
    return {f"{_escape(name)}/__init__.py": f'__version__ = "{version}"\n'}


def _metadata(
    name: str,
    version: str,
    requires: Sequence[str],
    requires_python: str | None,
    extras: Mapping[str, Sequence[str]],
    more: Sequence[str],
    metadata_version: str,
) -> bytes:
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_under_extra(text, extra)}" for text in requirements]
    return "\n".join([*lines, *more, "", ""]).encode()


def _under_extra(requirement: str, extra: str) -> str:
    text, semicolon, marker = requirement.partition(";")
    condition = f'extra == "{extra}"'
    return (
        f"{text.strip()} ; ({marker.strip()}) and {condition}"
        if semicolon
        else (f"{text.strip()} ; {condition}")
    )


def _wheel_file(tag: str, build: str | None, files: Mapping[str, object]) -> bytes:
    pythons, abis, platforms = tag.split("-")
    pure = platforms == "any" and not any(".data/platlib/" in path for path in files)
    lines = [
        "Wheel-Version: 1.0",
        "Generator: crossdeps-tests (1.0)",
        f"Root-Is-Purelib: {'true' if pure else 'false'}",
        *(
            f"Tag: {python}-{abi}-{platform}"
            for python in pythons.split(".")
            for abi in abis.split(".")
            for platform in platforms.split(".")
        ),
        *([f"Build: {build}"] if build else []),
    ]
    return "\n".join([*lines, ""]).encode()


def _entry_points(groups: Mapping[str, Mapping[str, str]] | str) -> bytes:
    if isinstance(groups, str):
        return groups.encode()
    sections = (
        "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in names.items()), ""])
        for group, names in groups.items()
    )
    return "\n".join(sections).encode()


def _record(
    files: Mapping[str, bytes],
    path: str,
    change: Callable[[list[RecordRow]], list[RecordRow]] | bytes | None,
) -> bytes:
    if isinstance(change, bytes):
        return change
    rows = [(name, record_hash(data), str(len(data))) for name, data in files.items()]
    rows.append((path, "", ""))
    if change is not None:
        rows = change(rows)
    return "".join(",".join(_quote(cell) for cell in row) + "\n" for row in rows).encode()


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell
