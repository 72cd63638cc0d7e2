"""Rules on the metadata of projects: wheel tags, Requires-Python, requirements, the AWS SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from crossdeps.requirements.requires_dist import accepts
from crossdeps.text import first_words
from crossdeps.verify.model import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.finding import Finding
    from crossdeps.requirements.requires_dist import RequiresDist
    from crossdeps.verify.context import CheckContext

Name = TypeVar("Name", bound=str)

_BINARY_RULES = (
    "wrong-machine",
    "wrong-extension",
    "wrong-libc",
    "damaged-binary",
    "glibc-too-old",
    "symbol-version-too-new",
)
WRONG_WHEEL = Rule(
    id="wrong-wheel",
    severity="error",
    title="a wheel for another Python or platform",
    symptom="A module or library of the project is missing on the target.",
    cause="The project was installed by or for a Python or machine other than the target's.",
    remedy="Build for the target.",
    explained_by=_BINARY_RULES,
)
WHEEL_TAG = Rule(
    id="wheel-tag",
    severity="warning",
    title="a wheel whose tag is for another platform, although its binaries fit",
    symptom="None in most cases. Features that check the platform may fail.",
    cause=(
        "The wheel was built locally (a `linux_x86_64` tag), is tagged for a newer manylinux policy"
        " than it needs, or has a wrong tag."
    ),
    remedy="Prefer a wheel for the target. If the project works there, ignore the finding.",
    explained_by=_BINARY_RULES,
)
REQUIRES_PYTHON = Rule(
    id="requires-python",
    severity="error",
    title="a project that does not support the target's Python",
    symptom="`SyntaxError`, `ImportError` of a newer standard library module, or subtler failures.",
    cause="The package was resolved for another Python, or installed with the check disabled.",
    remedy="Build for the target, so that a release that supports its Python is selected.",
)
UNMET_REQUIREMENT = Rule(
    id="unmet-requirement",
    severity="error",
    title="a required project is missing",
    symptom="`ModuleNotFoundError` when the dependent project is imported, or later.",
    cause="The package was installed with `--no-deps` or for other markers, or trimmed by hand.",
    remedy="Build from requirements, so that dependencies are resolved for the target.",
)
WRONG_VERSION = Rule(
    id="wrong-version",
    severity="warning",
    title="a required project has a version that is not accepted",
    symptom="`ImportError`, `AttributeError` or wrong behaviour in the dependent project.",
    cause="Several installations into one directory, an override, or a manual copy.",
    remedy="Build from requirements in one run.",
)
UNREADABLE_METADATA = Rule(
    id="unreadable-metadata",
    severity="warning",
    title="project metadata that cannot be parsed",
    symptom="None on the target. The metadata could not be checked.",
    cause="The project was published with invalid metadata, or its files were damaged.",
    remedy="Look for a newer release of the project.",
)


def check_wheel_tags(context: CheckContext) -> Iterator[Finding]:
    """Check that each project comes from a wheel that the target accepts (WHEEL, Tag)."""
    # Every Python 3 accepts this one, so that most projects are known at once.
    suspects = [
        (project, tags)
        for project in context.bundle.projects
        if (tags := context.wheel_tags(project)) and "py3-none-any" not in tags
    ]
    if not suspects:
        return
    accepted = set(map(str, context.target.tag_ranks))
    pythons = {tag.rpartition("-")[0] for tag in accepted}
    owners = {native.entry.owner for native in context.compatible_files if not native.layer}
    for project, tags in suspects:
        if not tags.isdisjoint(accepted):
            continue
        names = first_words(sorted(tags), 2)
        fits = project.name in owners and any(tag.rpartition("-")[0] in pythons for tag in tags)
        yield (WHEEL_TAG if fits else WRONG_WHEEL).project_finding(
            project,
            f"{project.name} {project.version} comes from a wheel for {names};"
            f" the target is {context.target.describe()}",
            hint=context.build_hint,
        )


def check_requires_python(context: CheckContext) -> Iterator[Finding]:
    """Check that each project supports the target's Python (core metadata, Requires-Python)."""
    for project in context.bundle.projects:
        if not project.requires_python:
            continue
        try:
            supported = accepts(project.requires_python, context.target.python)
        except ValueError:  # InvalidSpecifier
            yield UNREADABLE_METADATA.project_finding(
                project,
                f"{project.name} {project.version} has an invalid Requires-Python:"
                f" {project.requires_python!r}",
            )
            continue
        if not supported:
            yield REQUIRES_PYTHON.project_finding(
                project,
                f"{project.name} {project.version} requires Python {project.requires_python};"
                f" the target has {context.target.python}",
                hint=context.build_hint,
            )


def check_requirement_lines(context: CheckContext) -> Iterator[Finding]:
    """Check that each Requires-Dist can be parsed."""
    for project in context.bundle.projects:
        for required in context.requirements(project):
            if not required.is_valid:
                yield UNREADABLE_METADATA.project_finding(
                    project,
                    f"{project.name} {project.version} has an invalid requirement:"
                    f" {required.line!r}",
                )


