"""What the user asked for, reduced to what holds for the target.

Contradictions that no index can mend are found here, before any request is made.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import ConflictError, InputError
from crossdeps.resolution.model import Dependency, exact_version, is_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.requirements.model import FileOptions, Inputs, PreReleases, Requirement
    from crossdeps.requirements.syntax import Markers
    from crossdeps.resolution.model import Policy

    ByName = Mapping[NormalizedName, Sequence[Requirement]]


@dataclass(frozen=True, kw_only=True, slots=True)
class RootRequirements:
    """Requirements, constraints and overrides whose markers hold for the target.

    :param requirements: sorted, so that the order of lines never matters
    :param overrides: an empty sequence means that every requirement on the project is dropped
    :param hashes: allowed hashes by project; in hash mode every project needs an entry
    :param pinned: versions that the user pinned exactly, by project
    :param limits: what the constraints leave of a project
    :param bounds: what everything that the user said leaves of a project
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
        limits = itertools.chain.from_iterable(self.constraints.values())
        overrides = itertools.chain.from_iterable(self.overrides.values())
        everything = (*self.requirements, *limits, *overrides)
        return tuple(item for item in everything if item.source is not None)

    def wants(self, name: NormalizedName, want: Dependency) -> tuple[Dependency, ...]:
        """*want*, or what the overrides of its project put in its place."""
        overrides = self.overrides.get(name)
        if overrides is None:
            return (want,)
        return tuple(
            build_dependency(item, extras=item.extras | want.extras, name=name)
            for item in overrides
        )

    def may_be_pre_release(self, name: NormalizedName) -> bool | None:
        """Whether pre-releases count: always, never, or (None) where nothing else satisfies."""
        choice = self.pre_releases_of.get(name, self.pre_releases)
        return {"allow": True, "disallow": False, "if-necessary": None}[choice]


def build_dependency(
    requirement: Requirement,
    *,
    extras: frozenset[NormalizedName] | None = None,
    name: NormalizedName | None = None,
) -> Dependency:
    """The search's view of what the user wrote."""
    return Dependency(
        name=requirement.name if name is None else name,
        specifier=requirement.specifier,
        extras=requirement.extras if extras is None else extras,
        text=requirement.text,
        origin=requirement.origin,
        pinned=exact_version(requirement.specifier) is not None or requirement.source is not None,
        bounded=is_bounded(requirement.specifier),
    )


def read_root_requirements(inputs: Inputs, markers: Markers, policy: Policy) -> RootRequirements:
    """Keep what holds for the target, and refuse what contradicts itself.

    :raises ConflictError: if lines on one project can't hold together
    :raises InputError: if hash mode is on, and a line isn't pinned and hashed
    """
    requirements = tuple(_active(inputs.requirements, markers))
    constraints = _by_name(_active(inputs.constraints, markers))
    overrides: dict[NormalizedName, list[Requirement]] = {
        item.name: [] for item in inputs.overrides
    }
    overrides |= _by_name(_active(inputs.overrides, markers))
    said = _by_name(item for item in requirements if item.name not in overrides)
    for name, items in constraints.items():
        if name in said:
            said[name] += items
    for items in itertools.chain(said.values(), (found for found in overrides.values() if found)):
        check_contradiction(items)
    asked = RootRequirements(
        requirements=requirements,
        constraints=constraints,
        overrides=overrides,
        hashes=_hashes(requirements, constraints),
        pinned=_pins((*requirements, *itertools.chain(*constraints.values(), *overrides.values()))),
        hash_mode=_hash_mode(inputs, policy, requirements, constraints),
        limits={name: _combined(items) for name, items in constraints.items()},
        bounds={
            name: _combined(items)
            for name, items in (*constraints.items(), *said.items(), *overrides.items())
        },
        policy=policy,
        pre_releases=_pre_releases(inputs.options, policy),
        pre_releases_of=_pre_releases_of(inputs.options, policy),
    )
    if asked.hash_mode:
        _check_hash_mode(asked)
    return asked


