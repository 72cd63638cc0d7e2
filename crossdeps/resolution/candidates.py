"""Files of a page -> candidates, and rejections with the first check that each failed.

A project may have tens of thousands of files. Their names are looked at first, tags before
versions: nine files of ten fall there, and are never made.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from crossdeps.index.pages.project_files import ProjectFiles
from crossdeps.resolution.model import Candidate
from crossdeps.resolution.tags import Mismatch, Rejections, TagMatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import BuildTag, NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.resolution.tags import Failure
    from crossdeps.target.model import Target

_BUILD_TAG = re.compile(r"(\d+)([A-Za-z0-9_.]*)", re.ASCII)
_SDIST = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar")
_SDIST_TAG = Tag("py3", "none", "any")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRules:
    """What a file of one project must satisfy, beside its tags.

    :param allow_sdist: whether sdists count as candidates
    :param exclude_newer: aware moment after which uploads don't count
    :param hashes: allowed, as ``algorithm:hexdigest``; None where none were given
    :param pinned: versions that the user pinned exactly; only they may be yanked (PEP 592)
    :param indexes: in the order in which the user named them: of one file on several, the first
        index's is taken
    """

    allow_sdist: bool = False
    exclude_newer: datetime.datetime | None = None
    hashes: frozenset[str] | None = None
    pinned: frozenset[Version] = frozenset()
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Names:
    """A file name taken apart."""

    version: Version
    build: BuildTag


@dataclass(frozen=True, slots=True)
class _Named:
    """What a file name says of a file that may be a candidate."""

    names: _Names
    tag: Tag
    rank: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """A project's files, judged for one target.

    :param candidates: best first: newest version, then best tag, then highest build tag
    :param rejections: in page order
    """

    candidates: tuple[Candidate, ...]
    rejections: Rejections


class CandidateEvaluator:
    """Judges project files for one target. Safe to share between threads: its memory only grows."""

    def __init__(self, target: Target) -> None:
        self._tags = TagMatcher(target)
        self._python = Version(target.python)
        self._versions: dict[str, Version | None] = {}
        self._pythons: dict[str, bool] = {}
        self._unfit: dict[str, Failure] = {}  # by the end of file names, from the tags on

    def judge(
        self, project: NormalizedName, files: Sequence[ProjectFile], rules: FileRules
    ) -> Evaluation:
        """Sort the *files* of a project's page into candidates and rejections."""
        filenames = (
            files.filenames
            if isinstance(files, ProjectFiles)
            else [file.filename for file in files]
        )
        candidates: list[Candidate] = []
        failures: list[tuple[int, Failure]] = []
        names: dict[str, bool] = {}
        for place, filename in enumerate(filenames):
            # Most files end here, at the price of one look-up.
            parts = filename.rsplit("-", 3)
            unfit = self._unfit.get(filename[len(parts[0]) :])
            if unfit is not None and "-" in parts[0]:
                failures.append((place, unfit))
                continue
            verdict = self._judge_name(project, filename, rules, names)
            if isinstance(verdict, _Named):
                failure = self._check(files[place], verdict.names.version, rules)
                if failure is None:
                    candidates.append(_candidate(project, files[place], verdict))
                    continue
                verdict = failure
            failures.append((place, verdict))
        _sort(candidates, rules.indexes)
        rejections = Rejections(files, failures, names=filenames, parse_version=self.parse_version)
        return Evaluation(candidates=tuple(candidates), rejections=rejections)

    def parse_version(self, filename: str) -> Version | None:
        """The version that a file name states, or None if it states none."""
        if filename.endswith(".whl"):
            return self._version(_part(filename, 1))
        for suffix in (".tar.gz", ".zip"):
            if filename.endswith(suffix):
                name, _, version = filename.removesuffix(suffix).rpartition("-")
                return self._version(version) if name else None
        return None

    def _judge_name(
        self,
        project: NormalizedName,
        filename: str,
        rules: FileRules,
        names: dict[str, bool],
    ) -> _Named | Failure:
        if not filename.endswith(".whl"):
            return self._judge_sdist(project, filename, rules)
        parts = filename[:-4].rsplit("-", 3)
        if len(parts) != 4 or "-" not in parts[0]:
            return "bad-filename", "it isn't NAME-VERSION-PYTHON-ABI-PLATFORM.whl"
        head = parts[0]
        fit = self._tags.judge(filename[len(head) + 1 : -4])
        if isinstance(fit, Mismatch):
            failure = self._unfit[filename[len(head) :]] = fit.reason, fit.detail
            return failure
        taken_apart = check_name(project, head, names) or self._take_apart(head)
        if isinstance(taken_apart, _Names):
            return _Named(taken_apart, fit.tag, fit.rank)
        return taken_apart

    def _judge_sdist(
        self, project: NormalizedName, filename: str, rules: FileRules
    ) -> _Named | Failure:
        if not filename.endswith(_SDIST):
            kind = filename.rpartition(".")[2]
            return "not-a-distribution", f".{kind}"
        if not rules.allow_sdist:
            return "sdist", next(end for end in _SDIST if filename.endswith(end))
        try:
            name, version = parse_sdist_filename(filename)
        except InvalidSdistFilename:
            return "bad-filename", "it isn't NAME-VERSION.tar.gz"
        if name != project:
            return "other-project", name
        return _Named(_Names(version, ()), _SDIST_TAG, self._tags.worst)

    def _take_apart(self, head: str) -> _Names | Failure:
        version_text, _, build_text = head.partition("-")[2].partition("-")
        version = self._version(version_text)
        if version is None:
            return "bad-filename", f"its version is {version_text!r}"
        build: BuildTag = ()
        if "-" in head.partition("-")[2]:
            match = _BUILD_TAG.fullmatch(build_text)
            if match is None:
                return "bad-filename", f"its build tag is {build_text!r}"
            build = (int(match[1]), match[2])
        return _Names(version, build)

    def _check(self, file: ProjectFile, version: Version, rules: FileRules) -> Failure | None:
        return (
            self._check_requires_python(file)
            or check_upload_time(file, rules.exclude_newer)
            or check_hash(file, rules.hashes)
            or check_yanked(file, version, rules.pinned)
        )

    def _check_requires_python(self, file: ProjectFile) -> Failure | None:
        """The specifier holds as written, upper bounds included (core metadata specification)."""
        text = file.requires_python
        if not text:
            return None
        accepted = self._pythons.get(text)
        if accepted is None:
            accepted = self._pythons[text] = accepts_python(text, self._python)
        return None if accepted else ("requires-python", text)

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


