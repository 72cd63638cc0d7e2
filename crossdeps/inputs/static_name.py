"""The name that a source directory states without being built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossdeps.errors import InputError
from crossdeps.inputs.toml import read_toml

if TYPE_CHECKING:
    from pathlib import Path


def static_project_name(directory: Path) -> str:
    """Return ``[project] name`` of its pyproject.toml, or ``""`` where that doesn't tell.

    A project's name can't be dynamic (pyproject.toml specification, "name"), so what stands there
    is what a build will say. Whatever is wrong with the file is for the build to tell.
    """
    path = directory / "pyproject.toml"
    try:
        project = read_toml(path, str(path))[0].get("project")
    except InputError:
        return ""
    name = project.get("name") if isinstance(project, dict) else None
    if isinstance(name, str) and re.fullmatch(
        r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", name, re.ASCII
    ):
        return name
    return ""
