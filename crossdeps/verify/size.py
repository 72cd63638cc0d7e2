"""The size of the artifact against what its host accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.verify.scene import Scene

TOO_LARGE = Rule(
    id="too-large",
    severity="error",
    title="larger than the runtime accepts",
    symptom="The deployment is refused: `Unzipped size must be smaller than 262144000 bytes`.",
    cause="The function and its layers together may have 250 MiB when unzipped.",
    remedy=(
        "Leave out what the runtime provides (`--provided`), trim (`--slim`), exclude what isn't"
        " used (`--exclude`), or deploy a container image."
    ),
)

_BIGGEST = 3


def check_size(scene: Scene) -> Iterator[Finding]:
    """The artifact fits the runtime's limit for unzipped code."""
    facts = scene.target.runtime_facts
    if facts is None or scene.bundle.size <= facts.limits.unzipped:
        return
    projects = sorted(scene.bundle.projects, key=lambda project: -project.size)[:_BIGGEST]
    biggest = ", ".join(f"{p.name} {p.size / 1e6:.0f} MB" for p in projects if p.size)
    hint = "leave out what isn't needed: --slim, --provided, --exclude"
    yield TOO_LARGE.finding(
        f"the artifact has {scene.bundle.size:,} bytes unzipped;"
        f" {facts.name} accepts {facts.limits.unzipped:,}",
        hint=f"{hint}; the biggest are {biggest}" if biggest else hint,
    )
