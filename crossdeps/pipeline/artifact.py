"""From a planned bundle to an artifact on disk."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle import (
    Bundle,
    check_directory_destination,
    check_zip_destination,
    write_directory,
    write_zip,
)
from crossdeps.report import Artifact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.bundle import Written
    from crossdeps.pipeline.settings import Settings
    from crossdeps.progress import Progress
    from crossdeps.target import Target

ZIP_SUFFIX = ".zip"


def lay_out(
    settings: Settings,
    output: Path,
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    target: Target,
) -> Settings:
    """*settings* with the layout that *output* and *source* ask for.

    :raises UsageError: if the layout isn't one for *target*
    """
    sources = (source,) if isinstance(source, (str, os.PathLike)) else source
    layout = replace(
        settings.layout,
        kind="zip" if output.name.lower().endswith(ZIP_SUFFIX) else "directory",
        output=output.absolute(),
        sources=(*settings.layout.sources, *(Path(one) for one in sources)),
    )
    layout.check(target)
    return replace(settings, layout=layout)


def check_output(settings: Settings) -> None:
    """Refuse an output that can't be written before any work is done for it.

    :raises OutputError: if something of the user's is there
    """
    layout = settings.layout
    if layout.output and not settings.dry_run:
        is_zip = layout.kind == "zip"
        check = check_zip_destination if is_zip else check_directory_destination
        # What lies within a source is the user's own code: no force replaces that.
        within = any(_holds(source, layout.output) for source in layout.sources)
        force = settings.force and not within
        check(Bundle(kind="planned", entries=()), layout.output, force=force)


def _holds(source: Path, output: Path) -> bool:
    return Path(os.path.realpath(source)) in Path(os.path.realpath(output)).parents


def write_artifact(bundle: Bundle, settings: Settings, progress: Progress) -> Artifact:
    """Write *bundle* where the layout says; nothing for a dry run.

    :raises OutputError: if it can't be written; what was there before is still there
    """
    layout = settings.layout
    written: Written | None = None
    if layout.output and not settings.dry_run:
        write = write_zip if layout.kind == "zip" else write_directory
        written = write(bundle, layout.output, force=settings.force, progress=progress)
    sha256 = written.sha256 if written else ""
    return Artifact(
        path=written.path if written else None,
        kind=layout.kind,
        entries=len(bundle.entries),
        size=written.size if written else 0,
        unzipped=bundle.size,
        sha256=sha256,
        code_sha256=base64.b64encode(bytes.fromhex(sha256)).decode("ascii"),
    )
