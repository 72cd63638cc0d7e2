"""Why one version of one project: who asked for it, what was chosen, what was passed over."""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from packaging.requirements import InvalidRequirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from crossdeps.requirements.syntax import parse_requirement
from crossdeps.resolution.explain.skipped import describe_reason
from crossdeps.resolution.model import RequiredBy, SkippedVersion
from crossdeps.text import redact
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from packaging.pylock import Package, Pylock
    from packaging.utils import NormalizedName

    from crossdeps.resolution.model import Choice, RejectionReason, Resolution, SelectedPackage
    from crossdeps.target.model import Target

Chain = tuple[RequiredBy, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """Why one version of one project.

    :param chains: for each who asked for it the shortest way from what the user wrote (first) to
        the one that asked (last); empty where nothing tells
    :param file: name of the file chosen, empty for a directory or a repository
    :param source: where it came from: an index, a URL, a path; without credentials
    :param tag: the tag of the file that matched, the best by the target's order; empty if none
    :param tag_rank: the place of that tag among all that the target accepts; 0 is the best
    :param tags: how many the target accepts
    :param skipped_versions: newer versions, newest first
    :param complete: whether chains and passed-over versions are known; a lock may not record them
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


def explain_choice(resolution: Resolution, choice: Choice) -> Why:
    """Why *choice*, as the search had it."""
    target, candidate = resolution.target, choice.candidate
    required_by = {name: each.required_by for name, each in resolution.choices.items()}
    return Why(
        target=target,
        name=choice.name,
        version=str(choice.version),
        chains=find_chains(choice.name, required_by),
        file=candidate.file.filename if candidate else "",
        source=redact(candidate.file.index if candidate else _location(choice)),
        tag=str(candidate.tag) if candidate and _is_wheel(candidate.file.filename) else "",
        tag_rank=candidate.tag_rank if candidate else 0,
        tags=len(target.tags),
        requires_python=choice.requires_python or "",
        skipped_versions=choice.skipped_versions,
    )


def explain_locked(
    lock: Pylock, chosen: Sequence[SelectedPackage], selected: SelectedPackage, target: Target
) -> Why:
    """Why *selected*, as far as *lock* records it; locks of crossdeps record all.

    :param chosen: everything that the target takes of the lock
    """
    table = (lock.tool or {}).get("crossdeps")
    packages = [
        package
        for package in lock.packages
        for each in chosen
        if package.name == each.name and package.version == each.version
    ]
    package = next(each for each in packages if each.name == selected.name)
    file = selected.file
    rank, tag = _best_tag(file.filename, target) if file else (0, "")
    return Why(
        target=target,
        name=selected.name,
        version=str(selected.version or ""),
        chains=find_chains(selected.name, _askers_of(packages, table)),
        file=file.filename if file else "",
        source=redact((package.index or file.url) if file else _place(selected)),
        tag=tag,
        tag_rank=rank,
        tags=len(target.tags),
        requires_python=str(package.requires_python or ""),
        skipped_versions=_passed_over(package),
        complete=isinstance(table, dict),
    )


def find_chains(
    name: NormalizedName, required_by: Mapping[NormalizedName, Collection[RequiredBy]]
) -> tuple[Chain, ...]:
    """For each asker of *name* the shortest chain from the user to it.

    :param required_by: of every project
    """
    children: dict[NormalizedName, list[tuple[NormalizedName, RequiredBy]]] = defaultdict(list)
    ways: dict[NormalizedName, Chain] = {}
    for child, each in sorted(required_by.items()):
        for dependent in each:
            if dependent.parent is None:
                ways.setdefault(child, (dependent,))
            else:
                children[dependent.parent].append((child, dependent))
    waiting = deque(ways)
    while waiting:
        parent = waiting.popleft()
        for child, dependent in children[parent]:
            if child not in ways:
                ways[child] = (*ways[parent], dependent)
                waiting.append(child)
    return tuple(
        (*(ways.get(dependent.parent, ()) if dependent.parent else ()), dependent)
        for dependent in required_by.get(name, ())
    )


def _is_wheel(filename: str) -> bool:
    return filename.endswith(".whl")


def _location(choice: Choice) -> str:
    return choice.source.location if choice.source else ""


def _place(selected: SelectedPackage) -> str:
    return selected.source.location if selected.source else ""


def _best_tag(filename: str, target: Target) -> tuple[int, str]:
    if not _is_wheel(filename):
        return 0, ""
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return 0, ""
    ranked = [(rank, str(tag)) for rank, tag in enumerate(target.tags) if tag in tags]
    return min(ranked, default=(0, ""))


def _askers_of(
    packages: Sequence[Package], table: object
) -> dict[NormalizedName, list[RequiredBy]]:
    """Who asked for each package, as far as the lock says."""
    required_by: dict[NormalizedName, list[RequiredBy]] = {package.name: [] for package in packages}
    for package in packages:
        for dependency in package.dependencies or ():
            child = canonicalize_name(str(dependency.get("name", "")))
            if child in required_by:
                required_by[child].append(
                    RequiredBy(
                        parent=package.name,
                        parent_version=package.version,
                        origin=None,
                        text=child,
                    )
                )
    listed = table.get("requirements") if isinstance(table, dict) else None
    for text in listed if isinstance(listed, list) else ():
        try:
            name = canonicalize_name(parse_requirement(str(text)).name)
        except InvalidRequirement:
            continue
        if name in required_by:
            root = RequiredBy(parent=None, parent_version=None, origin=None, text=str(text))
            required_by[name].insert(0, root)
    return required_by


def _passed_over(package: Package) -> tuple[SkippedVersion, ...]:
    table = (package.tool or {}).get("crossdeps")
    groups = table.get("passed-over") if isinstance(table, dict) else None
    found = []
    for group in groups if isinstance(groups, list) else ():
        if isinstance(group, dict):
            found += _group(group)
    return tuple(sorted(found, key=lambda item: item.version, reverse=True))


def _group(group: Mapping[str, Any]) -> list[SkippedVersion]:
    found = []
    versions = group.get("versions")
    for text in versions if isinstance(versions, list) else ():
        try:
            version = Version(str(text))
        except InvalidVersion:
            continue
        found.append(
            SkippedVersion(
                version=version,
                reason=cast("RejectionReason", str(group.get("reason", ""))),
                detail=str(group.get("detail", "")),
                forced_by_target=bool(group.get("target")),
            )
        )
    return found


def render_why(why: Why) -> str:
    """Who asked, what was chosen and what was passed over, in a few lines."""
    blocks = [
        f"{why.name} {why.version} for {why.target.describe()}",
        _asked(why),
        _chosen(why),
        _newer(why),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def why_document(why: Why) -> dict[str, Any]:
    """The same as JSON-ready values."""
    return {
        "version": 1,
        "crossdeps": __version__,
        "target": why.target.describe(),
        "project": {"name": why.name, "version": why.version},
        "asked_for_by": [[_asker(dependent) for dependent in chain] for chain in why.chains],
        "chosen": {
            "file": why.file or None,
            "source": why.source or None,
            "tag": why.tag or None,
            "tag_rank": why.tag_rank if why.tag else None,
            "requires_python": why.requires_python or None,
        },
        "passed_over": [
            {
                "version": str(item.version),
                "reason": item.reason,
                "detail": item.detail,
                "forced_by_target": item.forced_by_target,
            }
            for item in why.skipped_versions
        ],
        "complete": why.complete,
    }


def _asker(dependent: RequiredBy) -> dict[str, Any]:
    return {
        "project": dependent.parent,
        "version": str(dependent.parent_version) if dependent.parent_version else None,
        "origin": str(dependent.origin) if dependent.origin else None,
        "requirement": dependent.text,
    }


def _asked(why: Why) -> str:
    if not why.chains:
        return "Asked for by\n  the lock doesn't record it"
    return "\n".join(["Asked for by", *(line for chain in why.chains for line in _lines(chain))])


def _lines(chain: Chain) -> list[str]:
    lines = []
    for depth, dependent in enumerate(chain, start=1):
        if dependent.parent is None:
            who = f"{dependent.origin}: " if dependent.origin else ""
        else:
            version = f" {dependent.parent_version}" if dependent.parent_version else ""
            who = f"{dependent.parent}{version} wants "
        lines.append(f"{'  ' * depth}{who}{dependent.text}")
    return lines


def _chosen(why: Why) -> str:
    lines = ["Chosen"]
    if why.file:
        lines.append(f"  {why.file}")
    if why.source:
        lines.append(f"  from {why.source}")
    if why.tag:
        place = f"{why.tag_rank + 1:,} of the {why.tags:,} that the target accepts"
        lines.append(f"  by the tag {why.tag}, number {place}, best first")
    if why.requires_python:
        lines.append(f"  requires Python {why.requires_python}")
    return "\n".join(lines) if len(lines) > 1 else ""


def _newer(why: Why) -> str:
    if not why.skipped_versions:
        told = "nothing newer was found" if why.complete else "the lock doesn't record it"
        return f"Newer versions\n  {told}"
    lines = ["Newer versions passed over"]
    finals = [item for item in why.skipped_versions if item.reason != "pre-release"]
    for reason, items in itertools.groupby(finals, key=describe_reason):
        lines.append(f"  {_range(list(items))}: {reason}")
    if pre_releases := [item for item in why.skipped_versions if item.reason == "pre-release"]:
        lines.append(f"  {_range(pre_releases)}: not taken without being asked for")
    return "\n".join(lines)


def _range(items: list[SkippedVersion]) -> str:
    if len(items) == 1:
        return str(items[0].version)
    if len(items) == 2:
        return f"{items[0].version}, {items[1].version}"
    return f"{items[0].version} to {items[-1].version} ({len(items)} versions)"
