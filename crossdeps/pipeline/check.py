"""check(): an artifact that any tool made, checked against its target. No index is used."""

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

    from crossdeps.finding import Finding
    from crossdeps.target.model import Target
    from crossdeps.verify.model import Ignore


def check(
    path: str | os.PathLike[str],
    target: Target,
    *,
    ignore: Sequence[Ignore] = (),
    settings: Settings | None = None,
) -> tuple[Finding, ...]:
    """Find everything in a directory or zip, made by any tool, that is wrong for *target*.

    :param ignore: findings to ignore, in addition to those of *settings*
    :param settings: layers, handler and provided packages; the other settings have no effect
    :raises UsageError: if the handler is invalid
    :raises ArtifactReadError: if *path* or a layer cannot be read
    """
    settings = settings or Settings()
    runtime_context = read_runtime_context(
        find_runtime_packages(settings, target), layers=settings.layers, handler=settings.handler
    )
    bundle = read_bundle(Path(path), python=target.python_version)
    ignored = (*settings.ignore, *ignore)
    return verify(bundle, target, ignore=ignored, runtime_context=runtime_context)
