"""The table of an evaluated page: what is kept of it, and how it is made, encoded and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from crossdeps.index.pages.columns import decode_columns, encode_columns, select_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.tags import Tag
    from packaging.utils import BuildTag
    from packaging.version import Version

    from crossdeps.index.model import ProjectFile
    from crossdeps.index.pages.columns import Columns, ProjectFiles
    from crossdeps.resolution.rejections import Mismatch


class ParsedName(msgspec.Struct, frozen=True):
    """The file name of a possible candidate, with the best of its tags."""

    version: Version
    build: BuildTag
    tag: Tag
    rank: int


Fitting = Sequence[tuple[int, ParsedName]]
"""Candidates: the position of each file, and its name."""


class EvaluationTable(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """What is kept of an evaluation.

    :param versions: of all files, newest first
    :param best: position of the best candidate of each version; -1 if it has none
    :param nearest: for a version without candidates, position in *mismatches* of the one of its
        files that came nearest to fitting; else -1
    :param mismatches: reason and detail
    :param candidate_versions: of all candidates, best first: newest version, then best tag, then
        highest build tag; likewise *tags* and *ranks*
    :param builds: position of each candidate with a build tag -> the tag
    :param indexes: URL of each candidate's index, or the only one of all
    :param shared: positions of the candidates whose file several indexes have
    :param untimed: number of files that were rejected because they state no upload time
    :param files: the files of the first candidates as columns, and those of the others; empty where
        they are not kept
    """

    versions: list[str]
    best: list[int]
    nearest: list[int]
    mismatches: list[tuple[str, str]]
    candidate_versions: list[str]
    tags: list[str]
    ranks: list[int]
    builds: dict[int, tuple[int, str]]
    indexes: list[str]
    shared: list[int]
    untimed: int
    files: tuple[bytes, ...] = ()


# Created at import time: msgspec inspects a type when it first meets it, and two threads that have
# it inspect the same type at once crash the process.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(EvaluationTable)


def decode_table(data: bytes) -> EvaluationTable | None:
    """Decode what :func:`keep_files` encoded; None if *data* is something else."""
    try:
        table = _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
    count, versions = len(table.candidate_versions), len(table.versions)
    fits = len(table.tags) == len(table.ranks) == count and len(table.files) == 2
    return table if fits and len(table.best) == len(table.nearest) == versions else None


def sort_candidates(
    fitting: list[tuple[int, ParsedName]], files: ProjectFiles, indexes: tuple[str, ...]
) -> None:
    """Best first. Each pass is stable, so the last one has the most weight."""
    columns = files.table.columns
    if columns is not None:
        urls, yanked = columns.urls, columns.yanked
        fitting.sort(key=lambda found: (files.filenames[found[0]], urls[found[0]]))
        fitting.sort(key=lambda found: found[1].build or (-1, ""), reverse=True)
        fitting.sort(key=lambda found: (found[0] in yanked, found[1].rank))
    else:
        order = {index: position for position, index in enumerate(indexes)}
        last = len(indexes)

        def key(found: tuple[int, ParsedName]) -> tuple[str, int, str]:
            file = files[found[0]]
            return file.filename, order.get(file.index, last), file.url

        fitting.sort(key=key)
        fitting.sort(key=lambda found: found[1].build or (-1, ""), reverse=True)
        fitting.sort(key=lambda found: (files[found[0]].yanked is not None, found[1].rank))
    fitting.sort(key=lambda found: found[1].version, reverse=True)


def build_table(
    files: ProjectFiles,
    fitting: Fitting,
    nearest: Mapping[Version, Mismatch],
    *,
    several: bool,
    untimed: int,
) -> EvaluationTable:
    """The table of an evaluation, without the files.

    :param fitting: sorted by :func:`sort_candidates`
    :param nearest: for each version the mismatch of the file that came nearest to fitting
    :param several: whether the files are those of several indexes
    """
    positions = [position for position, _ in fitting]
    names = [name for _, name in fitting]
    best: dict[Version, int] = {}
    for row, name in enumerate(names):
        best.setdefault(name.version, row)
    rejected = {version: each for version, each in nearest.items() if version not in best}
    mismatches = {mismatch: row for row, mismatch in enumerate(dict.fromkeys(rejected.values()))}
    versions = sorted((*best, *rejected), reverse=True)
    return EvaluationTable(
        versions=[str(version) for version in versions],
        best=[best.get(version, -1) for version in versions],
        nearest=[
            mismatches[rejected[version]] if version in rejected else -1 for version in versions
        ],
        mismatches=[(mismatch.reason.value, mismatch.detail) for mismatch in mismatches],
        candidate_versions=[str(name.version) for name in names],
        tags=[str(name.tag) for name in names],
        ranks=[name.rank for name in names],
        builds={row: name.build for row, name in enumerate(names) if name.build},
        indexes=[files[position].index for position in positions[: None if several else 1]],
        shared=_find_shared(files, positions) if several else [],
        untimed=untimed,
    )


# The newest versions are chosen most often: the files of others are seldom decoded.
_FIRST = 8


def keep_files(table: EvaluationTable, files: ProjectFiles, positions: Sequence[int]) -> bytes:
    """Encode *table* with its files.

    :param positions: of each candidate's file among *files*
    :returns: empty if a field of a file cannot be encoded
    """
    parts = (positions[:_FIRST], positions[_FIRST:])
    encoded = [encode_columns(select_columns(files, part)) for part in parts]
    kept = tuple(each for each in encoded if each is not None)
    if len(kept) < len(parts):
        return b""
    return _ENCODER.encode(msgspec.structs.replace(table, files=kept))


def _find_shared(files: ProjectFiles, positions: Sequence[int]) -> list[int]:
    """Which of the candidates at *positions* are the file of several indexes.

    Files with the same sha256 are the same, whatever their indexes say of them.
    """
    names = {files.filenames[position] for position in positions}
    holders: dict[str, set[str]] = {}
    for position, filename in enumerate(files.filenames):
        if filename in names:
            file = files[position]
            holders.setdefault(_file_key(file), set()).add(file.index)
    return [
        row
        for row, position in enumerate(positions)
        if len(holders[_file_key(files[position])]) > 1
    ]


def _file_key(file: ProjectFile) -> str:
    return file.hashes.get("sha256") or f"{file.filename} {file.url}"


class KeptFiles:
    """The files of a table that was kept, decoded when they are needed."""

    def __init__(self, table: EvaluationTable) -> None:
        self._table = table
        self._columns: dict[bool, Columns] = {}

    def open(self, position: int) -> ProjectFile:
        """The file of the candidate at *position*."""
        is_first = position < _FIRST
        columns = self._columns.get(is_first)
        if columns is None:
            columns = decode_columns(self._table.files[0 if is_first else 1])
            assert columns is not None, "the entry is sealed"  # noqa: S101
            self._columns[is_first] = columns
        indexes = self._table.indexes
        index = indexes[position if len(indexes) > 1 else 0]
        return columns.create_file(position if is_first else position - _FIRST, index)
