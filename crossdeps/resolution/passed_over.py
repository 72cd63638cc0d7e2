"""Newer versions than the chosen one, and the first reason why each wasn't taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.resolution.model import PassedOver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from packaging.version import Version

    from crossdeps.resolution.catalogue import Catalogue
    from crossdeps.resolution.model import Candidate, Rejection, RejectionReason
    from crossdeps.resolution.wants import Pin, Want

    Against = Callable[[str, Version], str]

# Of a version's files the one that came nearest says why the version fell: first in this list.
_NEAREST: tuple[RejectionReason, ...] = (
    "yanked",
    "hash",
    "too-new",
    "no-upload-time",
    "requires-python",
    "glibc",
    "platform-tag",
    "abi-tag",
    "python-tag",
    "sdist",
    "bad-filename",
    "other-project",
    "not-a-distribution",
)
_FORCED_BY_TARGET = frozenset(("requires-python", "glibc", "platform-tag", "abi-tag", "python-tag"))


def nearest(rejections: Iterable[Rejection]) -> Rejection:
    """The rejection of the file that came nearest to fitting; glibc by the lowest it needs."""
    return min(rejections, key=lambda found: (_NEAREST.index(found.reason), _glibc(found)))


def _glibc(rejection: Rejection) -> tuple[int, ...]:
    if rejection.reason != "glibc":
        return ()
    return tuple(int(part) for part in rejection.detail.split("."))


def passed_over(
    pin: Pin,
    askers: Sequence[tuple[Want, Pin | None]],
    catalogue: Catalogue,
    against: Against,
) -> tuple[PassedOver, ...]:
    """Every newer version of *pin*'s project, newest first.

    :param against: what else was asked of a project that a version needed
    """
    project = catalogue.project(pin.name)
    found: dict[Version, PassedOver] = {}
    for candidate in project.versions:
        if candidate.version <= pin.version:
            break
        version = candidate.version
        found[version] = _unasked(version, askers, catalogue, pin) or _unusable(
            candidate, catalogue, against
        )
    rejected: dict[Version, list[Rejection]] = {}
    for rejection in project.judged.rejections.above(pin.version):
        if rejection.version is None or rejection.version in found:
            continue
        if rejection.reason in _NEAREST:
            rejected.setdefault(rejection.version, []).append(rejection)
    for version, rejections in rejected.items():
        why = nearest(rejections)
        found[version] = _unasked(version, askers, catalogue, pin) or PassedOver(
            version=version,
            reason=why.reason,
            detail=why.detail,
            forced_by_target=why.reason in _FORCED_BY_TARGET,
        )
    return tuple(found[version] for version in sorted(found, reverse=True))


def _unasked(
    version: Version,
    askers: Sequence[tuple[Want, Pin | None]],
    catalogue: Catalogue,
    pin: Pin,
) -> PassedOver | None:
    """A reason that has nothing to do with the version's files."""
    for want, parent in sorted(askers, key=lambda asker: (asker[1] is not None, asker[0].text)):
        if not want.specifier.contains(version, prereleases=True):
            who = f"{parent.name} {parent.version} wants " if parent else ""
            return _plain(version, "specifier", f"{who}{want.text}")
    limit = catalogue.limit(pin.name)
    if limit is not None and not limit.contains(version, prereleases=True):
        return _plain(version, "specifier", f"{pin.name}{limit}")
    if version.is_prerelease and not catalogue.admits_pre_releases(
        pin.name, [want.specifier for want, _ in askers]
    ):
        return _plain(version, "pre-release", "")
    return None


def _unusable(candidate: Candidate, catalogue: Catalogue, against: Against) -> PassedOver:
    """It fits and was asked for: its metadata or the other projects stood against it."""
    problem = catalogue.known_problem(candidate)
    if problem is not None:
        return PassedOver(
            version=candidate.version,
            reason=problem.reason,
            detail=problem.detail,
            forced_by_target=problem.reason == "requires-python",
        )
    stood = against(candidate.name, candidate.version)
    return _plain(candidate.version, "backtracked", stood)


def _plain(version: Version, reason: RejectionReason, detail: str) -> PassedOver:
    return PassedOver(version=version, reason=reason, detail=detail, forced_by_target=False)
