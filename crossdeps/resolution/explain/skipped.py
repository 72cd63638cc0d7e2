"""Why a version wasn't taken, as part of a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.resolution.model import SkippedVersion
from crossdeps.target.runtimes import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from packaging.version import Version

    from crossdeps.resolution.model import Candidate, Dependency, Pin, Rejection, RejectionReason
    from crossdeps.resolution.repository import Repository

    Against = Callable[[str, Version], str]


def describe_reason(item: SkippedVersion) -> str:
    """What stood against a version that was passed over, in words.

    :returns: such as ``its wheels need glibc 2.28; python3.12 and later have it``
    """
    if item.reason == "glibc":
        return f"its wheels need glibc {item.detail}{_runtimes_with(item.detail)}"
    words = _WORDS.get(item.reason, f"{item.reason} {{}}").format(item.detail)
    return words.removesuffix(" ()").removesuffix(": ").rstrip()


_WORDS = {
    "requires-python": "it requires Python {}",
    "sdist": "it has no wheels, only a source distribution",
    "python-tag": "its wheels are for other Pythons ({})",
    "abi-tag": "its wheels are for other Pythons ({})",
    "platform-tag": "its wheels are for other platforms ({})",
    "yanked": "it was yanked: {}",
    "hash": "its files have none of the hashes allowed",
    "too-new": "it was uploaded too late ({})",
    "no-upload-time": "the index doesn't say when it was uploaded",
    "pre-release": "it is a pre-release",
    "specifier": "{}",
    "metadata": "its metadata can't be used: {}",
    "backtracked": "it doesn't go with {}",
    "bad-filename": "its files have no valid name ({})",
    "other-project": "its files are of another project ({})",
    "not-a-distribution": "it has no wheels ({})",
}


def _runtimes_with(glibc: str) -> str:
    try:
        major, minor = (int(part) for part in glibc.split("."))
    except ValueError:
        return ""
    fitting = [r.name for r in RUNTIMES.values() if r.libc.version >= (major, minor)]
    return f"; {fitting[0]} and later have it" if fitting else "; no Lambda runtime has it"


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


def skipped_versions(
    pin: Pin,
    required_by: Sequence[tuple[Dependency, Pin | None]],
    repository: Repository,
    against: Against,
) -> tuple[SkippedVersion, ...]:
    """Every newer version of *pin*'s project, newest first.

    :param against: what else was asked of a project that a version needed
    """
    project = repository.project(pin.name)
    found: dict[Version, SkippedVersion] = {}
    for candidate in project.versions:
        if candidate.version <= pin.version:
            break
        version = candidate.version
        found[version] = _unasked(version, required_by, repository, pin) or _unusable(
            candidate, repository, against
        )
    rejected: dict[Version, list[Rejection]] = {}
    for rejection in project.judged.rejections.above(pin.version):
        if rejection.version is None or rejection.version in found:
            continue
        if rejection.reason in _NEAREST:
            rejected.setdefault(rejection.version, []).append(rejection)
    for version, rejections in rejected.items():
        why = nearest(rejections)
        found[version] = _unasked(version, required_by, repository, pin) or SkippedVersion(
            version=version,
            reason=why.reason,
            detail=why.detail,
            forced_by_target=why.reason in _FORCED_BY_TARGET,
        )
    return tuple(found[version] for version in sorted(found, reverse=True))


def _unasked(
    version: Version,
    required_by: Sequence[tuple[Dependency, Pin | None]],
    repository: Repository,
    pin: Pin,
) -> SkippedVersion | None:
    """A reason that has nothing to do with the version's files."""
    for want, parent in sorted(
        required_by, key=lambda dependent: (dependent[1] is not None, dependent[0].text)
    ):
        if not want.specifier.contains(version, prereleases=True):
            who = f"{parent.name} {parent.version} wants " if parent else ""
            return _plain(version, "specifier", f"{who}{want.text}")
    limit = repository.limit(pin.name)
    if limit is not None and not limit.contains(version, prereleases=True):
        return _plain(version, "specifier", f"{pin.name}{limit}")
    if version.is_prerelease and not repository.admits_pre_releases(
        pin.name, [want.specifier for want, _ in required_by]
    ):
        return _plain(version, "pre-release", "")
    return None


def _unusable(candidate: Candidate, repository: Repository, against: Against) -> SkippedVersion:
    """It fits and was asked for: its metadata or the other projects stood against it."""
    problem = repository.known_problem(candidate)
    if problem is not None:
        return SkippedVersion(
            version=candidate.version,
            reason=problem.reason,
            detail=problem.detail,
            forced_by_target=problem.reason == "requires-python",
        )
    stood = against(candidate.name, candidate.version)
    return _plain(candidate.version, "backtracked", stood)


def _plain(version: Version, reason: RejectionReason, detail: str) -> SkippedVersion:
    return SkippedVersion(version=version, reason=reason, detail=detail, forced_by_target=False)
