"""Why there is no answer: an error that says what was wanted, what exists, and what would help."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.errors import (
    ConflictError,
    NoCandidateError,
    ProjectNotFoundError,
    ResolutionError,
    SearchLimitError,
)
from crossdeps.resolution.passed_over import nearest
from crossdeps.resolution.provider import describe
from crossdeps.resolution.supply import describe_supply, hint_for, newest, why
from crossdeps.resolution.wants import Impossible, Want

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from crossdeps.resolution.asked import Asked
    from crossdeps.resolution.catalogue import Catalogue, Project
    from crossdeps.resolution.provider import Information, Trail
    from crossdeps.resolution.wants import Pin
    from crossdeps.target import Target

_KNOT = 3
_LINES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What an explanation looks at."""

    target: Target
    asked: Asked
    catalogue: Catalogue
    trail: Trail
    sources: Mapping[NormalizedName, Pin]


def explain(failure: Failure, causes: Sequence[Information]) -> ResolutionError:
    """The error for a search that found that there is no answer."""
    causes = _telling(failure, causes)
    for cause in causes:
        if isinstance(cause.requirement, Want):
            error = _explain_one(failure, cause.requirement, cause.parent)
            if error is not None:
                return error
    for cause in causes:
        if isinstance(cause.requirement, Impossible):
            return _explain_impossible(failure, cause.requirement)
    return _explain_conflict(failure, causes)


def explain_limit(failure: Failure, rounds: int) -> SearchLimitError:
    """The error for a search that passed its bound, naming what it kept coming back to."""
    knot = [name for name, _ in failure.trail.conflicts.most_common(_KNOT)]
    context = [
        line
        for name in knot
        for line in sorted(
            {describe(cause) for cause in failure.trail.first_conflicts.get(name, ())}
        )
    ]
    return SearchLimitError(
        f"no answer after {rounds} steps: {_list(knot)} keep getting in each other's way",
        context=tuple(dict.fromkeys(context[:_LINES])),
        hint=f"pin one of them in the requirements or in a constraints file, such as {knot[0]}==..."
        if knot
        else None,
    )


def _telling(failure: Failure, causes: Sequence[Information]) -> Sequence[Information]:
    """The conflict to tell of: the first that the search met with the projects of the last one.

    The last one is about the oldest versions, which nobody means; the first is about the newest.
    """
    for cause in causes:
        if (
            isinstance(cause.requirement, Want)
            and not _project(failure, cause.requirement).versions
        ):
            return [cause]
    for cause in causes:
        name = cause.requirement.name
        if isinstance(cause.requirement, Want) and name in failure.trail.first_conflicts:
            return failure.trail.first_conflicts[name]
    return causes


def _project(failure: Failure, want: Want) -> Project:
    return failure.catalogue.project(want.name)


def _explain_one(failure: Failure, want: Want, parent: Pin | None) -> ResolutionError | None:
    """The error where a want can't be had whatever else is asked, else None."""
    if want.name in failure.sources:
        return None
    project = failure.catalogue.project(want.name)
    chain = _chain(failure, want, parent)
    if not project.page.files:
        return _not_found(failure, want, chain, project)
    if failure.catalogue.matching(want.name, want.specifier):
        return None
    everything = [*project.judged.rejections]
    asked_for = [
        rejection
        for rejection in everything
        if rejection.version is not None
        and want.specifier.contains(rejection.version, prereleases=True)
    ]
    if not asked_for:
        return _no_such_version(failure, want, chain, project)
    version, misses = newest(asked_for)
    miss = nearest(misses)
    has = describe_supply(misses, failure.target)
    return NoCandidateError(
        f"nothing of {want.text} fits {failure.target.describe()}",
        context=(
            *chain,
            f"{want.name} {version} {why(miss, failure.target)}",
            *(f"{want.name} {version} has {line}" for line in has),
            *_fitting(failure, want, project),
        ),
        hint=hint_for(misses, failure.target, want.name),
    )


def _not_found(
    failure: Failure, want: Want, chain: tuple[str, ...], project: Project
) -> ProjectNotFoundError:
    asked = ", ".join(project.page.asked) or "any index"
    known = sorted({item.name for item in failure.asked.requirements} - {want.name})
    near = difflib.get_close_matches(want.name, known, n=1)
    return ProjectNotFoundError(
        f"no project {want.name!r} on {asked}"
        if not project.page.found_on
        else f"project {want.name!r} has no files on {asked}",
        context=chain,
        hint=f"check the spelling (did you mean {near[0]}?)"
        if near
        else "check the spelling, or add the index that has it: --extra-index-url URL",
    )


