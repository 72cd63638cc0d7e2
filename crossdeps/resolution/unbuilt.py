"""What there is instead of a source distribution that was allowed and can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.resolution.shortage import listed
from crossdeps.resolution.supply import describe_supply

if TYPE_CHECKING:
    from crossdeps.resolution.catalogue import Project
    from crossdeps.resolution.model import Candidate
    from crossdeps.target import Target


def describe_wheels(candidate: Candidate, project: Project, target: Target) -> tuple[str, ...]:
    """The wheels of its version for other targets, and the versions with wheels for this one."""
    same = [found for found in project.judged.rejections if found.version == candidate.version]
    fitting = [found.version for found in project.versions if found.file.filename.endswith(".whl")]
    return (
        *(line.replace("it exists", "it has wheels", 1) for line in describe_supply(same, target)),
        *((f"for this target there are wheels of {listed(fitting)}",) if fitting else ()),
    )
