"""The artifact of a build: its layout, the write to disk, and the report about it."""

from __future__ import annotations

import os
from binascii import b2a_base64
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.derived import DerivedCache
from crossdeps.pipeline.process import find_cache
from crossdeps.report.model import Artifact, LayerLine, PackageLine, Report
from crossdeps.target.runtimes import ProvidedProject
from crossdeps.text import human_size, redact

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from crossdeps.bundle.destination import DestinationState
    from crossdeps.bundle.model import Bundle, Layout
    from crossdeps.bundle.staging import Written
    from crossdeps.bundle.zip_layout import ZipLayout
    from crossdeps.finding import Finding
    from crossdeps.pipeline.estimate import StatedWheel
    from crossdeps.pipeline.request import Settings
    from crossdeps.pipeline.runtime import RuntimePackages
    from crossdeps.pipeline.session import Session
    from crossdeps.progress import Progress
    from crossdeps.resolution.model import Choice, Resolution
    from crossdeps.target.model import Target
    from crossdeps.wheels.model import Wheel

ZIP_SUFFIX = ".zip"
_OUTPUTS: Final = "outputs1"


def apply_layout(
    settings: Settings,
    output: Path,
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    target: Target,
) -> Settings:
    """Return *settings* with the layout that *output* and *source* imply.

    :raises UsageError: if the layout does not suit *target*
    """
    sources = (source,) if isinstance(source, (str, os.PathLike)) else source
    layout = msgspec.structs.replace(
        settings.layout,
        kind="zip" if output.name.lower().endswith(ZIP_SUFFIX) else "directory",
        output=output.absolute(),
        sources=(*settings.layout.sources, *(Path(item) for item in sources)),
    )
    layout.check(target)
    return msgspec.structs.replace(settings, layout=layout)


def check_output(settings: Settings) -> DestinationState | None:
    """Refuse an output that cannot be written before any work is done.

    :returns: what was found, for :func:`write_artifact`
    :raises OutputError: if the output holds files of the user's
    """
    from crossdeps.bundle.destination import (  # noqa: PLC0415 - not for an unchanged output
        check_directory_destination,
        check_zip_destination,
    )

    layout = settings.layout
    if layout.output and not settings.dry_run:
        is_zip = layout.kind == "zip"
        check = check_zip_destination if is_zip else check_directory_destination
        # An output inside a source holds the user's own code: --force does not replace it.
        within = any(_holds(source, layout.output) for source in layout.sources)
        force = settings.force and not within
        return check((), layout.output, force=force, checked=_recall_output(settings))
    return None


def _recall_output(settings: Settings) -> DestinationState | None:
    """Return the state in which an earlier run left the zip at the output, to spare reading it."""
    if settings.layout.kind != "zip":
        return None
    from crossdeps.bundle.destination import STATE_DECODER  # noqa: PLC0415 - see check_output

    data = DerivedCache(find_cache(settings)).read(_OUTPUTS, str(settings.layout.output))
    try:
        return None if data is None else STATE_DECODER.decode(data)
    except msgspec.MsgspecError:
        return None


def remember_output(settings: Settings, written: Written) -> None:
    """Note the state of the zip that was just written."""
    from crossdeps.bundle.destination import read_zip_state  # noqa: PLC0415 - see check_output

    try:
        state = msgspec.msgpack.encode(read_zip_state(written.path))
    except (OSError, UnicodeEncodeError):  # it has been removed since, or its path is not UTF-8
        return
    DerivedCache(find_cache(settings)).write(_OUTPUTS, str(written.path), state)


def _holds(source: Path, output: Path) -> bool:
    return Path(os.path.realpath(source)) in Path(os.path.realpath(output)).parents


def write_artifact(
    bundle: Bundle, settings: Settings, progress: Progress, checked: DestinationState | None
) -> tuple[Artifact, ZipLayout | None]:
    """Write *bundle* to the output of the layout; nothing for a dry run.

    :param checked: result of :func:`check_output`
    :returns: what was written, or would be without ``--dry-run``, and its layout if it is a zip
    :raises OutputError: if it cannot be written; the previous output is still in place
    """
    from crossdeps.bundle.write import write_directory, write_zip  # noqa: PLC0415 - not for an unchanged output

    layout = settings.layout
    written: Written | None = None
    if layout.output and not settings.dry_run:
        write = write_zip if layout.kind == "zip" else write_directory
        written = write(
            bundle, layout.output, force=settings.force, checked=checked, progress=progress
        )
        if layout.kind == "zip":
            remember_output(settings, written)
    entries, unzipped = len(bundle.entries), bundle.size
    if written is not None:
        artifact = describe_artifact(settings, written, entries=entries, unzipped=unzipped)
        return artifact, written.layout
    artifact = Artifact(
        path=None,
        kind=layout.kind,
        entries=entries,
        size=_measure(bundle, layout),
        unzipped=unzipped,
        planned_path=layout.output,
    )
    return artifact, None


