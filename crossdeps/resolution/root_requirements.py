"""The user's requirements, constraints and overrides, reduced to those that hold for the target.

Contradictions that no index can resolve are found here, before any request is made.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import ConflictError, InputError
from crossdeps.resolution.file_rules import accepts_python
from crossdeps.resolution.model import Dependency, exact_version, is_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.requirements.model import FileOptions, Inputs, PreReleases, Requirement
    from crossdeps.requirements.syntax import Markers
    from crossdeps.resolution.model import Policy
    from crossdeps.target.model import Target

    ByName = Mapping[NormalizedName, Sequence[Requirement]]


class RootRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements, constraints and overrides whose markers hold for the target.

    :param requirements: sorted, so that the order of lines never matters
    :param overrides: an empty sequence drops every requirement on the project
    :param hashes: allowed hashes by project; in hash mode every project needs an entry
    :param pinned: versions that the user pinned exactly, by project
    :param limits: specifiers of the constraints, by project
    :param bounds: specifiers of everything that the user wrote, by project
    """

    requirements: tuple[Requirement, ...]
    constraints: ByName
    overrides: ByName
    hashes: Mapping[NormalizedName, frozenset[str]]
    pinned: Mapping[NormalizedName, frozenset[Version]]
    hash_mode: bool
    limits: Mapping[NormalizedName, SpecifierSet]
    bounds: Mapping[NormalizedName, SpecifierSet]
    policy: Policy
    pre_releases: PreReleases
    pre_releases_of: Mapping[NormalizedName, PreReleases]

    @property
    def sources(self) -> tuple[Requirement, ...]:
        """Requirements, constraints and overrides that name their file themselves."""
        everything = (*self.requirements, *_flatten(self.constraints), *_flatten(self.overrides))
        return tuple(item for item in everything if item.source is not None)

    def override(self, dependency: Dependency) -> tuple[Dependency, ...]:
        """*dependency*, or what the overrides of its project replace it with."""
        overrides = self.overrides.get(dependency.name)
        if overrides is None:
            return (dependency,)
        return tuple(
            build_dependency(item, name=dependency.name, extras=item.extras | dependency.extras)
            for item in overrides
        )

    def allows(self, name: NormalizedName, version: Version) -> bool:
        """Whether the constraints admit *version* of a project."""
        limit = self.limits.get(name)
        return limit is None or limit.contains(version, prereleases=True)

    def allows_pre_releases(self, name: NormalizedName) -> bool | None:
        """Whether pre-releases count: always, never, or (None) where nothing else satisfies."""
        choice = self.pre_releases_of.get(name, self.pre_releases)
        return {"allow": True, "disallow": False, "if-necessary": None}[choice]

    def describe_constraints(self, name: NormalizedName) -> tuple[str, ...]:
        """The lines that constrain a project, with their origins."""
        items = self.constraints.get(name, ())
        return tuple(f"{describe_line(item)} (constraint)" for item in items)


def describe_line(item: Requirement) -> str:
    """A requirement of the user with its origin, such as ``requirements.txt:1: numpy``."""
    return f"{item.origin}: {item.text}"


def build_dependency(
    item: Requirement,
    *,
    name: NormalizedName | None = None,
    extras: frozenset[NormalizedName] | None = None,
) -> Dependency:
    """A requirement of the user as the search takes it.

    :param name: replaces its name; likewise *extras*
    """
    return Dependency(
        name=item.name if name is None else name,
        specifier=item.specifier,
        extras=item.extras if extras is None else extras,
        text=item.text,
        origin=item.origin,
        pinned=exact_version(item.specifier) is not None or item.source is not None,
        bounded=is_bounded(item.specifier),
    )


def check_requires_python(inputs: Inputs, targets: Sequence[Target]) -> None:
    """Refuse targets whose Python the user's own project does not admit.

    :raises ConflictError: naming the line, and these targets
    """
    for text, origin in inputs.requires_python:
        refused = [each for each in targets if not accepts_python(text, Version(each.python))]
        if refused:
            versions = ", ".join(dict.fromkeys(target.python for target in refused))
            option = "--runtime" if all(each.runtime_name for each in refused) else "--python"
            raise ConflictError(
                f"{origin.file} requires Python {text}, and the target has {versions}",
                context=(
                    f"{origin}: {text}",
                    *(f"the target: {target.describe()}" for target in refused),
                ),
                hint=f"choose a Python that it admits with {option}, or change requires-python",
                rule="project-python",
            )


def read_root_requirements(inputs: Inputs, markers: Markers, policy: Policy) -> RootRequirements:
    """Select what holds for the target, and refuse contradictions.

    :raises ConflictError: if lines on one project contradict each other
    :raises InputError: if hash mode is on, and a line has no pin or no hash
    """
    requirements = tuple(_select(inputs.requirements, markers))
    constraints = _by_name(_select(inputs.constraints, markers))
    overrides: dict[NormalizedName, list[Requirement]] = {
        item.name: [] for item in inputs.overrides
    }
    overrides |= _by_name(_select(inputs.overrides, markers))
    effective = _by_name(item for item in requirements if item.name not in overrides)
    for name, items in constraints.items():
        if name in effective:
            effective[name] += items
    for items in (*effective.values(), *filter(None, overrides.values())):
        _check_contradiction(items)
    everything = (*requirements, *_flatten(constraints), *_flatten(overrides))
    roots = RootRequirements(
        requirements=requirements,
        constraints=constraints,
        overrides=overrides,
        hashes=_find_hashes(requirements, constraints),
        pinned=_find_pins(everything),
        hash_mode=policy.require_hashes
        or inputs.options.require_hashes
        or any(item.hashes for item in (*requirements, *_flatten(constraints))),
        limits={name: _combine(items) for name, items in constraints.items()},
        bounds={
            name: _combine(items)
            for name, items in (*constraints.items(), *effective.items(), *overrides.items())
        },
        policy=policy,
        pre_releases=_pre_releases(inputs.options, policy),
        pre_releases_of=_pre_releases_of(inputs.options, policy),
    )
    if roots.hash_mode:
        _check_hash_mode(roots)
    return roots


