"""What will be around the artifact where it runs: layers, the runtime, the handler's caller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle import read_bundle
from crossdeps.errors import UsageError
from crossdeps.verify import Handler, Surroundings

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from crossdeps.pipeline.providing import Provision

# AWS Lambda quotas: "Function layers: five layers".
_MOST_LAYERS = 5


def surroundings_of(
    provision: Provision,
    *,
    layers: Sequence[str | os.PathLike[str]] = (),
    handler: str | None = None,
    prefix: str = "",
) -> Surroundings:
    """Read the layers and the handler.

    :param layers: directories and zips, as they are given to the function
    :param prefix: where the artifact's packages lie
    :raises UsageError: if it isn't a handler, or the artifact or the layers can't be such
    :raises ArtifactReadError: if a layer can't be read
    """
    if handler and prefix:
        raise UsageError(
            "a layer has no handler", hint="check the handler on the function: --with-layer PATH"
        )
    if provision.target.runtime_name and len(layers) > _MOST_LAYERS:
        raise UsageError(
            f"a function has at most {_MOST_LAYERS} layers; {len(layers)} were given",
            hint="put their content together",
        )
    parsed = Handler.parse(handler) if handler else None
    return Surroundings(
        layers=tuple(read_bundle(Path(layer)) for layer in layers),
        provided=provision.projects,
        left_out=frozenset(provision.sdk),
        handler=parsed,
    )