def check_contradiction(items: Sequence[Requirement]) -> None:
    """Refuse lines on one project that no version satisfies together.

    :raises ConflictError: naming the fewest lines that contradict each other
    """
    for first, second in itertools.combinations(items, 2):
        if first.source and second.source and first.source != second.source:
            raise ConflictError(
                f"{first.name or first.text} is asked for from two places",
                context=(_line(first), _line(second)),
                hint="keep one of the two, or tell them apart by markers",
            )
    for count in (1, 2, len(items)):
        for group in itertools.combinations(items, count):
            if _combined(group).is_unsatisfiable():
                raise ConflictError(
                    f"no version of {group[0].name} satisfies what is asked for",
                    context=tuple(_line(item) for item in group),
                    hint="change or remove one of these lines"
                    if len(group) > 1
                    else "this line contradicts itself",
                )


def _active(items: Iterable[Requirement], markers: Markers) -> list[Requirement]:
    """What holds, by project and origin, so that the order of lines never matters."""
    return sorted((item for item in items if markers.hold(item.marker)), key=_order)


def _order(item: Requirement) -> tuple[str, str, int, str]:
    return (item.name, item.origin.file or "", item.origin.line or 0, item.text)


def _by_name(items: Iterable[Requirement]) -> dict[NormalizedName, list[Requirement]]:
    found: dict[NormalizedName, list[Requirement]] = defaultdict(list)
    for item in items:
        if item.name:
            found[item.name].append(item)
    return dict(found)


def _combined(items: Iterable[Requirement]) -> SpecifierSet:
    clauses = {str(clause): clause for item in items for clause in item.specifier}
    return SpecifierSet([clauses[text] for text in sorted(clauses)])


def _hashes(
    requirements: Iterable[Requirement], constraints: ByName
) -> dict[NormalizedName, frozenset[str]]:
    """The hashes of a project on several lines intersect."""
    allowed: dict[NormalizedName, frozenset[str]] = {}
    asked_for = list(requirements)
    limits = itertools.chain.from_iterable(constraints.values())
    for item in (*asked_for, *limits):
        if item.hashes and item.name:
            allowed[item.name] = allowed.get(item.name, item.hashes) & item.hashes
            if not allowed[item.name]:
                lines = [other for other in asked_for if other.name == item.name]
                lines += constraints.get(item.name, [])
                raise ConflictError(
                    f"no hash of {item.name} is allowed by every line",
                    context=tuple(_line(line) for line in lines if line.hashes),
                    hint="a file must match the hashes of each of these lines",
                )
    return allowed


def _pins(items: Iterable[Requirement]) -> dict[NormalizedName, frozenset[Version]]:
    pins: dict[NormalizedName, frozenset[Version]] = {}
    for item in items:
        version = exact_version(item.specifier)
        if version is not None:
            pins[item.name] = pins.get(item.name, frozenset()) | {version}
    return pins


def _hash_mode(
    inputs: Inputs, policy: Policy, requirements: Iterable[Requirement], constraints: ByName
) -> bool:
    if policy.require_hashes or inputs.options.require_hashes:
        return True
    limits = itertools.chain.from_iterable(constraints.values())
    return any(item.hashes for item in (*requirements, *limits))


def _check_hash_mode(asked: RootRequirements) -> None:
    wrong: list[str] = []
    for item in asked.requirements:
        pinned = item.name in asked.pinned or item.source is not None
        if not pinned:
            wrong.append(f"{_line(item)}: not pinned with ==")
        elif item.name not in asked.hashes and not item.hashes:
            wrong.append(f"{_line(item)}: no --hash")
    if wrong:
        raise InputError(
            "hashes are required, so every requirement needs a pin and a hash",
            context=tuple(wrong),
            hint="give each line a pin and its hashes, as `crossdeps lock -o requirements.txt`"
            " writes them; or remove every --hash and --require-hashes",
            rule="unhashed",
        )


def _line(item: Requirement) -> str:
    return f"{item.origin}: {item.text}"


def _pre_releases(options: FileOptions, policy: Policy) -> PreReleases:
    """For all projects; the files are heard where the run itself says nothing."""
    if policy.pre_releases != "if-necessary":
        return policy.pre_releases
    if options.pre or ":all:" in options.all_releases:
        return "allow"
    return "disallow" if ":all:" in options.only_final else "if-necessary"


def _pre_releases_of(options: FileOptions, policy: Policy) -> Mapping[NormalizedName, PreReleases]:
    """For single projects, which beats what is said of all; the run's own word beats the files'."""
    said: dict[NormalizedName, PreReleases] = {}
    for name in options.all_releases:
        said[canonicalize_name(name)] = "allow"
    for name in options.only_final:
        said[canonicalize_name(name)] = "disallow"
    return {**said, **policy.pre_releases_of}
