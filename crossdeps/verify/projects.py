"""What the metadata of each project says of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crossdeps.requirements.syntax import parse_requirement
from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from packaging.markers import Marker
    from packaging.tags import Tag

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.verify.context import CheckContext

REQUIRES_PYTHON = Rule(
    id="requires-python",
    severity="error",
    title="a project that doesn't support the target's Python",
    symptom="`SyntaxError`, `ImportError` of a newer standard library module, or subtler failures.",
    cause="The package was resolved for another Python, or installed with the check off.",
    remedy="Build for the target, so that a release that supports its Python is chosen.",
)
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
    cause="The project was installed by, or for, another Python or machine than the target's.",
    remedy="Build for the target.",
    explained_by=_BINARY_RULES,
)
WHEEL_TAG = Rule(
    id="wheel-tag",
    severity="warning",
    title="a wheel for another platform by its tag, although its binaries fit",
    symptom="None in most cases; features that check the platform may fail.",
    cause=(
        "The wheel was built locally (a `linux_x86_64` tag), is tagged for a newer manylinux than"
        " it needs, or was tagged wrongly."
    ),
    remedy="Prefer a wheel for the target; if the project works there, silence the finding.",
    explained_by=_BINARY_RULES,
)
UNREADABLE_METADATA = Rule(
    id="unreadable-metadata",
    severity="warning",
    title="project metadata that can't be understood",
    symptom="None on the target; what the metadata says couldn't be checked.",
    cause="The project was published with invalid metadata, or its files were damaged.",
    remedy="Look for a newer release of the project.",
)


def check_requires_python(context: CheckContext) -> Iterator[Finding]:
    """Every project supports the target's Python (core metadata, Requires-Python)."""
    for project in context.bundle.projects:
        if not project.requires_python:
            continue
        try:
            supported = SpecifierSet(project.requires_python)
        except InvalidSpecifier:
            yield UNREADABLE_METADATA.finding(
                f"{project.name} {project.version} has Requires-Python"
                f" {project.requires_python!r}, which can't be understood",
                path=project.dist_info,
                owner=project.name,
            )
            continue
        if not supported.contains(context.target.python, prereleases=True):
            yield REQUIRES_PYTHON.finding(
                f"{project.name} {project.version} needs Python {project.requires_python};"
                f" the target has {context.target.python}",
                path=project.dist_info,
                owner=project.name,
                hint=f"build for the target: {context.build_command}",
            )


def check_wheel_tags(context: CheckContext) -> Iterator[Finding]:
    """Every project's wheel is one that the target accepts (WHEEL, Tag)."""
    ranks = context.target.tag_ranks
    pythons = {(tag.interpreter, tag.abi) for tag in ranks}
    for project in context.bundle.projects:
        tags = _tags(project)
        if not tags or any(tag in ranks for tag in tags):
            continue
        natives = context.natives_by_owner.get(project.name, ())
        fits = any(native.standing == "fits" for native in natives) and any(
            (tag.interpreter, tag.abi) in pythons for tag in tags
        )
        yield (WHEEL_TAG if fits else WRONG_WHEEL).finding(
            f"{project.name} {project.version} comes from a wheel for {_describe(tags)};"
            f" the target is {context.target.describe()}",
            path=project.dist_info,
            owner=project.name,
            hint=f"build for the target: {context.build_command}",
        )


def _tags(project: InstalledProject) -> list[Tag]:
    tags: set[Tag] = set()
    for text in project.wheel_tags:
        if text.count("-") == 2:
            tags |= parse_tag(text)
    return sorted(tags, key=str)


def _describe(tags: list[Tag]) -> str:
    shown = [str(tag) for tag in tags[:2]]
    more = f" (+{len(tags) - 2})" if len(tags) > 2 else ""
    return f"{' and '.join(shown)}{more}"


UNMET_REQUIREMENT = Rule(
    id="unmet-requirement",
    severity="error",
    title="a required project is missing",
    symptom="`ModuleNotFoundError` when the requiring project is imported, or later.",
    cause="The package was installed with `--no-deps`, for other markers, or trimmed by hand.",
    remedy="Build from requirements, so that dependencies are resolved for the target.",
)
WRONG_VERSION = Rule(
    id="wrong-version",
    severity="warning",
    title="a required project is there in a version that isn't accepted",
    symptom="`ImportError`, `AttributeError` or wrong behaviour in the requiring project.",
    cause="Several installs into one directory, an override, or a copy by hand.",
    remedy="Build from requirements in one run.",
)


