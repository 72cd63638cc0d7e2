"""Projects that an artifact does without because its user said so."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from crossdeps.syntax import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.bundle import Bundle
    from crossdeps.inputs import Inputs
    from crossdeps.pipeline.settings import Settings


def expected_absences(bundle: Bundle, settings: Settings, inputs: Inputs) -> frozenset[str]:
    """Normalised names of projects whose absence is no fault.

    Those left out by name; those on which an override has the last word; and without dependencies,
    all that was not asked for itself.
    """
    named: set[str] = set(settings.layout.excluded_projects)
    named.update(override.name for override in inputs.overrides if override.name)
    if settings.policy.no_deps:
        named.update(_required(line for project in bundle.projects for line in project.requires))
    return frozenset(map(canonicalize_name, named))


def _required(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        # A line that can't be understood is a finding of its own.
        with contextlib.suppress(InvalidRequirement):
            yield parse_requirement(line).name
