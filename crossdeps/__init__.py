"""Package Python dependencies for a machine that is not the one you are on.

::

    import crossdeps

    target = crossdeps.Target.runtime("python3.9", arch="x86_64")
    report = crossdeps.build("requirements.txt", target, "function.zip")
    findings = crossdeps.check("function.zip", target)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.errors import (
        ArtifactError,
        ArtifactReadError,
        CollisionError,
        ConflictError,
        CrossdepsError,
        FindingsError,
        HashMismatchError,
        IndexAccessError,
        IndexRefusedError,
        IndexResponseError,
        IndexUnreachableError,
        InputError,
        IntegrityError,
        NoCandidateError,
        OfflineError,
        OutputError,
        ProjectNotFoundError,
        ResolutionError,
        ResourceError,
        SdistBuildError,
        SearchLimitError,
        TargetError,
        UsageError,
        WheelError,
    )
    from crossdeps.finding import Finding
    from crossdeps.pipeline.build import build
    from crossdeps.pipeline.check import check
    from crossdeps.pipeline.lock import lock
    from crossdeps.pipeline.request import Settings
    from crossdeps.progress import Progress
    from crossdeps.report.model import Report
    from crossdeps.target.model import Target

__all__ = [
    "ArtifactError",
    "ArtifactReadError",
    "CollisionError",
    "ConflictError",
    "CrossdepsError",
    "Finding",
    "FindingsError",
    "HashMismatchError",
    "IndexAccessError",
    "IndexRefusedError",
    "IndexResponseError",
    "IndexUnreachableError",
    "InputError",
    "IntegrityError",
    "NoCandidateError",
    "OfflineError",
    "OutputError",
    "Progress",
    "ProjectNotFoundError",
    "Report",
    "ResolutionError",
    "ResourceError",
    "SdistBuildError",
    "SearchLimitError",
    "Settings",
    "Target",
    "TargetError",
    "UsageError",
    "WheelError",
    "__version__",
    "build",
    "check",
    "lock",
]

_HOMES = {
    "Finding": "crossdeps.finding",
    "Progress": "crossdeps.progress",
    "Report": "crossdeps.report.model",
    "Settings": "crossdeps.pipeline.request",
    "Target": "crossdeps.target.model",
    "build": "crossdeps.pipeline.build",
    "check": "crossdeps.pipeline.check",
    "lock": "crossdeps.pipeline.lock",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that ``--help`` loads none (PEP 562)."""
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 - only for those who use the library

    value = getattr(import_module(_HOMES.get(name, "crossdeps.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