def _no_such_version(
    failure: Failure, want: Want, chain: tuple[str, ...], project: Project
) -> NoCandidateError:
    limit = failure.catalogue.limit(want.name)
    versions = sorted({found.version for found in project.versions}, reverse=True)
    others = sorted(
        {found.version for found in project.judged.rejections if found.version is not None},
        reverse=True,
    )
    fits = _versions([str(version) for version in versions])
    context = [*chain]
    if limit is not None and failure.catalogue.matching(want.name, want.specifier) == ():
        context += [
            f"{item.origin}: {item.text} (constraint)"
            for item in failure.asked.constraints.get(want.name, ())
        ]
    pre = [version for version in versions if want.specifier.contains(version, prereleases=True)]
    if limit is None and pre:
        return NoCandidateError(
            f"only pre-releases of {want.text} exist, and they are ruled out",
            context=(*context, f"there are {_versions([str(version) for version in pre])}"),
            hint="let them in with --pre",
        )
    context.append(
        f"for this target there are {fits}"
        if versions
        else f"there are {_versions([str(version) for version in others])}"
    )
    return NoCandidateError(
        f"no version of {want.name} satisfies {_text(want.specifier, limit)}",
        context=tuple(context),
        hint="ask for one of the versions that exist",
    )


def _explain_impossible(failure: Failure, impossible: Impossible) -> NoCandidateError:
    asker = failure.trail.askers.get(impossible.name)
    chain = _chain(failure, *asker) if asker else ()
    if impossible.reason == "requires-python":
        text = f"{impossible.name} {impossible.version} wants Python {impossible.detail}"
        return NoCandidateError(
            f"{text}, and the target has {failure.target.python}",
            context=chain,
            hint="choose another Python with --python, or ask for another version",
        )
    return NoCandidateError(
        f"{impossible.name} {impossible.version} can't be used",
        context=(*chain, impossible.detail),
        hint=f"ask for another version of {impossible.name}",
    )


def _explain_conflict(failure: Failure, causes: Sequence[Information]) -> ConflictError:
    names = list(dict.fromkeys(cause.requirement.name for cause in causes))
    lines: list[str] = []
    for cause in causes:
        if isinstance(cause.requirement, Want):
            lines += _chain(failure, cause.requirement, cause.parent)
    for name in names:
        lines += [
            f"{item.origin}: {item.text} (constraint)"
            for item in failure.asked.constraints.get(canonicalize_name(name), ())
        ]
    return ConflictError(
        f"what is asked of {_list(names)} can't hold together",
        context=tuple(dict.fromkeys(lines)),
        hint="loosen one of these requirements",
    )


def _chain(failure: Failure, want: Want, parent: Pin | None) -> tuple[str, ...]:
    """Who asked for it, from the user's line down to the want itself."""
    lines: list[str] = []
    seen: set[str] = set()
    while parent is not None and parent.name not in seen:
        lines.append(f"{parent.name} {parent.version} wants {want.text}")
        seen.add(parent.name)
        asker = failure.trail.askers.get(parent.name)
        if asker is None:
            return tuple(reversed(lines))
        want, parent = asker
    if parent is None:
        lines.append(f"{want.origin}: {want.text}")
    return tuple(reversed(lines))


def _fitting(failure: Failure, want: Want, project: Project) -> tuple[str, ...]:
    """Versions that do fit the target, where the want rules them out."""
    versions = [str(found.version) for found in project.versions]
    del failure, want
    return (f"for this target there are {_versions(versions)}",) if versions else ()


def _versions(versions: Sequence[str]) -> str:
    if len(versions) <= _LINES:
        return ", ".join(versions) or "none"
    return f"{', '.join(versions[:3])}, ... {versions[-1]} ({len(versions)} versions)"


def _text(specifier: SpecifierSet, limit: SpecifierSet | None) -> str:
    texts = [str(each) for each in (specifier, limit) if each]
    return " and ".join(texts) or "what is asked for"


def _list(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names) or "some projects"
    return f"{', '.join(names[:-1])} and {names[-1]}"