def _measure(bundle: Bundle, layout: Layout) -> int:
    """Return the bytes of the zip that *bundle* would make, or of the files of a directory.

    :raises OutputError: if a file of the user cannot be read
    """
    if layout.kind != "zip":
        return bundle.size
    from crossdeps.bundle.staging import output_errors  # noqa: PLC0415 - for dry runs only
    from crossdeps.bundle.zip_layout import plan_zip  # noqa: PLC0415 - as above

    with output_errors(layout.output or Path("package.zip")):
        return plan_zip(bundle)[0].size


def describe_artifact(
    settings: Settings, written: Written, *, entries: int, unzipped: int
) -> Artifact:
    """Describe what was written.

    :param entries: number of files
    :param unzipped: bytes of all files
    """
    sha256 = written.sha256
    return Artifact(
        path=written.path,
        kind=settings.layout.kind,
        entries=entries,
        size=written.size,
        unzipped=unzipped,
        sha256=sha256,
        code_sha256=b2a_base64(bytes.fromhex(sha256), newline=False).decode("ascii"),
    )


def build_upload_notes(bundle: Bundle, artifact: Artifact, target: Target) -> tuple[str, ...]:
    """Explain what to do with a zip that exceeds the limit of direct uploads.

    A layer helps if both the rest and the layer fit: each is uploaded by itself.
    """
    facts = target.runtime_facts
    if facts is None or artifact.kind != "zip" or artifact.size <= facts.limits.direct_upload:
        return ()
    limit = facts.limits.direct_upload
    over = artifact.size - limit
    moved: list[str] = []
    size = 0
    for project in sorted(bundle.projects, key=lambda item: (-item.compressed, item.name)):
        if size >= over:
            break
        moved.append(project.name)
        size += project.compressed
    text = (
        f"{human_size(artifact.size)} zipped cannot be uploaded directly"
        f" (the limit is {human_size(limit)}): upload it through S3"
    )
    if not bundle.prefix and over <= size <= limit and len(moved) < len(bundle.projects):
        text += f", or move {', '.join(moved)} into a layer ({human_size(size)} zipped)"
    return (text,)


def build_report(
    *,
    target: Target,
    lock: Pylock,
    resolution: Resolution | None,
    wheels: Sequence[Wheel | StatedWheel],
    bundle: Bundle,
    findings: tuple[Finding, ...],
    artifact: Artifact,
    session: Session,
    runtime_packages: RuntimePackages,
    left_out: Collection[NormalizedName] = (),
    layers: Sequence[Bundle] = (),
) -> Report:
    """Build the report from the results of each step.

    :param resolution: None if a lock was built
    :param left_out: projects that are left to the runtime
    """
    choices = resolution.choices if resolution else {}
    sizes = {project.name: project.size for project in bundle.projects}
    lines = [
        _package(wheel, sizes[wheel.name], choices.get(wheel.name))
        for wheel in wheels
        if wheel.name in sizes
    ]
    warnings = (
        *session.warnings,
        *(resolution.warnings if resolution else ()),
        *(f"{wheel.filename}: {warning}" for wheel in wheels for warning in wheel.warnings),
        *bundle.warnings,
        *runtime_packages.remarks(left_out),
    )
    options = session.options
    return Report(
        target=target,
        artifact=artifact,
        read_lock=lambda: lock,
        packages=tuple(sorted(lines, key=lambda line: line.name)),
        findings=findings,
        removed=bundle.removed,
        source_left_out=bundle.source_left_out,
        provided=tuple(
            runtime_packages.projects.get(name, ProvidedProject(name=name, role="dependency"))
            for name in sorted(left_out)
        ),
        layers=tuple(
            LayerLine(path=str(path), size=layer.size)
            for path, layer in zip(session.settings.layers, layers, strict=True)
        ),
        indexes=tuple(redact(url) for url in (*options.index_urls, *options.find_links)),
        warnings=tuple(dict.fromkeys(warnings)),
        notes=(
            *_build_notes(session),
            *bundle.notes,
            *build_upload_notes(bundle, artifact, target),
        ),
    )


def _build_notes(session: Session) -> tuple[str, ...]:
    """Return how something was built from source, where it isn't as usual."""
    builder = vars(session).get("builder")  # if it was needed
    return builder.notes if builder else ()


def _package(wheel: Wheel | StatedWheel, size: int, choice: Choice | None) -> PackageLine:
    return PackageLine(
        name=wheel.name,
        version=str(wheel.version),
        wheel=wheel.filename,
        sha256=wheel.sha256,
        tags=wheel.tags,
        size=size,
        requested=any(dependent.parent is None for dependent in choice.required_by)
        if choice
        else False,
        skipped_versions=choice.skipped_versions if choice else (),
    )