def _candidate(project: NormalizedName, file: ProjectFile, named: _Named) -> Candidate:
    return Candidate(
        name=project,
        version=named.names.version,
        file=file,
        tag=named.tag,
        tag_rank=named.rank,
        build=named.names.build,
    )


def accepts_python(text: str, python: Version) -> bool:
    """Whether Requires-Python *text* admits *python*; an unreadable text admits every one."""
    try:
        return SpecifierSet(text).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def check_name(project: NormalizedName, head: str, names: dict[str, bool]) -> Failure | None:
    """The file's project must be the page's, wholly and normalised (PEP 503).

    :param names: what was found before on this page
    """
    written = head.partition("-")[0]
    same = names.get(written)
    if same is None:
        same = names[written] = canonicalize_name(written) == project
    return None if same else ("other-project", written)


def check_upload_time(file: ProjectFile, exclude_newer: datetime.datetime | None) -> Failure | None:
    """Leave out what was uploaded after the cut-off, and what doesn't say when (PEP 700)."""
    if exclude_newer is None:
        return None
    if file.upload_time is None:
        return "no-upload-time", ""
    if file.upload_time > exclude_newer:
        return "too-new", file.upload_time.astimezone(datetime.timezone.utc).isoformat()
    return None


def check_hash(file: ProjectFile, allowed: frozenset[str] | None) -> Failure | None:
    """A file must have an allowed hash; one that states none is checked when fetched."""
    if allowed is None:
        return None
    stated = {f"{algorithm}:{digest}" for algorithm, digest in file.hashes.items()}
    algorithms = {text.partition(":")[0] for text in allowed}
    if stated & allowed or (allowed and not algorithms & file.hashes.keys()):
        return None
    return "hash", ""


def check_yanked(file: ProjectFile, version: Version, pinned: frozenset[Version]) -> Failure | None:
    """PEP 592: a yanked file is taken only where the user pinned its version exactly."""
    if file.yanked is None or version in pinned or _public(version) in pinned:
        return None
    return "yanked", file.yanked


def _public(version: Version) -> Version:
    return Version(version.public) if version.local else version


def _part(filename: str, index: int) -> str:
    parts = filename.split("-", index + 1)
    return parts[index] if len(parts) > index else ""


def _sort(candidates: list[Candidate], indexes: tuple[str, ...]) -> None:
    """Best first; each pass is stable, so the last one weighs most."""
    places = {index: place for place, index in enumerate(indexes)}
    last = len(indexes)
    candidates.sort(
        key=lambda found: (
            found.file.filename,
            places.get(found.file.index, last),
            found.file.url,
        )
    )
    candidates.sort(key=lambda found: found.build or (-1, ""), reverse=True)
    candidates.sort(key=lambda found: (found.file.yanked is not None, found.tag_rank))
    candidates.sort(key=lambda found: found.version, reverse=True)
