"""Why one want can't be had, whatever else is asked."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import NoCandidateError, ProjectNotFoundError, ResolutionError
from crossdeps.resolution.explain.availability import describe_availability, newest, why
from crossdeps.resolution.explain.suggestions import suggest
from crossdeps.text import first_lines, join_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from crossdeps.resolution.model import Candidate, Dependency
    from crossdeps.resolution.repository import Project, Repository
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.target.model import Target

_LISTED = 6
_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementFailure:
    """A want, and where it came from.

    :param chain: who asked for it, from the user's line on
    """

    target: Target
    repository: Repository
    asked: RootRequirements
    want: Dependency
    chain: tuple[str, ...]

    def explain(self) -> ResolutionError | None:
        """The error, or None where something satisfies the want."""
        project = self.repository.project(self.want.name)
        if not project.page.files:
            return self._not_found(project)
        if self.repository.matching(self.want.name, self.want.specifier):
            return None
        limit = self.repository.limit(self.want.name)
        misses = [
            rejection
            for rejection in project.judged.rejections
            if rejection.version is not None
            and self.want.specifier.contains(rejection.version, prereleases=True)
            and (limit is None or limit.contains(rejection.version, prereleases=True))
        ]
        version, of_newest = newest(misses)
        if version is None:
            return self._no_such_version(project)
        described = describe_availability(of_newest, self.target)
        return NoCandidateError(
            f"nothing of {self.want.text} fits {self.target.describe()}",
            context=(
                *self.chain,
                *self._constraints(),
                f"{self.want.name} {version} {why(of_newest, self.target)}",
                *described,
                *self._fitting(project),
            ),
            hint=suggest(of_newest, self.target, self.want.name, others=bool(project.versions)),
        )

    def _not_found(self, project: Project) -> ProjectNotFoundError:
        name = self.want.name
        asked = ", ".join(project.page.asked) or "any index"
        others = sorted({item.name for item in self.asked.requirements} - {name})
        near = difflib.get_close_matches(name, others, n=1)
        empty = f"project {name!r} has no files on {asked}"
        if left_out := _left_out(project):
            return ProjectNotFoundError(
                f"none of the files of {name!r} on {asked} can be used",
                context=(*self.chain, *left_out),
                hint="tell whoever runs the index, or give another one",
            )
        return ProjectNotFoundError(
            empty if project.page.found_on else f"no project {name!r} on {asked}",
            context=self.chain,
            hint=f"check the spelling (is it {near[0]}?)"
            if near
            else "check the spelling, or add the index that has it: --extra-index-url URL",
        )

    def _no_such_version(self, project: Project) -> NoCandidateError:
        name = self.want.name
        limit = self.repository.limit(name)
        context = (*self.chain, *self._constraints(), *_left_out(project))
        fitting = [found.version for found in project.versions]
        ruled_out = [
            version
            for version in fitting
            if self.want.specifier.contains(version, prereleases=True)
            and (limit is None or limit.contains(version, prereleases=True))
        ]
        if ruled_out:
            return NoCandidateError(
                f"only pre-releases of {self.want.text} exist, and they are ruled out",
                context=(*context, f"there are {listed(ruled_out)}"),
                hint="let them in with --pre",
            )
        rejected = {
            found.version for found in project.judged.rejections if found.version is not None
        }
        if not fitting and not rejected:
            names = [found.file.filename for found in project.judged.rejections]
            return NoCandidateError(
                f"no file of {name} is named as a wheel or sdist is",
                context=(*context, *names[:_SHOWN]),
                hint="tell whoever runs the index, or give another one",
            )
        exist = (
            f"for this target there are {listed(fitting)}"
            if fitting
            else f"there are {listed(sorted(rejected, reverse=True))}, none of them for this target"
        )
        asked_for = join_words([str(each) for each in (self.want.specifier, limit) if each])
        return NoCandidateError(
            f"no version of {name} satisfies {asked_for}",
            context=(*context, exist),
            hint="ask for a version that exists",
        )

    def _constraints(self) -> tuple[str, ...]:
        return tuple(
            f"{item.origin}: {item.text} (constraint)"
            for item in self.asked.constraints.get(self.want.name, ())
        )

    def _fitting(self, project: Project) -> tuple[str, ...]:
        """Versions that do fit the target, where the want rules them out."""
        versions = [found.version for found in project.versions]
        return (f"for this target there are {listed(versions)}",) if versions else ()


def _left_out(project: Project) -> tuple[str, ...]:
    """What the index offers and can't be trusted or understood, a few of it."""
    return first_lines(project.page.warnings, _SHOWN)


def listed(versions: Sequence[Version]) -> str:
    """A few of *versions*, newest first, and how many there are."""
    texts = [str(version) for version in versions]
    if len(texts) <= _LISTED:
        return ", ".join(texts) or "none"
    return f"{', '.join(texts[:3])}, ... {texts[-1]} ({len(texts)} versions)"


def describe_wheels(candidate: Candidate, project: Project, target: Target) -> tuple[str, ...]:
    """The wheels of its version for other targets, and the versions with wheels for this one."""
    same = [found for found in project.judged.rejections if found.version == candidate.version]
    fitting = [found.version for found in project.versions if found.file.filename.endswith(".whl")]
    return (
        *(
            line.replace("it exists", "it has wheels", 1)
            for line in describe_availability(same, target)
        ),
        *((f"for this target there are wheels of {listed(fitting)}",) if fitting else ()),
    )
