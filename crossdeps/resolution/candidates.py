"""Files of a page -> candidates, and rejections with the first check that each failed.

The tag text is looked at before any version is parsed: nine files of ten fall there, and a project
may have thousands. Rejections are worked out when someone looks at them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from crossdeps.resolution.fits import Misfit, TagJudge
from crossdeps.resolution.model import Candidate, Rejection

if TYPE_CHECKING:
    from packaging.utils import BuildTag, NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.resolution.model import RejectionReason
    from crossdeps.target import Target

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
    """

    allow_sdist: bool = False
    exclude_newer: datetime.datetime | None = None
    hashes: frozenset[str] | None = None
    pinned: frozenset[Version] = frozenset()


@dataclass(frozen=True, slots=True)
class _Names:
    """A file name taken apart."""

    version: Version
    build: BuildTag


_Failure = tuple["RejectionReason", str]


class _LazyRejections(Sequence[Rejection]):
    """Rejections, made when they are first looked at."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], tuple[Rejection, ...]]) -> None:
        self._make = make
        self._made: tuple[Rejection, ...] | None = None

    def _all(self) -> tuple[Rejection, ...]:
        if self._made is None:
            self._made = self._make()
        return self._made

    @overload
    def __getitem__(self, index: int) -> Rejection: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rejection]: ...
    def __getitem__(self, index: int | slice) -> Rejection | Sequence[Rejection]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A project's files, judged for one target.

    :param candidates: best first: newest version, then best tag, then highest build tag
    :param rejections: in page order
    """

    candidates: tuple[Candidate, ...] = ()
    rejections: Sequence[Rejection] = field(default=(), repr=False)


class FileJudge:
    """Judges project files for one target. Safe to share between threads: its memory only grows."""

    def __init__(self, target: Target) -> None:
        self._tags = TagJudge(target)
        self._python = Version(target.python)
        self._versions: dict[str, Version | None] = {}
        self._pythons: dict[str, bool] = {}

    def judge(
        self, project: NormalizedName, files: Sequence[ProjectFile], rules: FileRules
    ) -> Judged:
        """Sort the *files* of a project's page into candidates and rejections."""
        candidates: list[Candidate] = []
        rejected: list[tuple[ProjectFile, _Failure]] = []
        names: dict[str, bool] = {}
        for file in files:
            verdict = self._judge(project, file, rules, names)
            if isinstance(verdict, Candidate):
                candidates.append(verdict)
            else:
                rejected.append((file, verdict))
        _sort(candidates)

        def make() -> tuple[Rejection, ...]:
            return tuple(
                Rejection(
                    file=file,
                    version=self.version_of(file.filename),
                    reason=reason,
                    detail=detail,
                )
                for file, (reason, detail) in rejected
            )

        return Judged(candidates=tuple(candidates), rejections=_LazyRejections(make))

    def version_of(self, filename: str) -> Version | None:
        """The version that a file name states, or None if it states none."""
        if filename.endswith(".whl"):
            return self._version(_part(filename, 1))
        try:
            return parse_sdist_filename(filename)[1]
        except InvalidSdistFilename:
            return None

    def _judge(
        self,
        project: NormalizedName,
        file: ProjectFile,
        rules: FileRules,
        names: dict[str, bool],
    ) -> Candidate | _Failure:
        filename = file.filename
        if not filename.endswith(".whl"):
            return self._judge_sdist(project, file, rules)
        parts = filename[:-4].rsplit("-", 3)
        if len(parts) != 4 or "-" not in parts[0]:
            return "bad-filename", "it isn't NAME-VERSION-PYTHON-ABI-PLATFORM.whl"
        head = parts[0]
        fit = self._tags.judge(filename[len(head) + 1 : -4])
        if isinstance(fit, Misfit):
            return fit.reason, fit.detail
        taken_apart = check_name(project, head, names) or self._take_apart(head)
        if not isinstance(taken_apart, _Names):
            return taken_apart
        return self._check(file, taken_apart.version, rules) or Candidate(
            name=project,
            version=taken_apart.version,
            file=file,
            tag=fit.tag,
            tag_rank=fit.rank,
            build=taken_apart.build,
        )

    def _judge_sdist(
        self, project: NormalizedName, file: ProjectFile, rules: FileRules
    ) -> Candidate | _Failure:
        suffix = next((end for end in _SDIST if file.filename.endswith(end)), None)
        if suffix is None:
            kind = file.filename.rpartition(".")[2]
            return "not-a-distribution", f".{kind}"
        if not rules.allow_sdist:
            return "sdist", suffix
        try:
            name, version = parse_sdist_filename(file.filename)
        except InvalidSdistFilename:
            return "bad-filename", "it isn't NAME-VERSION.tar.gz"
        if name != project:
            return "other-project", name
        return self._check(file, version, rules) or Candidate(
            name=project, version=version, file=file, tag=_SDIST_TAG, tag_rank=self._tags.worst
        )

    def _take_apart(self, head: str) -> _Names | _Failure:
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

    def _check(self, file: ProjectFile, version: Version, rules: FileRules) -> _Failure | None:
        return (
            self._check_requires_python(file)
            or check_upload_time(file, rules.exclude_newer)
            or check_hash(file, rules.hashes)
            or check_yanked(file, version, rules.pinned)
        )

    def _check_requires_python(self, file: ProjectFile) -> _Failure | None:
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


