"""What is asked? Requirements files, projects, locks and configuration, read into values.

Environment variables and standard input come in as arguments; only files are opened here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.inputs.model import (
    DirectSource,
    FileOptions,
    InputRequest,
    Inputs,
    Origin,
    PreReleases,
    Requirement,
)

if TYPE_CHECKING:
    from crossdeps.inputs.configuration import ProjectConfiguration, read_configuration
    from crossdeps.inputs.configured_options import (
        ConfiguredOptions,
        ConnectionOptions,
        read_configured_options,
    )
    from crossdeps.inputs.credentials import Credentials
    from crossdeps.inputs.display import redact_urls
    from crossdeps.inputs.environment import process_environment
    from crossdeps.inputs.gather import gather_inputs
    from crossdeps.inputs.index_options import (
        IndexOptions,
        gather_index_options,
        merge_selection_options,
    )
    from crossdeps.inputs.pip_config import read_pip_configuration
    from crossdeps.inputs.pylock import is_pylock, read_pylock
    from crossdeps.inputs.python_version import read_python_version
    from crossdeps.inputs.redaction import redact, without_login
    from crossdeps.inputs.requirement import parse_requirement

__all__ = [
    "ConfiguredOptions",
    "ConnectionOptions",
    "Credentials",
    "DirectSource",
    "FileOptions",
    "IndexOptions",
    "InputRequest",
    "Inputs",
    "Origin",
    "PreReleases",
    "ProjectConfiguration",
    "Requirement",
    "gather_index_options",
    "gather_inputs",
    "is_pylock",
    "merge_selection_options",
    "parse_requirement",
    "process_environment",
    "read_configuration",
    "read_configured_options",
    "read_pip_configuration",
    "read_pylock",
    "read_python_version",
    "redact",
    "redact_urls",
    "without_login",
]

_HOMES = {
    "ConfiguredOptions": "crossdeps.inputs.configured_options",
    "ConnectionOptions": "crossdeps.inputs.configured_options",
    "Credentials": "crossdeps.inputs.credentials",
    "IndexOptions": "crossdeps.inputs.index_options",
    "ProjectConfiguration": "crossdeps.inputs.configuration",
    "gather_index_options": "crossdeps.inputs.index_options",
    "gather_inputs": "crossdeps.inputs.gather",
    "is_pylock": "crossdeps.inputs.pylock",
    "merge_selection_options": "crossdeps.inputs.index_options",
    "parse_requirement": "crossdeps.inputs.requirement",
    "process_environment": "crossdeps.inputs.environment",
    "read_configuration": "crossdeps.inputs.configuration",
    "read_configured_options": "crossdeps.inputs.configured_options",
    "read_pip_configuration": "crossdeps.inputs.pip_config",
    "read_pylock": "crossdeps.inputs.pylock",
    "read_python_version": "crossdeps.inputs.python_version",
    "redact": "crossdeps.inputs.redaction",
    "redact_urls": "crossdeps.inputs.display",
    "without_login": "crossdeps.inputs.redaction",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only where something is asked for

    return getattr(importlib.import_module(_HOMES[name]), name)
