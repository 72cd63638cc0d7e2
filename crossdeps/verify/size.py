"""The size of the artifact against what its host accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.savings import find_savings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crossdeps.verify.savings import Saving
    from crossdeps.verify.scene import Scene

TOO_LARGE = Rule(
    id="too-large",
    severity="error",
    title="larger than the runtime accepts",
    symptom="The deployment is refused: `Unzipped size must be smaller than 262144000 bytes`.",
    cause="The function and its layers together may have 262,144,000 bytes when unzipped.",
    remedy=(
        "The hint says what would help, by how much: leaving out what the runtime provides"
        " (`--provided`), trimming (`--slim`), leaving out what a layer has already"
        " (`--exclude-project`). Layers count towards the same limit, so moving projects into one"
        " doesn't help; a container image may have 10 GB."
    ),
)

_BIGGEST = 8


def check_size(scene: Scene) -> Iterator[Finding]:
    """The artifact and its layers fit the runtime's limit for unzipped code (Lambda quotas)."""
    facts = scene.target.runtime_facts
    layers = scene.surroundings.layers
    total = scene.bundle.size + sum(layer.size for layer in layers)
    if facts is None or total <= facts.limits.unzipped:
        return
    has = f"the artifact has {scene.bundle.size:,} bytes unzipped"
    if layers:
        count = "its layer" if len(layers) == 1 else f"its {len(layers)} layers"
        has += f", with {count} {total:,}"
    yield TOO_LARGE.finding(
        f"{has}; {facts.name} accepts {facts.limits.unzipped:,}",
        hint=_advice(total - facts.limits.unzipped, find_savings(scene)),
        details=_biggest(scene),
    )


def _advice(over: int, savings: Sequence[Saving]) -> str:
    """What would bring it under the limit, and nothing that wouldn't.

    :param over: bytes too many
    """
    enough = [saving for saving in savings if saving.size >= over]
    if enough:
        return "; or ".join(f"{one.how} saves {_megabytes(one.size)}" for one in enough)
    together = sum(saving.size for saving in savings)
    each = " and ".join(f"{one.how} ({_megabytes(one.size)})" for one in savings)
    if together >= over:
        return f"{each} together save enough"
    image = "deploy it as a container image, which may have 10 GB; layers count towards this limit"
    if not savings:
        return f"leave out what isn't used (--exclude), or {image}"
    return f"even {each} would leave {_megabytes(over - together)} too many: {image}"


def _biggest(scene: Scene) -> tuple[str, ...]:
    sizes = {f"{project.name} {project.version}": project.size for project in scene.bundle.projects}
    sizes["of no project"] = sum(e.size for e in scene.bundle.entries if e.owner is None)
    for number, layer in enumerate(scene.surroundings.layers, 1):
        sizes[f"layer {number}"] = layer.size
    rows = sorted((row for row in sizes.items() if row[1]), key=lambda row: (-row[1], row[0]))
    shown = [f"{_megabytes(size):>9}  {name}" for name, size in rows[:_BIGGEST]]
    rest = sum(size for _, size in rows[_BIGGEST:])
    if rest:
        shown.append(f"{_megabytes(rest):>9}  {len(rows) - _BIGGEST} others")
    return tuple(shown)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
