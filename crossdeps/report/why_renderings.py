"""Why one version of one project, as text and as a JSON document."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from crossdeps.report.reasons import describe_reason
from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.report.why import Chain, Why
    from crossdeps.resolution import Asker, PassedOver


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
        "asked_for_by": [[_asker(asker) for asker in chain] for chain in why.chains],
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
            for item in why.passed_over
        ],
        "complete": why.complete,
    }


def _asker(asker: Asker) -> dict[str, Any]:
    return {
        "project": asker.parent,
        "version": str(asker.parent_version) if asker.parent_version else None,
        "origin": str(asker.origin) if asker.origin else None,
        "requirement": asker.text,
    }


def _asked(why: Why) -> str:
    if not why.chains:
        return "Asked for by\n  the lock doesn't record it"
    return "\n".join(["Asked for by", *(line for chain in why.chains for line in _lines(chain))])


def _lines(chain: Chain) -> list[str]:
    lines = []
    for depth, asker in enumerate(chain, start=1):
        if asker.parent is None:
            who = f"{asker.origin}: " if asker.origin else ""
        else:
            version = f" {asker.parent_version}" if asker.parent_version else ""
            who = f"{asker.parent}{version} wants "
        lines.append(f"{'  ' * depth}{who}{asker.text}")
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
    if not why.passed_over:
        told = "nothing newer was found" if why.complete else "the lock doesn't record it"
        return f"Newer versions\n  {told}"
    lines = ["Newer versions passed over"]
    finals = [item for item in why.passed_over if item.reason != "pre-release"]
    for reason, items in itertools.groupby(finals, key=describe_reason):
        lines.append(f"  {_range(list(items))}: {reason}")
    if pre_releases := [item for item in why.passed_over if item.reason == "pre-release"]:
        lines.append(f"  {_range(pre_releases)}: not taken without being asked for")
    return "\n".join(lines)


def _range(items: list[PassedOver]) -> str:
    if len(items) == 1:
        return str(items[0].version)
    if len(items) == 2:
        return f"{items[0].version}, {items[1].version}"
    return f"{items[0].version} to {items[-1].version} ({len(items)} versions)"
