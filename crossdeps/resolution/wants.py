"""What the search works with: wants, pins, and the impossible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from crossdeps.inputs.model import DirectSource, Origin
    from crossdeps.resolution.model import BuiltWheel, Candidate, RejectionReason


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Want:
    """One requirement, its marker found true for the target.

    :param text: as written, for messages
    :param origin: where the user said so; None for a dependency
    :param pinned: whether it admits one version only
    :param bounded: whether it has an upper bound
    """

    name: NormalizedName
    specifier: SpecifierSet
    extras: frozenset[NormalizedName]
    text: str
    origin: Origin | None = None
    pinned: bool = False
    bounded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Impossible:
    """A version asks for something that can't be had, whatever else is chosen.

    :param name: the project whose version it is
    :param reason: as of a rejection
    :param detail: what is wrong, to be read after the version's name
    """

    name: NormalizedName
    version: Version
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pin:
    """A version of a project, with the extras that it was asked for.

    Extras belong to the pin: when another one is asked for later, the project is pinned anew with
    both, so that the versions of a project and of its extras can never differ.
    """

    name: NormalizedName
    version: Version
    extras: frozenset[NormalizedName]
    candidate: Candidate | None = None
    source: DirectSource | None = None
    built: BuiltWheel | None = None


def exact_version(specifier: SpecifierSet) -> Version | None:
    """The one version that ``==`` or ``===`` pins, or None where nothing is pinned.

    A wildcard such as ``==1.*`` pins nothing (version specifiers specification).
    """
    for clause in specifier:
        if clause.operator in ("==", "===") and not clause.version.endswith(".*"):
            try:
                return Version(clause.version)
            except InvalidVersion:
                return None
    return None


def is_bounded(specifier: SpecifierSet) -> bool:
    """Whether *specifier* has an upper bound."""
    return any(clause.operator in ("<", "<=", "~=", "==", "===") for clause in specifier)
