"""Realistic requirement sets, and the targets that they are resolved for."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from crossdeps.target.model import Target
from tests.support.toml import load_toml

CUT_OFF = "2026-11-01T00:00:00Z"
"""Files uploaded later don't count, for either tool: new releases change no answer."""

# Full versions, as both tools must decide python_full_version alike; C libraries that both can
# name. python3.12 is the Lambda runtime of that name, to the patch release.
_PYTHONS = (("3.9.19", "2.17"), ("3.12.3", "2.34"), ("3.13.0", "2.34"))
TARGETS = {
    f"{python.rpartition('.')[0]}-{arch}": Target(python=python, arch=arch, glibc=glibc)
    for python, glibc in _PYTHONS
    for arch in ("x86_64", "aarch64")
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Pins that differ from uv's on purpose.

    :param projects: normalised names
    :param targets: patterns of target names
    :param decision: the heading in docs/explanation/differences.md that explains it
    """

    projects: frozenset[str]
    targets: tuple[str, ...]
    decision: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementSet:
    """What somebody packages.

    :param unsolvable: patterns of the names of targets that have no answer
    """

    requirements: tuple[str, ...]
    unsolvable: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    def is_solvable(self, target: str) -> bool:
        """Whether there is an answer for the *target* of that name."""
        return not _matches(target, self.unsolvable)

    def may_differ(self, target: str) -> frozenset[str]:
        """Projects whose pins differ from uv's for the *target* of that name."""
        return frozenset().union(
            *(
                difference.projects
                for difference in self.differences
                if _matches(target, difference.targets)
            )
        )


def _matches(target: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(target, pattern) for pattern in patterns)


def load_sets() -> dict[str, RequirementSet]:
    """The sets of requirement_sets.toml, by name."""
    tables = load_toml(Path(__file__).with_name("requirement_sets.toml"))
    return {
        name: RequirementSet(
            requirements=tuple(table["requirements"]),
            unsolvable=tuple(table.get("unsolvable", ())),
            differences=tuple(
                Difference(
                    projects=frozenset(map(canonicalize_name, each["projects"])),
                    targets=tuple(each.get("targets", ("*",))),
                    decision=each["decision"],
                    why=each["why"],
                )
                for each in table.get("differences", ())
            ),
        )
        for name, table in tables.items()
    }
