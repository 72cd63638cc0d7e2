"""check(): what another tool made, or we, against the target. No index is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle.read import read_bundle
from crossdeps.pipeline.request import Settings
from crossdeps.pipeline.runtime import find_runtime_packages, read_runtime_context
from crossdeps.verify.registry import verify

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from crossdeps.target.model import Target
    from crossdeps.verify.model import Finding, Ignore


def check(
    path: str | os.PathLike[str],
    target: Target,
    *,
    ignore: Sequence[Ignore] = (),
    settings: Settings | None = None,
) -> tuple[Finding, ...]:
    """Find what in a directory or zip, made by any tool, is wrong for *target*.

    :param ignore: what to silence, beside what *settings* say
    :param settings: layers, handler and what the runtime provides; the rest is of no concern here
    :raises UsageError: if there can't be such a handler
    :raises ArtifactReadError: if *path* or a layer can't be read
    """
    settings = settings or Settings()
    runtime_context = read_runtime_context(
        find_runtime_packages(settings, target), layers=settings.layers, handler=settings.handler
    )
    bundle = read_bundle(Path(path))
    silenced = (*settings.ignore, *ignore)
    return verify(bundle, target, ignore=silenced, runtime_context=runtime_context)
