"""The rule on the size limit of the runtime, and what would reduce the size, by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crossdeps.text import join_words
from crossdeps.verify.model import Rule
from crossdeps.verify.projects import find_reachable, iterate_requirements

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from crossdeps.finding import Finding
    from crossdeps.target.model import Target
    from crossdeps.verify.context import CheckContext

TOO_LARGE = Rule(
    id="too-large",
    severity="error",
    title="an artifact that is larger than the runtime accepts",
    symptom="Deployment fails: `Unzipped size must be smaller than 262144000 bytes`.",
    cause="A function and its layers together must not exceed 262,144,000 bytes when unzipped.",
    remedy=(
        "The hint says what would reduce the size, and by how much: leaving out what the runtime"
        " provides (`--provided`), trimming (`--slim`), or excluding what a layer already has"
        " (`--exclude-project`). Layers count towards the same limit, so moving projects into one"
        " does not help. A container image may have 10 GB."
    ),
)

_MAX_DETAILS = 8
_IMAGE = "deploy it as a container image, which may have 10 GB; layers count towards this limit"


def check_size(context: CheckContext) -> Iterator[Finding]:
    """Check the size against the runtime's limit for unzipped code (Lambda quotas)."""
    facts = context.target.runtime_facts
    layers = context.runtime_context.layers
    total = context.bundle.size + sum(layer.size for layer in layers)
    if facts is None or total <= facts.limits.unzipped:
        return
    sizes = f"the artifact has {context.bundle.size:,} bytes unzipped"
    if layers:
        count = "its layer" if len(layers) == 1 else f"its {len(layers)} layers"
        sizes += f", with {count} {total:,}"
    finding = TOO_LARGE.finding(f"{sizes}; {facts.name} accepts {facts.limits.unzipped:,}")
    if not context.ignores(finding):
        yield msgspec.structs.replace(
            finding,
            hint=_format_advice(total - facts.limits.unzipped, _find_savings(context)),
            details=_list_largest(context),
        )


def check_stated_sizes(
    target: Target, sizes: Mapping[str, int], *, layers: int = 0
) -> Finding | None:
    """Check the sizes of wheels that are not downloaded yet against the same limit.

    A wheel unzips to no fewer bytes than it has, except for the headers of the archive: a sixteenth
    is left for these.

    :param sizes: of the wheel of each project, as their index states them
    :param layers: bytes of the layers, unzipped
    """
    facts = target.runtime_facts
    stated = sum(sizes.values())
    least = stated - stated // 16 + layers
    if facts is None or least <= facts.limits.unzipped:
        return None
    counted = ", with its layers" if layers else ""
    return TOO_LARGE.finding(
        f"the artifact has at least {least:,} bytes unzipped{counted}, by the sizes that the index"
        f" states; {facts.name} accepts {facts.limits.unzipped:,}",
        hint=f"leave out what is not needed (--exclude-project), or {_IMAGE}",
        details=_list_rows({**sizes, "layers": layers}),
    )


class _Saving(msgspec.Struct, frozen=True, kw_only=True):
    """A way to reduce the size.

    :param option: an option of the command line
    :param size: bytes that it saves in addition to the savings before it
    """

    option: str
    size: int


def _find_savings(context: CheckContext) -> list[_Saving]:
    """Find every option that saves anything; their sizes add up.

    Reads all code of the bundle, because trimming depends on what is imported.
    """
    from crossdeps.bundle.slimming import find_removable  # noqa: PLC0415 - too large ones only

    duplicates = context.projects.keys() & context.layer_projects.keys()
    exclude = " ".join(f"--exclude-project {name}" for name in sorted(duplicates))
    provided = _find_provided(context) - duplicates
    excluded = duplicates | provided
    removable = find_removable(context.bundle.entries, context.bundle.prefix, context.cache)
    slimmed = [
        entry for path in removable if (entry := context.entries[path]).owner not in excluded
    ]
    savings = (
        _Saving(option=f"{exclude} (a layer has it)", size=_owned_size(context, duplicates)),
        _Saving(option="--provided", size=_owned_size(context, provided)),
        _Saving(option="--slim", size=sum(entry.size for entry in slimmed)),
    )
    return [saving for saving in savings if saving.size]


def _find_provided(context: CheckContext) -> set[str]:
    """Find the projects that ``--provided`` would leave out: the SDK and what only it requires."""
    sdk = {
        name for name, item in context.provided.items() if item.role == "sdk"
    } & context.projects.keys()
    if not sdk:
        return set()
    dependencies: dict[str, set[str]] = {name: set() for name in context.projects}
    for project, required, _ in iterate_requirements(
        context.bundle.projects, context.requirements, context.conditions.hold
    ):
        dependencies[project.name].add(required.project)
    # A bundle doesn't record what the user required: take what no other project requires.
    roots = dependencies.keys() - set().union(*dependencies.values()) - sdk
    reached = find_reachable(sdk, dependencies) & context.projects.keys()
    return reached - find_reachable(roots, dependencies, stop=sdk)


def _owned_size(context: CheckContext, owners: Container[str | None]) -> int:
    return sum(entry.size for entry in context.bundle.entries if entry.owner in owners)


def _format_advice(excess: int, savings: Sequence[_Saving]) -> str:
    """Describe what would bring the artifact under the limit, and nothing that would not.

    :param excess: bytes over the limit
    """
    sufficient = [saving for saving in savings if saving.size >= excess]
    if sufficient:
        return "; or ".join(f"{item.option} saves {_megabytes(item.size)}" for item in sufficient)
    total = sum(saving.size for saving in savings)
    each = join_words([f"{item.option} (saves {_megabytes(item.size)})" for item in savings])
    if total >= excess:
        return f"{each} together save enough"
    if not savings:
        return f"exclude what is not used (--exclude), or {_IMAGE}"
    return f"even {each} would leave {_megabytes(excess - total)} too much: {_IMAGE}"


def _list_largest(context: CheckContext) -> tuple[str, ...]:
    sizes = {
        f"{project.name} {project.version}": project.size for project in context.bundle.projects
    }
    sizes["of no project"] = _owned_size(context, {None})
    for number, layer in enumerate(context.runtime_context.layers, 1):
        sizes[f"layer {number}"] = layer.size
    return _list_rows(sizes)


def _list_rows(sizes: Mapping[str, int]) -> tuple[str, ...]:
    rows = sorted((row for row in sizes.items() if row[1]), key=lambda row: (-row[1], row[0]))
    lines = [f"{_megabytes(size):>9}  {name}" for name, size in rows[:_MAX_DETAILS]]
    rest = sum(size for _, size in rows[_MAX_DETAILS:])
    if rest:
        lines.append(f"{_megabytes(rest):>9}  {len(rows) - _MAX_DETAILS} others")
    return tuple(lines)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
