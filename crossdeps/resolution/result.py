"""Pins that the search ended with -> choices, with who asked and what was passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.requirements.syntax import reads_unknowable
from crossdeps.resolution.explain.skipped import skipped_versions
from crossdeps.resolution.model import Choice, Dependency, RequiredBy, Resolution, Unusable
from crossdeps.text import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.requirements.model import Inputs
    from crossdeps.resolution.model import Pin
    from crossdeps.resolution.provider import Provider
    from crossdeps.resolution.repository import Repository
    from crossdeps.resolution.root_requirements import RootRequirements
    from crossdeps.resolution.search import Attempt
    from crossdeps.target.model import Target


class _Tree:
    """What the roots reach through the final pins, and who asked for it."""

    def __init__(
        self, roots: Sequence[Dependency], pins: Mapping[str, Pin], provider: Provider
    ) -> None:
        self._pins = pins
        self._provider = provider
        self.extras: dict[NormalizedName, frozenset[NormalizedName]] = {}
        self.wants: dict[NormalizedName, tuple[Dependency, ...]] = {}
        self._grow([want for want in roots if want.name in pins])
        self.required_by: dict[NormalizedName, list[tuple[Dependency, Pin | None]]] = {
            name: [] for name in self.extras
        }
        for want in roots:
            if want.name in pins:
                self.required_by[want.name].append((want, None))
        for name in sorted(self.extras):
            for want in self.wants[name]:
                self.required_by[want.name].append((want, pins[name]))

    def _grow(self, waiting: list[Dependency]) -> None:
        while waiting:
            want = waiting.pop()
            known = self.extras.get(want.name)
            extras = want.extras | (known or frozenset())
            if known == extras:
                continue
            self.extras[want.name] = extras
            wanted = self._provider.list_dependencies(self._pins[want.name], extras)
            self.wants[want.name] = tuple(item for item in wanted if isinstance(item, Dependency))
            waiting += self.wants[want.name]


def make_resolution(
    *,
    inputs: Inputs,
    target: Target,
    asked: RootRequirements,
    attempt: Attempt,
    repository: Repository,
) -> Resolution:
    """The answer in full: only what the roots reach, sorted by name."""
    pins, provider = attempt.pins, attempt.provider
    tree = _Tree(attempt.roots, pins, provider)
    choices: dict[NormalizedName, Choice] = {}
    warnings: list[str] = []
    for name in sorted(tree.extras):
        pin = pins[name]
        choices[name] = _choice(name, pin, tree, repository, provider)
        warnings += _warnings_of(pin, tree.extras[name], asked, repository)
    for item in (*inputs.requirements, *inputs.constraints, *inputs.overrides):
        if reads_unknowable(item.marker):
            warnings.append(
                f"{item.origin}: the marker of {item.text!r} reads platform_release or"
                " platform_version, which can't be known of another machine and count as empty"
            )
    return Resolution(
        target=target,
        requirements=asked.requirements,
        choices=choices,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _choice(
    name: NormalizedName, pin: Pin, tree: _Tree, repository: Repository, provider: Provider
) -> Choice:
    metadata = repository.candidate_metadata(pin)
    required_by = {
        RequiredBy(
            parent=parent.name if parent else None,
            parent_version=parent.version if parent else None,
            origin=want.origin,
            text=want.text,
        )
        for want, parent in tree.required_by[name]
    }
    candidate = pin.candidate
    built = pin.built
    if candidate is not None and not candidate.file.filename.endswith(".whl"):
        built = repository.built(candidate)
    return Choice(
        name=name,
        version=pin.version,
        candidate=candidate,
        source=pin.source,
        extras=tree.extras[name],
        required_by=tuple(sorted(required_by, key=_asker_order)),
        dependencies=tuple(sorted({want.name for want in tree.wants[name]})),
        skipped_versions=skipped_versions(
            pin, tree.required_by[name], repository, provider.what_stood_against
        )
        if candidate
        else (),
        rejections=repository.project(name).judged.rejections if candidate else (),
        requires_python=None if isinstance(metadata, Unusable) else metadata.requires_python,
        built=built,
    )


def _asker_order(dependent: RequiredBy) -> tuple[str, str, str]:
    return (dependent.parent or "", str(dependent.origin or ""), dependent.text)


def _warnings_of(
    pin: Pin, extras: frozenset[NormalizedName], asked: RootRequirements, repository: Repository
) -> list[str]:
    warnings: list[str] = []
    metadata = repository.candidate_metadata(pin)
    if isinstance(metadata, Unusable):
        return warnings
    title = f"{pin.name} {pin.version}"
    warnings += [f"{title} has no extra {extra!r}" for extra in sorted(extras - metadata.extras)]
    warnings += [
        f"the marker of {str(item)!r}, which {title} wants, reads platform_release or"
        " platform_version, which can't be known of another machine and count as empty"
        for item in metadata.requires
        if reads_unknowable(item.marker)
    ]
    if pin.candidate is not None:
        file = pin.candidate.file
        if file.yanked is not None:
            reason = f": {file.yanked}" if file.yanked else ""
            warnings.append(f"{title} was yanked from the index{reason}")
        if asked.policy.exclude_newer is not None:
            untimed = sum(
                rejection.reason == "no-upload-time"
                for rejection in repository.project(pin.name).judged.rejections
            )
            if untimed:
                were = "it was" if untimed == 1 else "they were"
                warnings.append(
                    f"left out {plural(untimed, 'file')} of {pin.name}: the index doesn't say when"
                    f" {were} uploaded,"
                    " and --exclude-newer needs to know"
                )
        if not file.hashes:
            warnings.append(f"the index states no hash for {file.filename}")
    return warnings
