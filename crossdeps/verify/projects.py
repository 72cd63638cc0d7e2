"""What the metadata of each project says of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import parse_tag

from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.tags import Tag

    from crossdeps.bundle.model import InstalledProject
    from crossdeps.verify.scene import Scene

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


def check_requires_python(scene: Scene) -> Iterator[Finding]:
    """Every project supports the target's Python (core metadata, Requires-Python)."""
    for project in scene.bundle.projects:
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
        if not supported.contains(scene.target.python, prereleases=True):
            yield REQUIRES_PYTHON.finding(
                f"{project.name} {project.version} needs Python {project.requires_python};"
                f" the target has {scene.target.python}",
                path=project.dist_info,
                owner=project.name,
                hint=f"build for the target: {scene.build_command}",
            )


def check_wheel_tags(scene: Scene) -> Iterator[Finding]:
    """Every project's wheel is one that the target accepts (WHEEL, Tag)."""
    ranks = scene.target.tag_ranks
    pythons = {(tag.interpreter, tag.abi) for tag in ranks}
    for project in scene.bundle.projects:
        tags = _tags(project)
        if not tags or any(tag in ranks for tag in tags):
            continue
        natives = scene.natives_by_owner.get(project.name, ())
        fits = any(native.standing == "fits" for native in natives) and any(
            (tag.interpreter, tag.abi) in pythons for tag in tags
        )
        yield (WHEEL_TAG if fits else WRONG_WHEEL).finding(
            f"{project.name} {project.version} comes from a wheel for {_describe(tags)};"
            f" the target is {scene.target.describe()}",
            path=project.dist_info,
            owner=project.name,
            hint=f"build for the target: {scene.build_command}",
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
