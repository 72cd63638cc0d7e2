"""What a build would download, and how large it is at least, by the sizes that indexes state.

An index states the size of each wheel, and a lock keeps it. So what cannot fit is known before
anything is downloaded, and a dry run needs no download at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from crossdeps.bundle.model import Bundle, InstalledProject
from crossdeps.bundle.plan import read_layout_sources
from crossdeps.errors import FindingsError
from crossdeps.report.model import Artifact
from crossdeps.text import human_size, plural
from crossdeps.verify.size import check_stated_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Layout
    from crossdeps.pipeline.request import Settings
    from crossdeps.resolution.model import SelectedPackage
    from crossdeps.target.model import Target


class StatedWheel(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel as its index or lock describes it.

    :param filename: empty for what has to be built from source
    :param size: bytes of the file; 0 if it is not stated
    """

    name: NormalizedName
    version: str
    filename: str = ""
    sha256: str = ""
    tags: tuple[str, ...] = ()
    size: int = 0
    warnings: tuple[str, ...] = ()


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a dry run reports without the wheels."""

    wheels: tuple[StatedWheel, ...]
    bundle: Bundle
    artifact: Artifact


def estimate(
    packages: Iterable[SelectedPackage],
    settings: Settings,
    target: Target,
    layers: Iterable[Bundle],
) -> Estimate | None:
    """Refuse what cannot fit, and estimate what a dry run would build.

    :param layers: of the function, which count towards the limit
    :returns: None if the wheels are to be fetched
    :raises FindingsError: if the artifact cannot fit
    """
    wheels = tuple(map(_read_stated_wheel, packages))
    _refuse_too_large(wheels, settings, target, layers)
    if not settings.dry_run or settings.offline:
        return None
    bundle = _estimate_bundle(wheels, settings.layout)
    return Estimate(wheels=wheels, bundle=bundle, artifact=_estimate_artifact(bundle, settings))


def _read_stated_wheel(item: SelectedPackage) -> StatedWheel:
    version = "" if item.version is None else str(item.version)
    try:
        tags = parse_wheel_filename(item.file.filename)[3] if item.file is not None else None
    except InvalidWheelFilename:
        tags = None
    if item.file is None or tags is None:
        return StatedWheel(name=item.name, version=version)
    return StatedWheel(
        name=item.name,
        version=version,
        filename=item.file.filename,
        sha256=item.file.hashes.get("sha256", ""),
        tags=tuple(sorted(map(str, tags))),
        size=item.file.size or 0,
    )


def _refuse_too_large(
    wheels: Sequence[StatedWheel], settings: Settings, target: Target, layers: Iterable[Bundle]
) -> None:
    """Refuse what exceeds the limit of the runtime whatever the wheels contain.

    Where a part of their files is excluded, nothing is known beforehand.
    """
    layout = settings.layout
    if layout.slim or layout.exclude:
        return
    excluded = set(layout.excluded_projects)
    finding = check_stated_sizes(
        target,
        {f"{each.name} {each.version}": each.size for each in wheels if each.name not in excluded},
        layers=sum(layer.size for layer in layers),
    )
    if finding is not None and not any(each.matches(finding) for each in settings.ignore):
        raise FindingsError((finding,))


def _estimate_bundle(wheels: Sequence[StatedWheel], layout: Layout) -> Bundle:
    """Return a bundle of the source and of projects without entries, with the stated sizes."""
    excluded = set(layout.excluded_projects)
    planned = [each for each in wheels if each.name not in excluded]
    source = read_layout_sources(layout)
    projects = [
        InstalledProject(
            name=each.name,
            version=each.version,
            dist_info="",
            wheel_tags=each.tags,
            requires=(),
            requires_python=None,
            size=each.size,
            compressed=each.size,
        )
        for each in planned
    ]
    return Bundle(
        kind="planned",
        entries=source.entries if source else (),
        prefix=layout.prefix,
        projects=tuple(projects),
        removed=tuple(
            ("excluded-project", each.name, each.size) for each in wheels if each.name in excluded
        ),
        warnings=source.warnings if source else (),
        notes=(*(source.notes if source else ()), _describe(planned)),
        source_left_out=source.left_out if source else (),
    )


def _describe(wheels: Sequence[StatedWheel]) -> str:
    unknown = sum(not each.size for each in wheels)
    text = (
        f"{plural(len(wheels), 'package')} of {human_size(sum(each.size for each in wheels))}"
        f" {'is' if len(wheels) == 1 else 'are'} not all in the cache, and a dry run downloads"
        " nothing: their files were not checked, and sizes are those of the wheels, as their index"
        " states them"
    )
    return f"{text}; no size is stated for {unknown} of them" if unknown else text


def _estimate_artifact(bundle: Bundle, settings: Settings) -> Artifact:
    """Return the artifact of *bundle*: it is at least about as large as its wheels together."""
    size = sum(project.compressed for project in bundle.projects) + bundle.size
    return Artifact(
        path=None,
        kind=settings.layout.kind,
        entries=0,
        size=size,
        unzipped=size,
        estimated=True,
        planned_path=settings.layout.output,
    )