def check_requirements(context: CheckContext) -> Iterator[Finding]:
    """Check that each Requires-Dist that applies to the target is met (core metadata).

    Requirements of an extra apply if another project of the bundle requires that extra: a bundle
    doesn't record the extras that the user required.
    """
    for project, required, extra in iterate_requirements(
        context.bundle.projects, context.requirements, context.conditions.hold
    ):
        problem = _find_unmet(context, required)
        if problem:
            rule, text = problem
            suffix = f" (for its extra {extra})" if extra else ""
            yield rule.project_finding(
                project,
                f"{project.name} {project.version} requires"
                f" {required.name}{required.specifier}{suffix}{text}",
                hint=f"build from requirements: {context.build_command}",
            )


def _find_unmet(context: CheckContext, required: RequiresDist) -> tuple[Rule, str] | None:
    """Find why a requirement isn't met: the rule, and the end of its message."""
    name = required.project
    found = context.projects.get(name)
    if found:
        problem = WRONG_VERSION, f"; {found.version} is in the package"
        return None if accepts_version(required, found.version) else problem
    if name in context.layer_projects:
        return None  # its version: layers.check_layer_versions
    provided = context.provided.get(cast("NormalizedName", name))
    if provided:
        problem = WRONG_VERSION, f"; the runtime has {provided.describe()}"
        is_accepted = provided.version is None or accepts_version(required, str(provided.version))
        return None if is_accepted else problem
    if name in context.expected_missing:
        return None
    return UNMET_REQUIREMENT, ", which is not in the package"


def iterate_requirements(
    projects: Sequence[InstalledProject],
    requirements: Callable[[InstalledProject], Iterable[RequiresDist]],
    holds: Callable[[RequiresDist, str], bool],
) -> Iterator[tuple[InstalledProject, RequiresDist, str]]:
    """Yield each requirement of *projects* that applies once, with the extra that it belongs to.

    :param requirements: the Requires-Dist lines of a project
    :param holds: whether the marker of one is true when an extra, which may be empty, is required
    """
    by_name: dict[str, InstalledProject] = {project.name: project for project in projects}
    pending = [(project, "") for project in reversed(projects)]
    visited = {(name, "") for name in by_name}
    yielded: set[tuple[str, str]] = set()
    while pending:
        project, extra = pending.pop()
        for required in requirements(project):
            if not required.is_valid or not _applies(required, extra, holds):
                continue
            if (project.name, required.line) not in yielded:
                yielded.add((project.name, required.line))
                yield project, required, extra
            dependency = by_name.get(required.project)
            for name in required.extras:
                if dependency and (dependency.name, name) not in visited:
                    visited.add((dependency.name, name))
                    pending.append((dependency, name))


def _applies(
    required: RequiresDist, extra: str, holds: Callable[[RequiresDist, str], bool]
) -> bool:
    """Whether a requirement applies; for an extra, whether the extra adds it."""
    without_extra = holds(required, "")
    return not without_extra and holds(required, extra) if extra else without_extra


def find_reachable(
    roots: Iterable[Name], graph: Mapping[Name, Iterable[Name]], *, stop: Container[str] = ()
) -> set[Name]:
    """Find all projects that *roots* depend on, and themselves, without passing through *stop*.

    :param graph: project -> the projects that it requires
    """
    reached: set[Name] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name not in reached and name not in stop:
            reached.add(name)
            pending += graph.get(name, ())
    return reached


def accepts_version(required: RequiresDist, version: str) -> bool:
    """Whether *version* meets a requirement; one that cannot be compared does."""
    if required.url:
        return True
    try:
        return accepts(required.specifier, version)
    except ValueError:  # InvalidVersion
        return True


SPLIT_SDK = Rule(
    id="split-sdk",
    severity="warning",
    title="parts of the AWS SDK come from the package, and others from the runtime",
    symptom=(
        "`ImportError: cannot import name 'DEFAULT_CIPHERS' from 'urllib3.util.ssl_'`, or a"
        " `TypeError` inside botocore, often after an update of the runtime."
    ),
    cause=(
        "The package's folder comes first on the import path, so the runtime's boto3 uses the"
        " package's urllib3, botocore or s3transfer, with which it was never tested. The runtime is"
        " updated without notice."
    ),
    remedy=(
        "Package boto3 too (build without `--provided`, and add boto3 to the requirements), as AWS"
        " recommends, or leave out the shared projects."
    ),
)

# The dependencies of boto3 whose versions must match; the others have been stable for years.
_SDK_DEPENDENCIES = ("botocore", "s3transfer", "urllib3")
_SDK = frozenset({"boto3", "botocore"})


def check_split_sdk(context: CheckContext) -> Iterator[Finding]:
    """Check that the runtime's boto3, if it is used, gets its dependencies from the runtime."""
    if not context.provided:
        return
    used = _SDK & context.runtime_context.left_out
    if not used:
        used = _SDK & {
            item.module.partition(".")[0] for file in context.sources for item in file.imports
        }
    packaged = {**context.layer_projects, **context.projects}
    if not used or "boto3" in packaged or ("botocore" in packaged and used == {"botocore"}):
        return
    for name in _SDK_DEPENDENCIES:
        project = packaged.get(name)
        if project:
            yield SPLIT_SDK.finding(
                f"the runtime's boto3 will use the package's {name} {project.version}",
                path=project.dist_info if name in context.projects else "",
                owner=name,
                hint="package boto3 too, without --provided: AWS updates its own without notice",
            )
