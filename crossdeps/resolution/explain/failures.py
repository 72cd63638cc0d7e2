"""Explains a requirement that no file satisfies, whatever else is required."""

from __future__ import annotations

import difflib
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from crossdeps.errors import (
    HashMismatchError,
    NoCandidateError,
    ProjectNotFoundError,
    ResolutionError,
)
from crossdeps.index.pages.columns import ProjectFiles
from crossdeps.resolution.explain.availability import describe_availability
from crossdeps.resolution.explain.suggestions import suggest
from crossdeps.resolution.rejections import Reason, Rejection
from crossdeps.text import first_lines, join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from crossdeps.resolution.model import Candidate, Dependency
    from crossdeps.resolution.repository import Project, Repository
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.target.model import Target

_MAX_VERSIONS = 6
_MAX_LINES = 3
_ASK_THE_INDEX = "report this to the operator of the index, or use another index"


class RequirementFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement that may have no suitable file.

    :param chain: the requirements that lead to it, from the user's line on
    """

    target: Target
    repository: Repository
    roots: RootRequirements
    dependency: Dependency
    chain: tuple[str, ...]

    def explain(self) -> ResolutionError | HashMismatchError | None:
        """The error, or None if something satisfies the requirement."""
        name = self.dependency.name
        project = self.repository.project(name)
        if not project.page.files:
            return self._explain_missing(project)
        if self.repository.matching(name, self.dependency.specifier):
            return None
        version, rejections = find_newest(
            each for each in project.rejections if each.version and self._admits(each.version)
        )
        if version is None:
            return self._explain_versions(project)
        nearest = min(rejections, key=Rejection.rank)
        if nearest.reason is Reason.HASH and (mismatch := self._explain_hashes(rejections)):
            return mismatch
        problem = f"{name} {version} {nearest.reason.describe(nearest.detail)}"
        if nearest.reason in (Reason.GLIBC, Reason.MUSL, Reason.LIBC):
            problem += f", and the target has {self.target.libc}"
        elif nearest.reason is Reason.REQUIRES_PYTHON:
            problem += f", and the target has {self.target.python}"
        compatible = [found.version for found in project.versions]
        return NoCandidateError(
            f"no file of {self.dependency.text} is compatible with {self.target.describe()}",
            context=(
                *self.chain,
                *self.roots.describe_constraints(name),
                problem,
                *describe_availability(rejections, self.target),
                *_list_compatible(compatible),
            ),
            hint=suggest(
                rejections,
                self.target,
                name,
                compatible=compatible,
                is_users=self.dependency.origin is not None,
            ),
        )

    def _explain_hashes(self, rejections: Sequence[Rejection]) -> HashMismatchError | None:
        """The error for hashes that no file of the version has; None if a file has one.

        Such a file is for another target, and the hash is not wrong.
        """
        allowed = self.roots.hashes.get(self.dependency.name, frozenset())
        stated = {
            f"{name}:{digest}" for each in rejections for name, digest in each.file.hashes.items()
        }
        if allowed & stated:
            return None
        algorithms = {text.partition(":")[0] for text in allowed}
        found = [
            f"got      {name}:{digest} ({each.file.filename})"
            for each in rejections
            if each.reason is Reason.HASH
            for name, digest in sorted(each.file.hashes.items())
            if name in algorithms
        ]
        return HashMismatchError(
            f"no file of {self.dependency.text} has the expected hash",
            context=(
                *self.chain,
                *first_lines([f"expected {text}" for text in sorted(allowed)], _MAX_LINES),
                *first_lines(found, _MAX_LINES),
            ),
            hint="correct the hash if it was mistyped; if it was not, the file was changed: do not"
            " use it before you know why",
        )

    def _admits(self, version: Version) -> bool:
        specifier = self.dependency.specifier
        return specifier.contains(version, prereleases=True) and self.roots.allows(
            self.dependency.name, version
        )

    def _explain_missing(self, project: Project) -> ProjectNotFoundError:
        name, page = self.dependency.name, project.page
        indexes = ", ".join(page.searched) or "any index"
        if _page_warnings(project):
            return ProjectNotFoundError(
                f"no file of {name!r} on {indexes} is usable",
                context=(*self.chain, *_first_warnings(project)),
                hint=_ASK_THE_INDEX,
            )
        others = sorted({item.name for item in self.roots.requirements} - {name})
        similar = difflib.get_close_matches(name, others, n=1)
        return ProjectNotFoundError(
            f"project {name!r} has no files on {indexes}"
            if page.found_on
            else f"no project {name!r} on {indexes}",
            context=self.chain,
            hint=f"check the spelling (did you mean {similar[0]}?)"
            if similar
            else "check the spelling, or add the index that has it: --extra-index-url URL",
        )

    def _explain_versions(self, project: Project) -> NoCandidateError:
        """The error where files exist, but none of an admitted version."""
        name = self.dependency.name
        context = (*self.chain, *self.roots.describe_constraints(name), *_first_warnings(project))
        compatible = [found.version for found in project.versions]
        pre_releases = [version for version in compatible if self._admits(version)]
        if pre_releases:
            return NoCandidateError(
                f"only pre-releases satisfy {self.dependency.text}, and they are not allowed",
                context=(*context, f"available: {format_versions(pre_releases)}"),
                hint="allow them with --pre",
            )
        rejected = {each.version for each in project.rejections if each.version is not None}
        if not compatible and not rejected:
            names = [each.file.filename for each in project.rejections]
            return NoCandidateError(
                f"no file of {name} has the name of a wheel or sdist",
                context=(*context, *names[:_MAX_LINES]),
                hint=_ASK_THE_INDEX,
            )
        others = format_versions(sorted(rejected, reverse=True))
        specifiers = (self.dependency.specifier, self.roots.limits.get(name))
        satisfied = join_words([str(each) for each in specifiers if each])
        return NoCandidateError(
            f"no version of {name} satisfies {satisfied}",
            context=(
                *context,
                *(_list_compatible(compatible) or (f"not compatible with this target: {others}",)),
            ),
            hint="choose a version that exists",
        )


def find_newest(rejections: Iterable[Rejection]) -> tuple[Version | None, list[Rejection]]:
    """The newest version of *rejections*, final releases first, and its rejections."""
    by_version: dict[Version, list[Rejection]] = defaultdict(list)
    for rejection in rejections:
        if rejection.version is not None:
            by_version[rejection.version].append(rejection)
    if not by_version:
        return None, []
    version = max(by_version, key=lambda found: (not found.is_prerelease, found))
    return version, by_version[version]


def _list_compatible(versions: Sequence[Version]) -> tuple[str, ...]:
    """The compatible versions; pre-releases only where there is no final release."""
    found = [version for version in versions if not version.is_prerelease] or versions
    return (f"compatible with this target: {format_versions(found)}",) if found else ()


def _first_warnings(project: Project) -> tuple[str, ...]:
    """A few of the files that the index offers and that cannot be used."""
    return first_lines(_page_warnings(project), _MAX_LINES)


def _page_warnings(project: Project) -> tuple[str, ...]:
    """Files that were skipped, and why."""
    files = project.page.files
    return files.table.warnings if isinstance(files, ProjectFiles) else ()


def format_versions(versions: Sequence[Version]) -> str:
    """A few of *versions*, newest first, and how many there are."""
    texts = [str(version) for version in versions]
    if len(texts) <= _MAX_VERSIONS:
        return ", ".join(texts)
    return f"{', '.join(texts[:3])}, ... {texts[-1]} ({len(texts)} versions)"


def describe_wheels(candidate: Candidate, project: Project, target: Target) -> tuple[str, ...]:
    """The wheels of a candidate's version, and the versions with wheels for the target."""
    rejections = [each for each in project.rejections if each.version == candidate.version]
    versions = [each.version for each in project.versions if each.is_wheel]
    return (
        *describe_availability(rejections, target),
        *((f"compatible wheels exist for {format_versions(versions)}",) if versions else ()),
    )
