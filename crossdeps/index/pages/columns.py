"""A page as columns: a list for each field of its files, in page order.

That is what the cache keeps of a page. Names are checked, URLs absolute and hashes in lower case:
nothing has to be done again when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar, overload

import msgspec

from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.project_files import read_upload_time

Hashes = Mapping[str, str]
T = TypeVar("T")


class FileTable(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a page.

    :param create: makes the file at a position
    :param columns: the fields of all files; None if only the files tell
    :param warnings: files that were skipped, and why
    :param digest: of all that the page says, in hex; empty if it is unknown
    """

    filenames: Sequence[str]
    create: Callable[[int], ProjectFile]
    columns: Columns | None = None
    warnings: tuple[str, ...] = ()
    digest: str = ""


class ProjectFiles(Sequence[ProjectFile]):
    """The files of a page, read when the first is needed, and each created when it is accessed.

    A page may list tens of thousands of files of which a handful are compatible: with the table a
    reader selects some without creating the others.
    """

    __slots__ = ("_created", "_load", "_table")

    def __init__(self, load: Callable[[], FileTable]) -> None:
        self._load = load
        self._table: FileTable | None = None
        self._created: dict[int, ProjectFile] = {}

    @classmethod
    def from_files(
        cls, files: Iterable[ProjectFile], warnings: Sequence[str] = (), digest: str = ""
    ) -> ProjectFiles:
        """A sequence of existing files."""
        created = tuple(files)
        names = [file.filename for file in created]
        table = FileTable(
            filenames=names, create=created.__getitem__, warnings=tuple(warnings), digest=digest
        )
        return cls(lambda: table)

    @property
    def table(self) -> FileTable:
        """The fields of all files."""
        table = self._table = self._table or self._load()
        return table

    def release(self) -> None:
        """Forget the files; they are read again when one is needed."""
        self._table = None
        self._created.clear()

    @property
    def filenames(self) -> Sequence[str]:
        """The names of all files."""
        return self.table.filenames

    def __len__(self) -> int:
        return len(self.table.filenames)

    @overload
    def __getitem__(self, index: int) -> ProjectFile: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ProjectFile]: ...

    def __getitem__(self, index: int | slice) -> ProjectFile | Sequence[ProjectFile]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        file = self._created.get(index)
        if file is None:
            # Two threads may both create it; the values are equal, and one of them stays.
            file = self._created.setdefault(index, self.table.create(index))
        return file


