"""Evaluates the files of a project's page: candidates, and rejections with the check they failed.

A project may have tens of thousands of files. Their names are checked first, tags before versions:
most files are rejected there, without being created.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import packaging
from packaging.tags import Tag
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from crossdeps.derived import DerivedCache
from crossdeps.index.pages.columns import ProjectFiles
from crossdeps.resolution.evaluation_table import (
    EvaluationTable,
    KeptFiles,
    ParsedName,
    build_table,
    decode_table,
    keep_files,
    sort_candidates,
)
from crossdeps.resolution.evaluations import Evaluation
from crossdeps.resolution.file_rules import (
    TagMatcher,
    accepts_python,
    check_hash,
    check_upload_time,
    check_yanked,
)
from crossdeps.resolution.rejections import Mismatch, Reason, Rejections, find_nearest
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.utils import BuildTag, NormalizedName

    from crossdeps.index.model import ProjectFile, ProjectPage
    from crossdeps.resolution.file_rules import FileRules
    from crossdeps.target.model import Target

_KIND = "candidates2"
_SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar")
_SDIST_TAG = Tag("py3", "none", "any")


class _Sorted(msgspec.Struct, frozen=True):
    """The files of a page, by the position of each.

    :param fitting: best first
    :param mismatches: in page order
    """

    fitting: Sequence[tuple[int, ParsedName]]
    mismatches: Sequence[tuple[int, Mismatch]]


class CandidateEvaluator:
    """Evaluates project files for one target. Thread-safe: its caches only grow.

    :param derived: keeps evaluations from run to run
    """

    def __init__(self, target: Target, derived: DerivedCache | None = None) -> None:
        self._target = target
        self._derived = derived or DerivedCache(None)
        self._python = Version(target.python)
        self._versions: dict[str, Version | None] = {}
        self._pythons: dict[str, bool] = {}
        self._mismatches: dict[str, Mismatch] = {}  # by the end of file names, from the tags on

    @cached_property
    def _tags(self) -> TagMatcher:
        return TagMatcher(self._target)

    @cached_property
    def _target_key(self) -> str:
        target = self._target
        platforms = (target.arch, *target.platform_tags, str(target.libc))
        return repr((__version__, packaging.__version__, target.python, target.abi, platforms))

    def evaluate_page(self, page: ProjectPage, rules: FileRules) -> Evaluation:
        """Sort the files of a page into candidates and rejections, unless an earlier run did."""
        key = self._key(page.project, page.digest, rules) if page.digest else ""
        kept = self._derived.read(_KIND, key) if key else None
        table = decode_table(kept) if kept is not None else None
        if table is None:
            return self.evaluate(page.project, page.files, rules)
        return self._open(page.project, table, page.files, rules)

    def _open(
        self,
        project: NormalizedName,
        table: EvaluationTable,
        files: Sequence[ProjectFile],
        rules: FileRules,
        open_file: Callable[[int], ProjectFile] | None = None,
    ) -> Evaluation:
        def find() -> Sequence[tuple[int, Mismatch]]:
            return self._sort_files(project, _as_pages(files), rules).mismatches

        return Evaluation(
            project,
            table,
            open_file=open_file or KeptFiles(table).open,
            parse_version=self._parse_valid,
            rejections=Rejections(files, find, parse_version=self.parse_version),
        )

    def evaluate(
        self, project: NormalizedName, files: Sequence[ProjectFile], rules: FileRules
    ) -> Evaluation:
        """Sort the *files* of a project's page into candidates and rejections, and keep that."""
        listed = _as_pages(files)
        found = self._sort_files(project, listed, rules)
        positions = [position for position, _ in found.fitting]
        names = listed.filenames
        written = ((_version_text(names[position]), each) for position, each in found.mismatches)
        table = build_table(
            listed,
            found.fitting,
            find_nearest(written, self._version),
            several=len(rules.indexes) > 1,
            untimed=sum(each.reason is Reason.NO_UPLOAD_TIME for _, each in found.mismatches),
        )
        if (digest := listed.table.digest) and (encoded := keep_files(table, listed, positions)):
            self._derived.write(_KIND, self._key(project, digest, rules), encoded)
            if (kept := decode_table(encoded)) is not None:
                listed.release()  # tens of thousands of files, of which a search needs a handful
                return self._open(project, kept, listed, rules)
        return self._open(project, table, listed, rules, lambda row: listed[positions[row]])

    def _key(self, project: NormalizedName, digest: str, rules: FileRules) -> str:
        """Everything that an evaluation depends on."""
        return self._target_key + repr(
            (
                *(project, digest, rules.allow_sdist, rules.exclude_newer),
                None if rules.hashes is None else sorted(rules.hashes),
                *(sorted(map(str, rules.pinned)), rules.indexes),
            )
        )

    def _sort_files(
        self, project: NormalizedName, files: ProjectFiles, rules: FileRules
    ) -> _Sorted:
        fitting: list[tuple[int, ParsedName]] = []
        mismatches: list[tuple[int, Mismatch]] = []
        same_names: dict[str, bool] = {}
        check = self._file_check(files, rules)
        for position, filename in enumerate(files.filenames):
            # Most files end here, for the price of one look-up.
            parts = filename.rsplit("-", 3)
            known = self._mismatches.get(filename[len(parts[0]) :])
            if known is not None and "-" in parts[0]:
                mismatches.append((position, known))
                continue
            result = (
                self._parse_wheel_name(project, filename, same_names)
                if filename.endswith(".whl")
                else self._parse_sdist_name(project, filename, rules)
            )
            if isinstance(result, ParsedName):
                failed = check(position, result.version)
                if failed is None:
                    fitting.append((position, result))
                    continue
                result = failed
            mismatches.append((position, result))
        sort_candidates(fitting, files, rules.indexes)
        return _Sorted(fitting, mismatches)

    def parse_version(self, filename: str) -> Version | None:
        """The version in a file name, or None if it has none."""
        return self._version(_version_text(filename))

    def _parse_valid(self, text: str) -> Version:
        return self._version(text) or Version(text)

    def _parse_wheel_name(
        self, project: NormalizedName, filename: str, same_names: dict[str, bool]
    ) -> ParsedName | Mismatch:
        """Parse a file name (binary distribution format), and match its tags.

        :param same_names: whether the names found before on this page are the project's
        """
        parts = filename[:-4].rsplit("-", 3)
        if len(parts) != 4 or "-" not in parts[0]:
            return Mismatch(Reason.BAD_FILENAME, "not NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
        head = parts[0]
        match = self._tags.match(filename[len(head) + 1 : -4])
        if isinstance(match, Mismatch):
            self._mismatches[filename[len(head) :]] = match
            return match
        name, _, rest = head.partition("-")
        # The file's project must be the page's (PEP 503).
        same = same_names.get(name)
        if same is None:
            same = same_names[name] = canonicalize_name(name) == project
        if not same:
            return Mismatch(Reason.OTHER_PROJECT, name)
        version_text, dash, build_text = rest.partition("-")
        version = self._version(version_text)
        build = _parse_build_tag(build_text) if dash else ()
        if version is None or build is None:
            return Mismatch(Reason.BAD_FILENAME, f"version or build tag {rest!r}")
        return ParsedName(version, build, match.tag, match.rank)

    def _parse_sdist_name(
        self, project: NormalizedName, filename: str, rules: FileRules
    ) -> ParsedName | Mismatch:
        suffix = next((end for end in _SDIST_SUFFIXES if filename.endswith(end)), None)
        if suffix is None:
            return Mismatch(Reason.NOT_A_DISTRIBUTION, f".{filename.rpartition('.')[2]}")
        if not rules.allow_sdist:
            return Mismatch(Reason.SDIST, suffix)
        try:
            name, version = parse_sdist_filename(filename)
        except InvalidSdistFilename:
            return Mismatch(Reason.BAD_FILENAME, "not NAME-VERSION.tar.gz")
        if name != project:
            return Mismatch(Reason.OTHER_PROJECT, name)
        return ParsedName(version, (), _SDIST_TAG, self._tags.worst)

    def _file_check(
        self, files: ProjectFiles, rules: FileRules
    ) -> Callable[[int, Version], Mismatch | None]:
        """The checks of a file by its position and version, besides its name."""
        columns = files.table.columns
        if columns is not None and rules.exclude_newer is None and rules.hashes is None:
            # No file is created.
            pythons, yanked = columns.requires_python, columns.yanked

            def check_columns(position: int, version: Version) -> Mismatch | None:
                return self._check_requires_python(pythons[position]) or check_yanked(
                    yanked.get(position), version, rules.pinned
                )

            return check_columns

        def check(position: int, version: Version) -> Mismatch | None:
            file = files[position]
            return (
                self._check_requires_python(file.requires_python)
                or check_upload_time(file, rules.exclude_newer)
                or check_hash(file, rules.hashes)
                or check_yanked(file.yanked, version, rules.pinned)
            )

        return check

    def _check_requires_python(self, text: str | None) -> Mismatch | None:
        if not text or self.accepts_python(text):
            return None
        return Mismatch(Reason.REQUIRES_PYTHON, text)

    def accepts_python(self, text: str) -> bool:
        """Apply the specifier as written, upper bounds included (core metadata specification)."""
        accepted = self._pythons.get(text)
        if accepted is None:
            accepted = self._pythons[text] = accepts_python(text, self._python)
        return accepted

    def _version(self, text: str) -> Version | None:
        try:
            return self._versions[text]
        except KeyError:
            try:
                version = Version(text)
            except InvalidVersion:
                version = None
            self._versions[text] = version
            return version


def _parse_build_tag(text: str) -> BuildTag | None:
    match = re.fullmatch(r"(\d+)([A-Za-z0-9_.]*)", text, re.ASCII)
    return (int(match[1]), match[2]) if match else None


def _version_text(filename: str) -> str:
    """The version in a file name as written; empty if it has none."""
    if filename.endswith(".whl"):
        return filename.split("-", 2)[1] if "-" in filename else ""
    for suffix in (".tar.gz", ".zip"):
        if filename.endswith(suffix):
            name, _, version = filename.removesuffix(suffix).rpartition("-")
            return version if name else ""
    return ""


def _as_pages(files: Sequence[ProjectFile]) -> ProjectFiles:
    return files if isinstance(files, ProjectFiles) else ProjectFiles.from_files(files)
