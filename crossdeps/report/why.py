"""Why a version of a project was chosen: its dependents, its file, and the versions skipped."""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.requirements import InvalidRequirement
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)

from crossdeps.report.model import skipped_document
from crossdeps.requirements.syntax import parse_requirement
from crossdeps.resolution.lock.recorded import read_recorded_requirements
from crossdeps.resolution.model import RequiredBy
from crossdeps.resolution.rejections import Reason, SkippedVersion
from crossdeps.target.model import Target  # noqa: TC001 - `inspect.signature` evaluates annotations
from crossdeps.text import redact
from crossdeps.value import Value
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from packaging.pylock import Package, Pylock

    from crossdeps.resolution.model import Choice, Resolution, SelectedPackage

Chain = tuple[RequiredBy, ...]


class Why(Value, frozen=True, kw_only=True):
    """Why a version of a project was chosen.

    :param chains: for each dependent the shortest chain of requirements, from one of the user to
        that of the dependent; empty where none is known
    :param file: name of the file, empty for a directory or a repository
    :param source: an index, a URL or a path; without credentials
    :param tag: the best of the file's tags, by the target's order; empty for other files
    :param tag_rank: its position among all that the target accepts; 0 is the best
    :param tags: how many the target accepts
    :param skipped_versions: newer versions, newest first
    :param complete: whether *chains* and *skipped_versions* are known in full; a lock alone does
        not tell
    :param unknown: why they are not; empty where nothing is known of the reason
    """

    target: Target
    name: NormalizedName
    version: str
    chains: tuple[Chain, ...]
    file: str = ""
    source: str = ""
    tag: str = ""
    tag_rank: int = 0
    tags: int = 0
    requires_python: str = ""
    skipped_versions: tuple[SkippedVersion, ...] = ()
    complete: bool = True
    unknown: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document of ``crossdeps why``."""
        return {
            "version": 1,
            "crossdeps": __version__,
            "target": self.target.to_dict(),
            "project": {"name": self.name, "version": self.version or None},
            "asked_for_by": [
                [_dependent_document(each) for each in chain] for chain in self.chains
            ],
            "chosen": {
                "file": self.file or None,
                "source": self.source or None,
                "tag": self.tag or None,
                "tag_rank": self.tag_rank if self.tag else None,
                "requires_python": self.requires_python or None,
            },
            "passed_over": [skipped_document(item) for item in self.skipped_versions],
            "complete": self.complete,
        }


def explain_choice(resolution: Resolution, choice: Choice) -> Why:
    """Explain *choice* from the search."""
    target, candidate = resolution.target, choice.candidate
    required_by = {name: each.required_by for name, each in resolution.choices.items()}
    return Why(
        target=target,
        name=choice.name,
        version=str(choice.version),
        chains=_find_chains(choice.name, required_by),
        file=candidate.file.filename if candidate else "",
        source=redact(candidate.file.index if candidate else _location(choice)),
        tag=str(candidate.tag) if candidate and candidate.is_wheel else "",
        tag_rank=candidate.tag_rank if candidate else 0,
        tags=len(target.tags),
        requires_python=choice.requires_python or "",
        skipped_versions=choice.skipped_versions,
    )


def explain_locked(
    lock: Pylock, chosen: Sequence[SelectedPackage], selected: SelectedPackage, target: Target
) -> Why:
    """Explain *selected* as far as *lock* records it.

    :param chosen: everything that the target selects from the lock
    """
    versions = {(each.name, each.version) for each in chosen}
    packages = [each for each in lock.packages if (each.name, each.version) in versions]
    package = next(each for each in packages if each.name == selected.name)
    file = selected.file
    rank, tag = _best_tag(file.filename, target) if file else (0, "")
    return Why(
        target=target,
        name=selected.name,
        version=str(selected.version or ""),
        chains=_find_chains(selected.name, _find_dependents(lock, packages)),
        file=file.filename if file else "",
        source=redact((package.index or file.url) if file else _location(selected)),
        tag=tag,
        tag_rank=rank,
        tags=len(target.tags),
        requires_python=str(package.requires_python or ""),
        complete=False,
    )


def add_reasons(why: Why, resolution: Resolution) -> Why:
    """Add to an explanation from a lock what resolving its requirements has found.

    :param resolution: of the requirements that the lock records; unless it has chosen the version
        of the lock, nothing is added
    """
    choice = resolution.choices.get(why.name)
    if choice is None or str(choice.version) != why.version:
        return msgspec.structs.replace(why, unknown="its requirements do not lead to this version")
    found = explain_choice(resolution, choice)
    chains = tuple(
        tuple(msgspec.structs.replace(dependent, origin=None) for dependent in chain)
        for chain in found.chains
    )
    return msgspec.structs.replace(
        why, chains=chains, skipped_versions=found.skipped_versions, complete=True
    )


def _find_chains(
    name: NormalizedName, required_by: Mapping[NormalizedName, Collection[RequiredBy]]
) -> tuple[Chain, ...]:
    """For each dependent of *name* the shortest chain from the user to it.

    :param required_by: of every project
    """
    children: dict[NormalizedName, list[tuple[NormalizedName, RequiredBy]]] = defaultdict(list)
    chains: dict[NormalizedName, Chain] = {}
    for child, each in sorted(required_by.items()):
        for dependent in each:
            if dependent.parent is None:
                chains.setdefault(child, (dependent,))
            else:
                children[dependent.parent].append((child, dependent))
    waiting = deque(chains)
    while waiting:
        parent = waiting.popleft()
        for child, dependent in children[parent]:
            if child not in chains:
                chains[child] = (*chains[parent], dependent)
                waiting.append(child)
    return tuple(
        (*(chains.get(dependent.parent, ()) if dependent.parent else ()), dependent)
        for dependent in required_by.get(name, ())
    )


def _location(item: Choice | SelectedPackage) -> str:
    return item.source.location if item.source else ""


def _best_tag(filename: str, target: Target) -> tuple[int, str]:
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return 0, ""
    ranked = [(rank, str(tag)) for rank, tag in enumerate(target.tags) if tag in tags]
    return min(ranked, default=(0, ""))


def _find_dependents(
    lock: Pylock, packages: Sequence[Package]
) -> dict[NormalizedName, list[RequiredBy]]:
    """The requirements on each package, as far as the lock records them."""
    required_by: dict[NormalizedName, list[RequiredBy]] = {package.name: [] for package in packages}
    versions = {package.name: str(package.version) for package in packages}
    for package in packages:
        for dependency in package.dependencies or ():
            name = canonicalize_name(str(dependency.get("name", "")))
            version = dependency.get("version", versions.get(name))
            if name in required_by and version == versions[name]:
                required_by[name].append(
                    RequiredBy(
                        parent=package.name, parent_version=package.version, origin=None, text=name
                    )
                )
    for text in read_recorded_requirements(lock):
        try:
            name = canonicalize_name(parse_requirement(text).name)
        except InvalidRequirement:
            continue
        if name in required_by:
            root = RequiredBy(parent=None, parent_version=None, origin=None, text=text)
            required_by[name].insert(0, root)
    return required_by


def render_why(why: Why) -> str:
    """The dependents, the choice and the skipped versions, in a few lines."""
    blocks = [
        f"{why.name} {why.version} for {why.target.describe()}",
        _render_dependents(why),
        _render_choice(why),
        _render_skipped(why),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _dependent_document(dependent: RequiredBy) -> dict[str, Any]:
    return {
        "project": dependent.parent,
        "version": str(dependent.parent_version) if dependent.parent_version else None,
        "origin": str(dependent.origin) if dependent.origin else None,
        "requirement": dependent.text,
    }


_NOT_RECORDED = "  the lock does not record it"


def _render_dependents(why: Why) -> str:
    lines = [line for chain in why.chains for line in _render_chain(chain)]
    return "\n".join(["Required by", *(lines or [_NOT_RECORDED])])


def _render_chain(chain: Chain) -> Iterator[str]:
    for depth, dependent in enumerate(chain, start=1):
        if dependent.parent is None:
            prefix = f"{dependent.origin}: " if dependent.origin else ""
        else:
            version = f" {dependent.parent_version}" if dependent.parent_version else ""
            prefix = f"{dependent.parent}{version} requires "
        yield f"{'  ' * depth}{prefix}{dependent.text}"


def _render_choice(why: Why) -> str:
    lines = ["Chosen"]
    if why.file:
        lines.append(f"  {why.file}")
    if why.source:
        lines.append(f"  from {why.source}")
    if why.tag:
        position = f"{why.tag_rank + 1:,} of the {why.tags:,} that the target accepts"
        lines.append(f"  by the tag {why.tag}, number {position}, best first")
    if why.requires_python:
        lines.append(f"  requires Python {why.requires_python}")
    return "\n".join(lines) if len(lines) > 1 else ""


def _render_skipped(why: Why) -> str:
    if not why.skipped_versions:
        unknown = f"  unknown: {why.unknown}" if why.unknown else _NOT_RECORDED
        return "\n".join(["Newer versions", "  none found" if why.complete else unknown])
    lines = ["Newer versions skipped"]
    pre_releases = [item for item in why.skipped_versions if item.reason is Reason.PRE_RELEASE]
    others = [item for item in why.skipped_versions if item.reason is not Reason.PRE_RELEASE]
    for reason, items in itertools.groupby(others, key=SkippedVersion.describe):
        lines.append(f"  {_range(list(items))}: {reason}")
    if pre_releases:
        lines.append(f"  {_range(pre_releases)}: pre-releases, which are only used if required")
    return "\n".join(lines)


def _range(items: list[SkippedVersion]) -> str:
    if len(items) == 1:
        return str(items[0].version)
    if len(items) == 2:
        return f"{items[0].version}, {items[1].version}"
    return f"{items[0].version} to {items[-1].version} ({len(items)} versions)"
