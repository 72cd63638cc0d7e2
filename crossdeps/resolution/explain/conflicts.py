"""Explains a search without a solution: the conflicting requirements, and the smallest change.

A failed search ends with the oldest versions, which nobody means, and may involve projects that
have nothing to do with the failure. So it is repeated with the fewest of the user's requirements
that still fail together, and explained by its first conflict, which is between the newest versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import (
    ConflictError,
    HashMismatchError,
    NoCandidateError,
    ResolutionError,
    SearchLimitError,
)
from crossdeps.progress import Progress
from crossdeps.resolution.explain.failures import RequirementFailure
from crossdeps.resolution.model import Dependency, Unusable
from crossdeps.resolution.rejections import Reason
from crossdeps.resolution.reporter import describe
from crossdeps.resolution.root_requirements import describe_line
from crossdeps.text import join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.resolution.reporter import Information
    from crossdeps.resolution.search import Attempt, Searcher
    from crossdeps.target.model import Target

_MAX_PROJECTS = 3
_MAX_LINES = 6
# Repeated searches are about a few requirements, whose pages and metadata are mostly in memory.
_MAX_ROUNDS = 2_000
_VERSIONS_TO_REDUCE = 300
_VERSIONS_TO_RELAX = 50


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A search without a solution."""

    target: Target
    searcher: Searcher
    attempt: Attempt

    def repeat(self, roots: Sequence[Dependency], max_versions: int) -> Attempt:
        """Search with fewer or looser *roots*."""
        return self.searcher.search(
            roots, progress=Progress(), max_rounds=_MAX_ROUNDS, max_versions=max_versions
        )


def explain(failure: Failure) -> ResolutionError | HashMismatchError:
    """The error for a search without a solution."""
    if failure.attempt.status == "limit":
        return _explain_limit(failure)
    failure = msgspec.structs.replace(failure, attempt=_reduce(failure))
    attempt, searcher = failure.attempt, failure.searcher
    causes = attempt.search_log.first_conflict or attempt.causes
    for requirement, parent in causes:
        if isinstance(requirement, Dependency) and requirement.name not in searcher.sources:
            error = RequirementFailure(
                target=failure.target,
                repository=searcher.repository,
                roots=searcher.roots,
                dependency=requirement,
                chain=(
                    *attempt.search_log.chain(requirement, parent),
                    *_list_tried(attempt, [parent.name] if parent else []),
                ),
            ).explain()
            if error is not None:
                return error
    for requirement, _ in causes:
        if isinstance(requirement, Unusable):
            return _explain_unusable(failure, requirement)
    return _explain_conflict(failure, causes)


def _reduce(failure: Failure) -> Attempt:
    """A search with the fewest of the user's requirements that still fail together."""
    attempt = failure.attempt
    involved = _find_involved(attempt, (*attempt.causes, *attempt.search_log.first_conflict))
    if len(involved) < len(attempt.roots):
        smaller = failure.repeat(involved, _VERSIONS_TO_REDUCE)
        if smaller.status not in ("impossible", "cycle"):
            return attempt
        attempt = smaller
    for root in attempt.roots:
        if len(attempt.roots) == 1:
            break
        others = [other for other in attempt.roots if other is not root]
        smaller = failure.repeat(others, _VERSIONS_TO_REDUCE)
        if smaller.status in ("impossible", "cycle"):
            attempt = smaller
    return attempt


def _find_involved(attempt: Attempt, causes: Iterable[Information]) -> list[Dependency]:
    """The roots that lead to *causes*, and every root on a project that one of them is about."""
    names: set[str] = set()
    for requirement, cause_parent in causes:
        names.add(requirement.name)
        parent = cause_parent
        while parent is not None and parent.name not in names:
            names.add(parent.name)
            parent = attempt.search_log.required_by[parent.name][1]
    return [root for root in attempt.roots if root.name in names]


def _explain_unusable(failure: Failure, unusable: Unusable) -> NoCandidateError:
    name, reason = unusable.name, unusable.reason
    search_log = failure.attempt.search_log
    context = (
        *search_log.chain(*search_log.required_by[name]),
        *_list_tried(failure.attempt, [name]),
    )
    problem = f"{name} {unusable.version} {reason.describe(unusable.detail)}"
    if reason is Reason.REQUIRES_PYTHON:
        return NoCandidateError(
            f"{problem}, and the target has {failure.target.python}",
            context=context,
            hint="choose another Python with --python, or another version",
        )
    return NoCandidateError(problem, context=context, hint=f"choose another version of {name}")


def _explain_conflict(failure: Failure, causes: Sequence[Information]) -> ConflictError:
    attempt, roots = failure.attempt, failure.searcher.roots
    chains = {
        attempt.search_log.chain(requirement, parent)
        for requirement, parent in causes
        if isinstance(requirement, Dependency)
    }
    names = list(dict.fromkeys(requirement.name for requirement, _ in causes))
    lines = [line for chain in sorted(chains) for line in chain]
    for name in names:
        lines += [describe_line(item) for item in roots.sources if item.name == name]
        lines += roots.describe_constraints(canonicalize_name(name))
    parents = {parent.name for _, parent in causes if parent is not None}
    subject = f" on {join_words(sorted(names))}" if names else ""
    return ConflictError(
        f"the requirements{subject} conflict",
        context=(*dict.fromkeys(lines), *_list_tried(attempt, sorted(parents))),
        hint=_suggest_change(failure),
    )


def _list_tried(attempt: Attempt, names: Iterable[str]) -> tuple[str, ...]:
    """That other versions don't help either, for projects that have some."""
    return tuple(
        f"no other version of {name} helps: {count - 1} more were tried"
        for name in names
        if (count := len(attempt.search_log.tried.get(name, ()))) > 1
    )


def _suggest_change(failure: Failure) -> str:
    """A root that, without its version specifier, leads to a solution."""
    roots = failure.attempt.roots
    solutions: list[str] = []
    for root in roots:
        if not root.specifier or root.name in failure.searcher.sources:
            continue
        relaxed = msgspec.structs.replace(
            root, specifier=SpecifierSet(), pinned=False, bounded=False, text=root.name
        )
        changed = [relaxed if other is root else other for other in roots]
        attempt = failure.repeat(changed, _VERSIONS_TO_RELAX)
        if attempt.status == "solved":
            solutions.append(f"{root.name} {attempt.pins[root.name].version} ({root.origin})")
    if solutions:
        return f"this would resolve it: {join_words(solutions, 'or')}"
    if len(roots) > 1:
        texts = join_words(sorted({root.text for root in roots}))
        return f"{texts} are incompatible: remove one of them"
    return "choose another version, or remove the requirement"


def _explain_limit(failure: Failure) -> SearchLimitError:
    """Name the projects of the most conflicts."""
    search_log = failure.attempt.search_log
    names = [name for name, _ in search_log.conflicts.most_common(_MAX_PROJECTS)]
    lines = [
        line
        for name in names
        for line in sorted({describe(*cause) for cause in search_log.first_conflicts.get(name, ())})
    ]
    return SearchLimitError(
        f"no solution after {failure.searcher.roots.policy.max_rounds} steps:"
        f" most conflicts are about {join_words(names) or 'the requirements'}",
        context=tuple(dict.fromkeys(lines))[:_MAX_LINES],
        hint=f"pin one of them in the requirements or in a constraints file, such as"
        f" {names[0]}==..."
        if names
        else None,
    )
