"""From the pins of a search to the resolution: choices, their dependents and skipped versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.requirements.syntax import reads_unknowable
from crossdeps.resolution.model import Choice, Dependency, RequiredBy, Resolution, Unusable
from crossdeps.resolution.rejections import Mismatch, Reason, SkippedVersion
from crossdeps.resolution.reporter import describe
from crossdeps.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.requirements.model import Inputs
    from crossdeps.resolution.evaluations import Evaluation
    from crossdeps.resolution.model import Candidate, Pin
    from crossdeps.resolution.search import Attempt, Searcher
    from crossdeps.target.model import Target

_UNKNOWABLE = (
    "reads platform_release or platform_version, which are unknown for another machine and are"
    " taken as empty"
)


def build_resolution(
    inputs: Inputs, target: Target, searcher: Searcher, attempt: Attempt, *, build: bool = False
) -> Resolution:
    """The resolution: only what the roots reach, sorted by name.

    :param build: whether chosen sdists are built
    """
    builder = _ChoiceBuilder(searcher, attempt, build=build)
    choices: dict[NormalizedName, Choice] = {}
    warnings: list[str] = []
    for name in sorted(builder.extras):
        choices[name] = builder.build(name)
        warnings += builder.list_warnings(name)
    for item in (*inputs.requirements, *inputs.constraints, *inputs.overrides):
        if reads_unknowable(item.marker):
            warnings.append(f"{item.origin}: the marker of {item.text!r} {_UNKNOWABLE}")
    return Resolution(
        target=target,
        requirements=searcher.roots.requirements,
        choices=choices,
        warnings=tuple(dict.fromkeys(warnings)),
    )


class _ChoiceBuilder:
    """Builds the choices of what the roots of an attempt reach.

    :ivar extras: of every project that is reached
    """

    def __init__(self, searcher: Searcher, attempt: Attempt, *, build: bool) -> None:
        self._build = build
        self._roots = searcher.roots
        self._repository = searcher.repository
        self._preferences = searcher.preferences
        self._attempt = attempt
        self.extras: dict[NormalizedName, frozenset[NormalizedName]] = {}
        self._dependencies: dict[NormalizedName, tuple[Dependency, ...]] = {}
        self._grow(list(attempt.roots))
        self._required_by: dict[NormalizedName, list[tuple[Dependency, Pin | None]]] = {
            name: [] for name in self.extras
        }
        for root in attempt.roots:
            self._required_by[root.name].append((root, None))
        for name in sorted(self.extras):
            for dependency in self._dependencies[name]:
                self._required_by[dependency.name].append((dependency, attempt.pins[name]))
        for dependents in self._required_by.values():
            dependents.sort(key=lambda each: (each[1] is not None, each[0].text))

    def _grow(self, waiting: list[Dependency]) -> None:
        while waiting:
            dependency = waiting.pop()
            name = dependency.name
            known = self.extras.get(name)
            extras = dependency.extras | (known or frozenset())
            if known == extras:
                continue
            self.extras[name] = extras
            found = self._attempt.provider.list_dependencies(self._attempt.pins[name], extras)
            self._dependencies[name] = tuple(item for item in found if isinstance(item, Dependency))
            waiting += self._dependencies[name]

    def build(self, name: NormalizedName) -> Choice:
        """The choice of a project that the roots reach."""
        pin = self._attempt.pins[name]
        metadata = self._repository.pin_metadata(pin)
        required_by = {
            RequiredBy(
                parent=parent.name if parent else None,
                parent_version=parent.version if parent else None,
                origin=dependency.origin,
                text=dependency.text,
            )
            for dependency, parent in self._required_by[name]
        }
        candidate, built = pin.candidate, pin.built
        if candidate is not None and not candidate.is_wheel:
            built = self._attempt.provider.built(pin, candidate, build=self._build)
        return Choice(
            name=name,
            version=pin.version,
            candidate=candidate,
            source=pin.source,
            extras=self.extras[name],
            required_by=tuple(
                sorted(
                    required_by,
                    key=lambda each: (each.parent or "", str(each.origin or ""), each.text),
                )
            ),
            dependencies=tuple(sorted({item.name for item in self._dependencies[name]})),
            skipped_versions=self._find_skipped(pin) if candidate else (),
            requires_python=None
            if isinstance(metadata, Unusable)
            else metadata.requires_python or None,
            built=built,
        )

    def _find_skipped(self, pin: Pin) -> tuple[SkippedVersion, ...]:
        """Every newer version of *pin*'s project, newest first."""
        evaluation = self._repository.project(pin.name).evaluation
        found = []
        for version, row in evaluation.newer_than(pin.version):
            skipped = self._excluded(pin, version)
            if skipped is None:
                state = evaluation.state(row)
                skipped = (
                    SkippedVersion(version, state.reason, state.detail)
                    if isinstance(state, Mismatch)
                    else self._conflicting(state)
                )
            found.append(skipped)
        return tuple(found)

    def _excluded(self, pin: Pin, version: Version) -> SkippedVersion | None:
        """A reason that has nothing to do with the version's files."""
        required_by = self._required_by[pin.name]
        for dependency, parent in required_by:
            if not dependency.specifier.contains(version, prereleases=True):
                text = describe(dependency, parent) if parent else dependency.text
                return SkippedVersion(version, Reason.SPECIFIER, text)
        if not self._roots.allows(pin.name, version):
            return SkippedVersion(
                version, Reason.SPECIFIER, f"{pin.name}{self._roots.limits[pin.name]}"
            )
        if version.is_prerelease:
            allowed = self._roots.allows_pre_releases(pin.name)
            if allowed is None:
                allowed = any(dependency.specifier.prereleases for dependency, _ in required_by)
            if not allowed:
                return SkippedVersion(version, Reason.PRE_RELEASE)
        return None

    def _conflicting(self, candidate: Candidate) -> SkippedVersion:
        """The reason of a candidate that satisfies all: its metadata, a preference, a conflict."""
        problem = self._repository.known_problem(candidate)
        if problem is not None:
            return SkippedVersion(candidate.version, problem.reason, problem.detail)
        conflict = self._attempt.provider.describe_conflict(candidate.name, candidate.version)
        kept = self._attempt.pins[candidate.name].version
        if not conflict and kept == self._preferences.get(candidate.name):
            return SkippedVersion(candidate.version, Reason.KEPT, str(kept))
        return SkippedVersion(candidate.version, Reason.BACKTRACKED, conflict)

    def list_warnings(self, name: NormalizedName) -> Iterator[str]:
        """What the user should know of a choice."""
        pin = self._attempt.pins[name]
        metadata = self._repository.pin_metadata(pin)
        if isinstance(metadata, Unusable):
            return
        title = f"{name} {pin.version}"
        for extra in sorted(self.extras[name].difference(metadata.extras)):
            yield f"{title} has no extra {extra!r}"
        for text in metadata.unknowable:
            yield f"the marker of {text!r}, which {title} requires, {_UNKNOWABLE}"
        if pin.candidate is None:
            return
        file = pin.candidate.file
        if file.yanked is not None:
            yield f"{title} {Reason.YANKED.describe(file.yanked)}"
        if self._roots.policy.exclude_newer is not None:
            yield from _warn_of_untimed(name, self._repository.project(name).evaluation)
        if not file.hashes:
            yield f"the index states no hash for {file.filename}"


def _warn_of_untimed(name: str, evaluation: Evaluation) -> Iterator[str]:
    count = evaluation.table.untimed
    if count:
        files = plural(count, "file")
        yield f"ignored {files} of {name} without an upload time, which --exclude-newer requires"