def accepts_python(text: str, python: Version) -> bool:
    """Whether Requires-Python *text* admits *python*; an unreadable text admits every one."""
    try:
        return SpecifierSet(text).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def check_name(project: NormalizedName, head: str, names: dict[str, bool]) -> _Failure | None:
    """The file's project must be the page's, wholly and normalised (PEP 503).

    :param names: what was found before on this page
    """
    written = head.partition("-")[0]
    same = names.get(written)
    if same is None:
        same = names[written] = canonicalize_name(written) == project
    return None if same else ("other-project", written)


def check_upload_time(
    file: ProjectFile, exclude_newer: datetime.datetime | None
) -> _Failure | None:
    """Leave out what was uploaded after the cut-off, and what doesn't say when (PEP 700)."""
    if exclude_newer is None:
        return None
    if file.upload_time is None:
        return "no-upload-time", ""
    if file.upload_time > exclude_newer:
        return "too-new", file.upload_time.astimezone(datetime.timezone.utc).isoformat()
    return None


def check_hash(file: ProjectFile, allowed: frozenset[str] | None) -> _Failure | None:
    """A file must have an allowed hash; one that states none is checked when fetched."""
    if allowed is None:
        return None
    stated = {f"{algorithm}:{digest}" for algorithm, digest in file.hashes.items()}
    algorithms = {text.partition(":")[0] for text in allowed}
    if stated & allowed or (allowed and not algorithms & file.hashes.keys()):
        return None
    return "hash", ""


def check_yanked(
    file: ProjectFile, version: Version, pinned: frozenset[Version]
) -> _Failure | None:
    """PEP 592: a yanked file is taken only where the user pinned its version exactly."""
    if file.yanked is None or version in pinned or _public(version) in pinned:
        return None
    return "yanked", file.yanked


def _public(version: Version) -> Version:
    return Version(version.public) if version.local else version


def _part(filename: str, index: int) -> str:
    parts = filename.split("-", index + 1)
    return parts[index] if len(parts) > index else ""


def _sort(candidates: list[Candidate]) -> None:
    """Best first; each pass is stable, so the last one weighs most."""
    candidates.sort(key=lambda found: (found.file.filename, found.file.url))
    candidates.sort(key=lambda found: found.build or (-1, ""), reverse=True)
    candidates.sort(key=lambda found: (found.file.yanked is not None, found.tag_rank))
    candidates.sort(key=lambda found: found.version, reverse=True)
