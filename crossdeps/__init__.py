"""Package Python dependencies for a machine that is not the one you are on.

::

    import crossdeps

    target = crossdeps.Target.runtime("python3.9", arch="x86_64")
    report = crossdeps.build("requirements.txt", target, "function.zip", source="src", slim=True)
    findings = crossdeps.check("function.zip", target)
"""

from __future__ import annotations

import sys
from types import ModuleType
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
    from crossdeps.pipeline.keywords import (
        BuildKeywords,
        CheckKeywords,
        ResolveKeywords,
        Settings,
    )
    from crossdeps.pipeline.library import build, check, diff, lock, report, tags, why
    from crossdeps.progress import Progress
    from crossdeps.report.diff.comparison import Comparison
    from crossdeps.report.inspect.inspection import Inspection
    from crossdeps.report.locked import Lock
    from crossdeps.report.model import Artifact, LayerLine, PackageLine, Report, Tags
    from crossdeps.report.why import Why
    from crossdeps.target.model import Target

__all__ = [
    "Artifact",
    "ArtifactError",
    "ArtifactReadError",
    "BuildKeywords",
    "CheckKeywords",
    "CollisionError",
    "Comparison",
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
    "Inspection",
    "IntegrityError",
    "LayerLine",
    "Lock",
    "NoCandidateError",
    "OfflineError",
    "OutputError",
    "PackageLine",
    "Progress",
    "ProjectNotFoundError",
    "Report",
    "ResolutionError",
    "ResolveKeywords",
    "ResourceError",
    "SdistBuildError",
    "SearchLimitError",
    "Settings",
    "Tags",
    "Target",
    "TargetError",
    "UsageError",
    "WheelError",
    "Why",
    "__version__",
    "build",
    "check",
    "diff",
    "lock",
    "report",
    "tags",
    "why",
]

_HOMES = {
    "Artifact": "crossdeps.report.model",
    "BuildKeywords": "crossdeps.pipeline.keywords",
    "CheckKeywords": "crossdeps.pipeline.keywords",
    "Comparison": "crossdeps.report.diff.comparison",
    "Finding": "crossdeps.finding",
    "Inspection": "crossdeps.report.inspect.inspection",
    "LayerLine": "crossdeps.report.model",
    "Lock": "crossdeps.report.locked",
    "PackageLine": "crossdeps.report.model",
    "Progress": "crossdeps.progress",
    "Report": "crossdeps.report.model",
    "ResolveKeywords": "crossdeps.pipeline.keywords",
    "Settings": "crossdeps.pipeline.keywords",
    "Tags": "crossdeps.report.model",
    "Target": "crossdeps.target.model",
    "Why": "crossdeps.report.why",
    "build": "crossdeps.pipeline.library",
    "check": "crossdeps.pipeline.library",
    "diff": "crossdeps.pipeline.library",
    "lock": "crossdeps.pipeline.library",
    "report": "crossdeps.pipeline.library",
    "tags": "crossdeps.pipeline.library",
    "why": "crossdeps.pipeline.library",
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


class _Package(ModuleType):
    """This module, in which the inner package ``report`` does not hide the function."""

    def __setattr__(self, name: str, value: object) -> None:
        # The import system sets an inner package as an attribute when it has been loaded.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(__all__)
