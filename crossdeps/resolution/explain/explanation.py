"""Why there is no answer: who wants what, told shortly, and the smallest change that would help.

A search that fails ends with the oldest versions, which nobody means, and may have dragged in much
that has nothing to do with it. So it is repeated with the fewest of the user's lines that fail
together, and told by the first contradiction that it meets, which is about the newest versions.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import ConflictError, NoCandidateError, ResolutionError, SearchLimitError
from crossdeps.progress import Progress
from crossdeps.resolution.explain.failures import RequirementFailure
from crossdeps.resolution.model import Dependency, Unusable
from crossdeps.resolution.reporter import describe
from crossdeps.text import join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.resolution.reporter import Information
    from crossdeps.resolution.search import Attempt, Searcher
    from crossdeps.target.model import Target

_KNOT = 3
_LINES = 6
# Repeated searches are about a few lines, whose pages and metadata are mostly at hand.
_ROUNDS = 2_000
_VERSIONS_TO_BLAME = 300
_VERSIONS_TO_HELP = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A search without an answer."""

    target: Target
    searcher: Searcher
    attempt: Attempt

    def again(self, roots: Sequence[Dependency], max_versions: int) -> Attempt:
        """Search for fewer or looser *roots*."""
        return self.searcher.attempt(
            roots, progress=Progress(), max_rounds=_ROUNDS, max_versions=max_versions
        )


def explain(failure: Failure) -> ResolutionError:
    """The error for a search that found no answer."""
    if failure.attempt.end == "too-deep":
        return _explain_limit(failure)
    failure = dataclasses.replace(failure, attempt=_fewest(failure))
    attempt = failure.attempt
    causes = attempt.search_log.first_conflict or attempt.causes
    for cause in causes:
        if isinstance(cause.requirement, Dependency):
            shortage = RequirementFailure(
                target=failure.target,
                repository=failure.searcher.repository,
                asked=failure.searcher.asked,
                want=cause.requirement,
                chain=(
                    *attempt.search_log.chain(cause.requirement, cause.parent),
                    *_tried(attempt, [cause.parent.name] if cause.parent else []),
                ),
            )
            known = cause.requirement.name in failure.searcher.sources
            error = None if known else shortage.explain()
            if error is not None:
                return error
    for cause in causes:
        if isinstance(cause.requirement, Unusable):
            return _explain_impossible(failure, cause.requirement)
    return _explain_conflict(failure, causes)


def _fewest(failure: Failure) -> Attempt:
    """The search with the fewest of the user's lines that still have no answer together."""
    attempt = failure.attempt
    blamed = _blamed(attempt, (*attempt.causes, *attempt.search_log.first_conflict))
    if len(blamed) < len(attempt.roots):
        smaller = failure.again(blamed, _VERSIONS_TO_BLAME)
        if smaller.end not in ("impossible", "circle"):
            return attempt
        attempt = smaller
    for root in attempt.roots:
        if len(attempt.roots) == 1:
            break
        others = [other for other in attempt.roots if other is not root]
        smaller = failure.again(others, _VERSIONS_TO_BLAME)
        if smaller.end in ("impossible", "circle"):
            attempt = smaller
    return attempt


def _blamed(attempt: Attempt, causes: Iterable[Information]) -> list[Dependency]:
    """The roots that lead to *causes*, and every root on a project that one of them is about."""
    names: set[str] = set()
    for cause in causes:
        names.add(cause.requirement.name)
        parent = cause.parent
        while parent is not None and parent.name not in names:
            names.add(parent.name)
            parent = attempt.search_log.required_by[parent.name][1]
    return [root for root in attempt.roots if root.name in names]


def _explain_impossible(failure: Failure, impossible: Unusable) -> NoCandidateError:
    dependent = failure.attempt.search_log.required_by[impossible.name]
    lines = failure.attempt.search_log.chain(*dependent)
    title = f"{impossible.name} {impossible.version}"
    if impossible.reason == "requires-python":
        return NoCandidateError(
            f"{title} wants Python {impossible.detail}, and the target has {failure.target.python}",
            context=(*lines, *_tried(failure.attempt, [impossible.name])),
            hint="choose another Python with --python, or ask for another version",
        )
    return NoCandidateError(
        f"{title} can't be used: {impossible.detail}",
        context=(*lines, *_tried(failure.attempt, [impossible.name])),
        hint=f"ask for another version of {impossible.name}",
    )


def _explain_conflict(failure: Failure, causes: Sequence[Information]) -> ConflictError:
    attempt = failure.attempt
    chains = {
        attempt.search_log.chain(cause.requirement, cause.parent)
        for cause in causes
        if isinstance(cause.requirement, Dependency)
    }
    names = list(dict.fromkeys(cause.requirement.name for cause in causes))
    lines = [line for each in sorted(chains) for line in each]
    asked = failure.searcher.asked
    for name in names:
        lines += [f"{item.origin}: {item.text}" for item in asked.sources if item.name == name]
        lines += [
            f"{item.origin}: {item.text} (constraint)"
            for item in asked.constraints.get(canonicalize_name(name), ())
        ]
    parents = [cause.parent.name for cause in causes if cause.parent is not None]
    what = "what is asked of" if len(names) == 1 else "what is asked of each of"
    return ConflictError(
        f"{what} {join_words(sorted(names)) or 'the requirements'} can't hold together",
        context=(*dict.fromkeys(lines), *_tried(attempt, sorted({*parents}))),
        hint=_smallest_change(failure),
    )


def _tried(attempt: Attempt, names: Iterable[str]) -> tuple[str, ...]:
    """That other versions don't help either, for those that had a choice."""
    return tuple(
        f"other versions of {name} don't help: {count - 1} more were tried"
        for name in names
        if (count := len(attempt.search_log.tried.get(name, ()))) > 1
    )


def _smallest_change(failure: Failure) -> str:
    """One line that, without its limit, would make room."""
    roots = failure.attempt.roots
    helps: list[str] = []
    for root in roots:
        if not root.specifier or root.name in failure.searcher.sources:
            continue
        looser = dataclasses.replace(
            root, specifier=SpecifierSet(), pinned=False, bounded=False, text=root.name
        )
        changed = [looser if other is root else other for other in roots]
        attempt = failure.again(changed, _VERSIONS_TO_HELP)
        if attempt.end == "answer":
            helps.append(f"{root.name} {attempt.pins[root.name].version} ({root.origin})")
    if helps:
        return f"this would do: {join_words(helps, 'or')}"
    if len(roots) > 1:
        texts = join_words(sorted({root.text for root in roots}))
        return f"{texts} can't be had together: leave one out"
    return "ask for another version, or leave it out"


def _explain_limit(failure: Failure) -> SearchLimitError:
    """Name what the search kept coming back to."""
    attempt = failure.attempt
    knot = [name for name, _ in attempt.search_log.conflicts.most_common(_KNOT)]
    lines = [
        line
        for name in knot
        for line in sorted(
            {describe(cause) for cause in attempt.search_log.first_conflicts.get(name, ())}
        )
    ]
    return SearchLimitError(
        f"no answer after {failure.searcher.asked.policy.max_rounds} steps:"
        f" the search keeps coming back to {join_words(knot) or 'the requirements'}",
        context=tuple(dict.fromkeys(lines))[:_LINES],
        hint=f"pin one of them in the requirements or in a constraints file, such as {knot[0]}==..."
        if knot
        else None,
    )
