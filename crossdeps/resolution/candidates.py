"""Evaluates the files of a project's page: candidates, and rejections with the check they failed.

A project may have tens of thousands of files. Their names are checked first, tags before versions:
most files are rejected there, without being created.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from crossdeps.index.pages.columns import ProjectFiles
from crossdeps.resolution.model import Candidate
from crossdeps.resolution.rejections import Mismatch, Reason, Rejections
from crossdeps.resolution.tags import TagMatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import BuildTag, NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.target.model import Target

_SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar")
_SDIST_TAG = Tag("py3", "none", "any")


class FileRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of one project must satisfy, besides its tags.

    :param allow_sdist: whether sdists are candidates
    :param exclude_newer: aware moment after which uploads are left out
    :param hashes: allowed, as ``algorithm:hexdigest``; None allows all
    :param pinned: versions that the user pinned exactly; only they may be yanked (PEP 592)
    :param indexes: in the user's order: a file that several indexes have is taken from the first
    """

    allow_sdist: bool = False
    exclude_newer: datetime.datetime | None = None
    hashes: frozenset[str] | None = None
    pinned: frozenset[Version] = frozenset()
    indexes: tuple[str, ...] = ()


class _ParsedName(msgspec.Struct, frozen=True):
    """The file name of a possible candidate, with the best of its tags."""

    version: Version
    build: BuildTag
    tag: Tag
    rank: int


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A project's files, evaluated for one target.

    :param candidates: best first: newest version, then best tag, then highest build tag
    :param rejections: in page order
    """

    candidates: tuple[Candidate, ...]
    rejections: Rejections


class CandidateEvaluator:
    """Evaluates project files for one target. Thread-safe: its caches only grow."""

    def __init__(self, target: Target) -> None:
        self._tags = TagMatcher(target)
        self._python = Version(target.python)
        self._versions: dict[str, Version | None] = {}
        self._pythons: dict[str, bool] = {}
        self._mismatches: dict[str, Mismatch] = {}  # by the end of file names, from the tags on

    def evaluate(
        self, project: NormalizedName, files: Sequence[ProjectFile], rules: FileRules
    ) -> Evaluation:
        """Sort the *files* of a project's page into candidates and rejections."""
        filenames = (
            files.filenames
            if isinstance(files, ProjectFiles)
            else [file.filename for file in files]
        )
        candidates: list[Candidate] = []
        mismatches: list[tuple[int, Mismatch]] = []
        same_names: dict[str, bool] = {}
        for index, filename in enumerate(filenames):
            # Most files end here, for the price of one look-up.
            parts = filename.rsplit("-", 3)
            known = self._mismatches.get(filename[len(parts[0]) :])
            if known is not None and "-" in parts[0]:
                mismatches.append((index, known))
                continue
            result = (
                self._parse_wheel_name(project, filename, same_names)
                if filename.endswith(".whl")
                else self._parse_sdist_name(project, filename, rules)
            )
            if isinstance(result, _ParsedName):
                file = files[index]
                failed = self._check(file, result.version, rules)
                if failed is None:
                    candidates.append(_build_candidate(project, file, result))
                    continue
                result = failed
            mismatches.append((index, result))
        _sort(candidates, rules.indexes)
        rejections = Rejections(
            files, mismatches, filenames=filenames, parse_version=self.parse_version
        )
        return Evaluation(candidates=tuple(candidates), rejections=rejections)

    def parse_version(self, filename: str) -> Version | None:
        """The version in a file name, or None if it has none."""
        if filename.endswith(".whl"):
            return self._version(filename.split("-", 2)[1] if "-" in filename else "")
        for suffix in (".tar.gz", ".zip"):
            if filename.endswith(suffix):
                name, _, version = filename.removesuffix(suffix).rpartition("-")
                return self._version(version) if name else None
        return None

    def _parse_wheel_name(
        self, project: NormalizedName, filename: str, same_names: dict[str, bool]
    ) -> _ParsedName | Mismatch:
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
        return _ParsedName(version, build, match.tag, match.rank)

    def _parse_sdist_name(
        self, project: NormalizedName, filename: str, rules: FileRules
    ) -> _ParsedName | Mismatch:
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
        return _ParsedName(version, (), _SDIST_TAG, self._tags.worst)

    def _check(self, file: ProjectFile, version: Version, rules: FileRules) -> Mismatch | None:
        return (
            self._check_requires_python(file)
            or _check_upload_time(file, rules.exclude_newer)
            or _check_hash(file, rules.hashes)
            or _check_yanked(file, version, rules.pinned)
        )

    def _check_requires_python(self, file: ProjectFile) -> Mismatch | None:
        """Apply the specifier as written, upper bounds included (core metadata specification)."""
        text = file.requires_python
        if not text:
            return None
        accepted = self._pythons.get(text)
        if accepted is None:
            accepted = self._pythons[text] = accepts_python(text, self._python)
        return None if accepted else Mismatch(Reason.REQUIRES_PYTHON, text)

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


def _build_candidate(project: NormalizedName, file: ProjectFile, parsed: _ParsedName) -> Candidate:
    return Candidate(
        name=project,
        version=parsed.version,
        file=file,
        tag=parsed.tag,
        tag_rank=parsed.rank,
        build=parsed.build,
    )


def accepts_python(text: str, python: Version) -> bool:
    """Whether Requires-Python *text* admits *python*; an invalid text admits every one."""
    try:
        return SpecifierSet(text).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def _check_upload_time(
    file: ProjectFile, exclude_newer: datetime.datetime | None
) -> Mismatch | None:
    """Leave out what was uploaded after the cut-off, and what has no upload time (PEP 700)."""
    if exclude_newer is None:
        return None
    if file.upload_time is None:
        return Mismatch(Reason.NO_UPLOAD_TIME)
    if file.upload_time > exclude_newer:
        time = file.upload_time.astimezone(datetime.timezone.utc)
        return Mismatch(Reason.TOO_NEW, time.isoformat())
    return None


def _check_hash(file: ProjectFile, allowed: frozenset[str] | None) -> Mismatch | None:
    """A file needs an allowed hash; one without stated hashes is checked when it is fetched."""
    if allowed is None:
        return None
    stated = {f"{algorithm}:{digest}" for algorithm, digest in file.hashes.items()}
    algorithms = {text.partition(":")[0] for text in allowed}
    if stated & allowed or (allowed and not algorithms & file.hashes.keys()):
        return None
    return Mismatch(Reason.HASH)


def _check_yanked(
    file: ProjectFile, version: Version, pinned: frozenset[Version]
) -> Mismatch | None:
    """A yanked file is used only when the user pinned its version exactly (PEP 592)."""
    if file.yanked is None or version in pinned:
        return None
    if version.local and Version(version.public) in pinned:
        return None
    return Mismatch(Reason.YANKED, file.yanked)


def _sort(candidates: list[Candidate], indexes: tuple[str, ...]) -> None:
    """Best first. Each pass is stable, so the last one has the most weight."""
    order = {index: position for position, index in enumerate(indexes)}
    last = len(indexes)
    candidates.sort(
        key=lambda found: (found.file.filename, order.get(found.file.index, last), found.file.url)
    )
    candidates.sort(key=lambda found: found.build or (-1, ""), reverse=True)
    candidates.sort(key=lambda found: (found.file.yanked is not None, found.tag_rank))
    candidates.sort(key=lambda found: found.version, reverse=True)
