"""What a smaller artifact could do without, measured on the artifact itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from crossdeps.bundle.slimming import find_removable
from crossdeps.text import join_words
from crossdeps.verify.model import Finding, Rule
from crossdeps.verify.projects import applying_requirements

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from crossdeps.verify.context import CheckContext


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """One way to a smaller artifact.

    :param how: an option of the command line
    :param size: bytes that it saves, beyond what the ways before it save
    """

    how: str
    size: int


def find_savings(context: CheckContext) -> tuple[Saving, ...]:
    """Every way that saves anything; their sizes add up.

    Reads all code of the bundle, because trimming depends on what is imported.
    """
    gone: set[str] = set()
    savings = []
    duplicates = sorted(context.projects.keys() & context.layered.keys())
    if duplicates:
        how = " ".join(f"--exclude-project {name}" for name in duplicates)
        savings.append(Saving(how=f"{how} (a layer has it)", size=_size(context, set(duplicates))))
        gone |= set(duplicates)
    provided = left_to_runtime(context) - gone
    if provided:
        savings.append(Saving(how="--provided", size=_size(context, provided)))
        gone |= provided
    removable = find_removable(context.bundle.entries, context.bundle.prefix)
    trimmed = sum(
        context.entries[path].size for path in removable if _owner(context, path) not in gone
    )
    savings.append(Saving(how="--slim", size=trimmed))
    return tuple(saving for saving in savings if saving.size)


def left_to_runtime(context: CheckContext) -> set[str]:
    """The projects that ``--provided`` would leave out: the SDK, and what nothing else needs."""
    sdk = {
        name for name, item in context.provided.items() if item.role == "sdk"
    } & context.projects.keys()
    if not sdk:
        return set()
    needs: dict[str, set[str]] = {name: set() for name in context.projects}
    for project, requirement, _ in applying_requirements(context):
        needs[project.name].add(canonicalize_name(requirement.name))
    needed = set().union(*needs.values())
    # What nobody needs was asked for; a bundle doesn't record it otherwise.
    roots = {name for name in context.projects if name not in needed} - sdk
    return set(context.projects) & _reach(sdk, needs) - _reach(roots, needs, stop=sdk)


def _reach(
    roots: Iterable[str], needs: Mapping[str, set[str]], stop: Container[str] = ()
) -> set[str]:
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached and name not in stop:
            reached.add(name)
            waiting += needs.get(name, ())
    return reached


def _size(context: CheckContext, names: set[str]) -> int:
    return sum(entry.size for entry in context.bundle.entries if entry.owner in names)


def _owner(context: CheckContext, path: str) -> str | None:
    return context.entries[path].owner


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


def check_size(context: CheckContext) -> Iterator[Finding]:
    """The artifact and its layers fit the runtime's limit for unzipped code (Lambda quotas)."""
    facts = context.target.runtime_facts
    layers = context.runtime_context.layers
    total = context.bundle.size + sum(layer.size for layer in layers)
    if facts is None or total <= facts.limits.unzipped:
        return
    has = f"the artifact has {context.bundle.size:,} bytes unzipped"
    if layers:
        count = "its layer" if len(layers) == 1 else f"its {len(layers)} layers"
        has += f", with {count} {total:,}"
    yield TOO_LARGE.finding(
        f"{has}; {facts.name} accepts {facts.limits.unzipped:,}",
        hint=_advice(total - facts.limits.unzipped, find_savings(context)),
        details=_biggest(context),
    )


def _advice(over: int, savings: Sequence[Saving]) -> str:
    """What would bring it under the limit, and nothing that wouldn't.

    :param over: bytes too many
    """
    enough = [saving for saving in savings if saving.size >= over]
    if enough:
        return "; or ".join(f"{item.how} saves {_megabytes(item.size)}" for item in enough)
    together = sum(saving.size for saving in savings)
    each = join_words([f"{item.how} ({_megabytes(item.size)})" for item in savings])
    if together >= over:
        return f"{each} together save enough"
    image = "deploy it as a container image, which may have 10 GB; layers count towards this limit"
    if not savings:
        return f"leave out what isn't used (--exclude), or {image}"
    return f"even {each} would leave {_megabytes(over - together)} too many: {image}"


def _biggest(context: CheckContext) -> tuple[str, ...]:
    sizes = {
        f"{project.name} {project.version}": project.size for project in context.bundle.projects
    }
    sizes["of no project"] = sum(e.size for e in context.bundle.entries if e.owner is None)
    for number, layer in enumerate(context.runtime_context.layers, 1):
        sizes[f"layer {number}"] = layer.size
    rows = sorted((row for row in sizes.items() if row[1]), key=lambda row: (-row[1], row[0]))
    shown = [f"{_megabytes(size):>9}  {name}" for name, size in rows[:_BIGGEST]]
    rest = sum(size for _, size in rows[_BIGGEST:])
    if rest:
        shown.append(f"{_megabytes(rest):>9}  {len(rows) - _BIGGEST} others")
    return tuple(shown)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
