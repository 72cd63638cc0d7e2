"""What is asked? Requirements files, projects, locks and configuration, read into values.

Environment variables and standard input come in as arguments; only files are opened here.
"""

from crossdeps.inputs.configuration import ProjectConfiguration, read_configuration
from crossdeps.inputs.gather import gather_inputs
from crossdeps.inputs.model import (
    DirectSource,
    FileOptions,
    InputRequest,
    Inputs,
    Origin,
    PreReleases,
    Requirement,
)
from crossdeps.inputs.pylock import is_pylock, read_pylock
from crossdeps.inputs.python_version import read_python_version
from crossdeps.inputs.requirement import parse_requirement

__all__ = [
    "DirectSource",
    "FileOptions",
    "InputRequest",
    "Inputs",
    "Origin",
    "PreReleases",
    "ProjectConfiguration",
    "Requirement",
    "gather_inputs",
    "is_pylock",
    "parse_requirement",
    "read_configuration",
    "read_pylock",
    "read_python_version",
]