def _check_contradiction(items: Sequence[Requirement]) -> None:
    """Refuse lines on one project that no version satisfies together.

    :raises ConflictError: naming the fewest lines that contradict each other
    """
    for first, second in itertools.combinations(items, 2):
        if first.source and second.source and first.source != second.source:
            raise source_conflict(first.name or first.text, first, second)
    for count in (1, 2, len(items)):
        for group in itertools.combinations(items, count):
            if _combine(group).is_unsatisfiable():
                raise ConflictError(
                    f"no version of {group[0].name} satisfies the requirements",
                    context=tuple(map(describe_line, group)),
                    hint="change or remove one of these lines"
                    if len(group) > 1
                    else "this line contradicts itself",
                )


def source_conflict(name: str, first: Requirement, second: Requirement) -> ConflictError:
    """The error for two requirements that name different files for one project."""
    return ConflictError(
        f"{name} is required from two sources",
        context=(describe_line(first), describe_line(second)),
        hint="keep one of the two, or separate them by markers",
    )


def _select(items: Iterable[Requirement], markers: Markers) -> list[Requirement]:
    """What holds, by project and origin, so that the order of lines never matters."""
    return sorted(
        (item for item in items if markers.hold(item.marker)),
        key=lambda item: (item.name, item.origin.file or "", item.origin.line or 0, item.text),
    )


def _by_name(items: Iterable[Requirement]) -> dict[NormalizedName, list[Requirement]]:
    found: dict[NormalizedName, list[Requirement]] = defaultdict(list)
    for item in items:
        if item.name:
            found[item.name].append(item)
    return dict(found)


def _flatten(by_name: ByName) -> Iterable[Requirement]:
    return itertools.chain.from_iterable(by_name.values())


def _combine(items: Iterable[Requirement]) -> SpecifierSet:
    clauses = {str(clause): clause for item in items for clause in item.specifier}
    return SpecifierSet([clauses[text] for text in sorted(clauses)])


def _find_hashes(
    requirements: Sequence[Requirement], constraints: ByName
) -> dict[NormalizedName, frozenset[str]]:
    """Allowed hashes by project; those of several lines intersect."""
    allowed: dict[NormalizedName, frozenset[str]] = {}
    hashed = [item for item in (*requirements, *_flatten(constraints)) if item.hashes]
    for item in hashed:
        if item.name:
            allowed[item.name] = allowed.get(item.name, item.hashes) & item.hashes
            if not allowed[item.name]:
                raise ConflictError(
                    f"no hash of {item.name} is allowed by every line",
                    context=tuple(describe_line(line) for line in hashed if line.name == item.name),
                    hint="a file must match the hashes of each of these lines",
                )
    return allowed


def _find_pins(items: Iterable[Requirement]) -> dict[NormalizedName, frozenset[Version]]:
    pins: dict[NormalizedName, frozenset[Version]] = {}
    for item in items:
        version = exact_version(item.specifier)
        if version is not None:
            pins[item.name] = pins.get(item.name, frozenset()) | {version}
    return pins


def _check_hash_mode(roots: RootRequirements) -> None:
    problems: list[str] = []
    for item in roots.requirements:
        if item.name not in roots.pinned and item.source is None:
            problems.append(f"{describe_line(item)}: not pinned with ==")
        elif item.name not in roots.hashes and not item.hashes:
            problems.append(f"{describe_line(item)}: no --hash")
    if problems:
        raise InputError(
            "every requirement needs a pin and a hash when hashes are required",
            context=tuple(problems),
            hint="pin and hash each line, as `crossdeps lock -o requirements.txt` does; or remove"
            " every --hash and --require-hashes",
            rule="unhashed",
        )


def _pre_releases(options: FileOptions, policy: Policy) -> PreReleases:
    """For all projects; requirements files apply where the policy has the default."""
    if policy.pre_releases != "if-necessary":
        return policy.pre_releases
    if options.pre or ":all:" in options.all_releases:
        return "allow"
    return "disallow" if ":all:" in options.only_final else "if-necessary"


def _pre_releases_of(options: FileOptions, policy: Policy) -> Mapping[NormalizedName, PreReleases]:
    """For single projects, which precedes what holds for all; the policy precedes the files."""
    choices: dict[NormalizedName, PreReleases] = {
        canonicalize_name(name): "allow" for name in options.all_releases
    }
    choices.update((canonicalize_name(name), "disallow") for name in options.only_final)
    return {**choices, **policy.pre_releases_of}