def check_requirements(context: CheckContext) -> Iterator[Finding]:
    """Every Requires-Dist that applies to the target is met (core metadata).

    Requirements under an extra count where another project of the bundle asks for that extra: what
    the user asked for isn't recorded in a bundle.
    """
    for project, requirement, extras in applying_requirements(context):
        name = canonicalize_name(requirement.name)
        found = context.projects.get(name) or context.layered.get(name)
        wanted = f"{project.name} {project.version} requires {_text(requirement)}{extras}"
        if found is not None:
            if not _accepts(requirement, found.version):
                place = "the package" if name in context.projects else "a layer"
                yield _finding(
                    context, WRONG_VERSION, project, f"{wanted}; {found.version} is in {place}"
                )
        elif known := context.provided.get(name):
            if known.version and not _accepts(requirement, str(known.version)):
                yield _finding(
                    context, WRONG_VERSION, project, f"{wanted}; the runtime has {known.describe()}"
                )
        elif name not in context.assumed:
            yield _finding(
                context, UNMET_REQUIREMENT, project, f"{wanted}, which isn't in the package"
            )


def _finding(context: CheckContext, rule: Rule, project: InstalledProject, message: str) -> Finding:
    return rule.finding(
        message,
        path=project.dist_info,
        owner=project.name,
        hint=f"build from requirements: {context.build_command}",
    )


def check_requirement_lines(context: CheckContext) -> Iterator[Finding]:
    """Every Requires-Dist can be understood."""
    for project in context.bundle.projects:
        for line in project.requires:
            if _parse(line) is None:
                yield UNREADABLE_METADATA.finding(
                    f"{project.name} {project.version} has the requirement {line!r},"
                    " which can't be understood",
                    path=project.dist_info,
                    owner=project.name,
                )


def applying_requirements(
    context: CheckContext,
) -> Iterator[tuple[InstalledProject, Requirement, str]]:
    """Each requirement that applies on the target, once, with the extra that brings it."""
    waiting = [(project, "") for project in reversed(context.bundle.projects)]
    seen = {(project.name, "") for project in context.bundle.projects}
    told: set[tuple[str, str]] = set()
    while waiting:
        project, extra = waiting.pop()
        for line in project.requires:
            requirement = _parse(line)
            if requirement is None or not _applies(context, requirement, extra):
                continue
            if (project.name, line) not in told:
                told.add((project.name, line))
                yield project, requirement, f" (for its extra {extra})" if extra else ""
            wanted = context.projects.get(canonicalize_name(requirement.name))
            for name in sorted(requirement.extras) if wanted else ():
                key = (wanted.name, canonicalize_name(name)) if wanted else None
                if wanted and key and key not in seen:
                    seen.add(key)
                    waiting.append((wanted, key[1]))


def _applies(context: CheckContext, requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return not extra
    without = _evaluate(context, requirement.marker, "")
    return not without and _evaluate(context, requirement.marker, extra) if extra else without


def _evaluate(context: CheckContext, marker: Marker, extra: str) -> bool:
    environment: dict[str, str | AbstractSet[str]] = {"extra": extra}
    environment.update((key, str(value)) for key, value in context.target.environment.items())
    return marker.evaluate(environment)


def _accepts(requirement: Requirement, version: str) -> bool:
    if requirement.url:
        return True
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _parse(line: str) -> Requirement | None:
    try:
        return parse_requirement(line)
    except InvalidRequirement:
        return None


def _text(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


SPLIT_SDK = Rule(
    id="split-sdk",
    severity="warning",
    title="parts of the SDK come from the package, and others from the runtime",
    symptom=(
        "`ImportError: cannot import name 'DEFAULT_CIPHERS' from 'urllib3.util.ssl_'`, or a"
        " `TypeError` deep in botocore, often after an update of the runtime."
    ),
    cause=(
        "The package's folder comes first on the import path, so the runtime's boto3 uses the"
        " package's urllib3, botocore or s3transfer, which were never tested with it; and the"
        " runtime is updated without notice."
    ),
    remedy=(
        "Package boto3 too (build without `--provided`, and name boto3 in the requirements), as AWS"
        " advises; or leave the shared projects out."
    ),
)

# What boto3 is sensitive to; its other dependencies have been stable for many years.
_SENSITIVE = ("botocore", "s3transfer", "urllib3")
_SDK = frozenset({"boto3", "botocore"})


def check_split_sdk(context: CheckContext) -> Iterator[Finding]:
    """Where the runtime's boto3 is used, what it sits on is the runtime's too."""
    if not context.provided:
        return
    used = _SDK & context.runtime_context.left_out
    if not used and context.runtime_context.handler is not None:
        used = _SDK & {
            item.module.partition(".")[0] for file in context.sources for item in file.imports
        }
    packaged = context.projects.keys() | context.layered.keys()
    if not used or "boto3" in packaged:
        return
    own = [name for name in _SENSITIVE if name in packaged]
    if "botocore" in own and used == {"botocore"}:
        return
    for name in own:
        project = context.projects.get(name) or context.layered[name]
        yield SPLIT_SDK.finding(
            f"the runtime's boto3 will use the package's {name} {project.version}",
            path=project.dist_info if name in context.projects else "",
            owner=name,
            hint="package boto3 too, without --provided; AWS updates its own without notice",
        )
