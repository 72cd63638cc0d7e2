"""What is asked? Requirements files, projects, locks and configuration, read into values.

Environment variables and standard input come in as arguments; only files are opened here.
"""

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
from crossdeps.inputs.model import (
    DirectSource,
    FileOptions,
    InputRequest,
    Inputs,
    Origin,
    PreReleases,
    Requirement,
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