class ParsedPage(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one page, or of several together.

    :param files: in page order, each file name of a page once
    :param digest: of all that the page says, in hex; empty if it is unknown
    """

    files: ProjectFiles
    digest: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Files that were skipped, and why."""
        return self.files.table.warnings


def join_pages(pages: Sequence[ParsedPage]) -> ParsedPage:
    """The files of several pages, in their order."""
    if len(pages) == 1:
        return pages[0]
    digests = [page.digest for page in pages]
    return ParsedPage(
        files=ProjectFiles(lambda: _join_tables([page.files for page in pages])),
        digest=_join_digests(digests),
    )


def _join_digests(digests: Sequence[str]) -> str:
    return "+".join(digests) if all(digests) else ""


def _join_tables(pages: Sequence[ProjectFiles]) -> FileTable:
    tables = [page.table for page in pages]
    positions = [(page, i) for page in pages for i in range(len(page))]

    def create(index: int) -> ProjectFile:
        page, i = positions[index]
        return page[i]

    return FileTable(
        filenames=[name for table in tables for name in table.filenames],
        create=create,
        warnings=tuple(warning for table in tables for warning in table.warnings),
        digest=_join_digests([table.digest for table in tables]),
    )


class Columns(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The files of a page. Texts that a page doesn't state are empty.

    :param urls: absolute, without credentials and fragment
    :param sha256: the hash of each file that has no other
    :param sizes: bytes; -1 if not stated
    :param metadata_sha256: the hash of each metadata file that has no other (PEP 658)
    :param yanked: position of each yanked file -> the reason, which may be empty
    :param hashes: position of each file with other hashes -> all of them
    :param metadata_hashes: the same for metadata files, also for those without hashes
    :param warnings: files that were skipped, and why
    """

    filenames: list[str]
    urls: list[str]
    sha256: list[str]
    sizes: list[int]
    requires_python: list[str]
    upload_times: list[str]
    metadata_sha256: list[str]
    yanked: dict[int, str]
    hashes: dict[int, dict[str, str]]
    metadata_hashes: dict[int, dict[str, str]]
    warnings: list[str]

    def create_file(self, position: int, index: str) -> ProjectFile:
        """The file at *position*, which was listed by *index*."""
        sha256 = self.sha256[position]
        metadata = self.metadata_sha256[position]
        size = self.sizes[position]
        return ProjectFile(
            filename=self.filenames[position],
            url=self.urls[position],
            hashes={"sha256": sha256} if sha256 else self.hashes.get(position, {}),
            size=None if size < 0 else size,
            requires_python=self.requires_python[position] or None,
            upload_time=read_upload_time(self.upload_times[position]),
            yanked=self.yanked.get(position),
            metadata_hashes=(
                {"sha256": metadata} if metadata else self.metadata_hashes.get(position)
            ),
            index=index,
        )


def separate_hashes(
    values: Sequence[Hashes | None],
) -> tuple[list[str], dict[int, dict[str, str]]]:
    """The column of SHA-256 hashes, and the hashes of the rows that it cannot hold."""
    column = [
        hashes.get("sha256", "") if hashes is not None and len(hashes) == 1 else ""
        for hashes in values
    ]
    others: dict[int, dict[str, str]] = {}
    if "" in column:
        for position, (digest, hashes) in enumerate(zip(column, values, strict=True)):
            if not digest and hashes is not None:
                others[position] = {name.lower(): value.lower() for name, value in hashes.items()}
    joined = "\n".join(column)
    return column if joined == joined.lower() else [each.lower() for each in column], others


def select_columns(files: ProjectFiles, positions: Sequence[int]) -> Columns:
    """The columns of some of the files of a page."""
    columns = files.table.columns
    if columns is None:
        return _create_columns([files[position] for position in positions])
    rows = {position: row for row, position in enumerate(positions)}

    def select(sparse: Mapping[int, T]) -> dict[int, T]:
        return {rows[position]: value for position, value in sparse.items() if position in rows}

    return Columns(
        filenames=[columns.filenames[i] for i in positions],
        urls=[columns.urls[i] for i in positions],
        sha256=[columns.sha256[i] for i in positions],
        sizes=[columns.sizes[i] for i in positions],
        requires_python=[columns.requires_python[i] for i in positions],
        upload_times=[columns.upload_times[i] for i in positions],
        metadata_sha256=[columns.metadata_sha256[i] for i in positions],
        yanked=select(columns.yanked),
        hashes=select(columns.hashes),
        metadata_hashes=select(columns.metadata_hashes),
        warnings=[],
    )


def _create_columns(files: Sequence[ProjectFile]) -> Columns:
    sha256, hashes = separate_hashes([file.hashes or None for file in files])
    metadata_sha256, metadata_hashes = separate_hashes([file.metadata_hashes for file in files])
    return Columns(
        filenames=[file.filename for file in files],
        urls=[file.url for file in files],
        sha256=sha256,
        sizes=[-1 if file.size is None else file.size for file in files],
        requires_python=[file.requires_python or "" for file in files],
        upload_times=[file.upload_time.isoformat() if file.upload_time else "" for file in files],
        metadata_sha256=metadata_sha256,
        yanked={i: file.yanked for i, file in enumerate(files) if file.yanked is not None},
        hashes=hashes,
        metadata_hashes=metadata_hashes,
        warnings=[],
    )


# Created at import time: msgspec inspects a type when it first meets it, and two threads that have
# it inspect the same type at once crash the process.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Columns)


def encode_columns(columns: Columns) -> bytes | None:
    """Encode as msgpack, the same columns to the same bytes; None if a value cannot be encoded."""
    try:
        return _ENCODER.encode(columns)
    except (UnicodeEncodeError, OverflowError):  # half a surrogate pair; a size of 2**64
        return None


def decode_columns(data: bytes) -> Columns | None:
    """Decode what :func:`encode_columns` encoded; None if *data* is something else."""
    try:
        columns = _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
    lists: tuple[Sequence[object], ...] = (
        *(columns.urls, columns.sha256, columns.sizes, columns.requires_python),
        *(columns.upload_times, columns.metadata_sha256),
    )
    return columns if {len(each) for each in lists} <= {len(columns.filenames)} else None


def open_table(columns: Columns, index: str, digest: str = "") -> FileTable:
    """The files of *columns*, each created when it is accessed.

    :param index: URL of the index, without credentials
    """
    return FileTable(
        filenames=columns.filenames,
        create=lambda position: columns.create_file(position, index),
        columns=columns,
        warnings=tuple(columns.warnings),
        digest=digest,
    )


def open_page(columns: Columns, index: str, *, digest: str = "") -> ParsedPage:
    """The page of *columns*."""
    return ParsedPage(files=ProjectFiles(lambda: open_table(columns, index, digest)), digest=digest)
