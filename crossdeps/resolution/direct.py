"""Requirements that name their file, directory or repository themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from crossdeps.errors import ConflictError, InputError, NoCandidateError
from crossdeps.resolution.candidates import accepts_python
from crossdeps.resolution.fits import Misfit, TagJudge
from crossdeps.resolution.metadata import read_fields
from crossdeps.resolution.wants import Pin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from crossdeps.inputs.model import Requirement
    from crossdeps.progress import Progress
    from crossdeps.resolution.model import Builder, BuiltWheel
    from crossdeps.target import Target


def build_sources(
    requirements: Sequence[Requirement], *, target: Target, builder: Builder, progress: Progress
) -> tuple[dict[NormalizedName, Pin], dict[int, NormalizedName]]:
    """Read or build what *requirements* name by address, and check that the target takes it.

    :returns: the one pin of each such project, and the project that each unnamed requirement, by
        its place, turned out to be
    :raises ConflictError: if two addresses give one project
    :raises InputError: if the address gives another project than the one named
    :raises NoCandidateError: if the target can't take it
    :raises SdistBuildError: if a build fails
    """
    pins: dict[NormalizedName, Pin] = {}
    firsts: dict[NormalizedName, Requirement] = {}
    names: dict[int, NormalizedName] = {}
    judge = TagJudge(target)
    for place, requirement in enumerate(requirements):
        first = firsts.get(requirement.name) if requirement.name else None
        if first is not None and first.source == requirement.source:
            names[place] = requirement.name
            continue
        progress.building(requirement.name or requirement.text)
        built = builder.from_source(requirement)
        _check(requirement, built, target, judge)
        if built.name in firsts and firsts[built.name].source != requirement.source:
            raise ConflictError(
                f"{built.name} is asked for from two places",
                context=(_line(firsts[built.name]), _line(requirement)),
                hint="keep one of the two, or tell them apart by markers",
            )
        firsts.setdefault(built.name, requirement)
        names[place] = built.name
        pins[built.name] = Pin(
            name=built.name,
            version=built.version,
            extras=frozenset(),
            source=requirement.source,
            built=built,
        )
    return pins, names


def _check(requirement: Requirement, built: BuiltWheel, target: Target, judge: TagJudge) -> None:
    if requirement.name and requirement.name != built.name:
        raise InputError(
            f"{requirement.name} was asked for, but the address gives {built.name} {built.version}",
            context=(_line(requirement),),
            hint=f"write {built.name} @ ..., or give the address of {requirement.name}",
            rule="other-project",
        )
    fit = judge.judge("-".join(built.filename.removesuffix(".whl").rsplit("-", 3)[1:]))
    if isinstance(fit, Misfit):
        needs = {
            "glibc": f"needs glibc {fit.detail}",
            "platform-tag": f"is for {fit.detail}",
            "python-tag": f"is for Python {fit.detail}",
            "abi-tag": f"is for ABI {fit.detail}",
        }.get(fit.reason, fit.detail)
        raise NoCandidateError(
            f"{built.filename} {needs}, and the target is {target.describe()}",
            context=(_line(requirement),),
            hint="give the address of the wheel for this target, or ask an index by name",
        )
    for python in read_fields(built.metadata)["requires-python"]:
        if python and not accepts_python(python, Version(target.python)):
            raise NoCandidateError(
                f"{built.name} {built.version} wants Python {python}, and the target has"
                f" {target.python}",
                context=(_line(requirement),),
                hint="choose another Python with --python, or ask for another version",
            )


def _line(requirement: Requirement) -> str:
    return f"{requirement.origin}: {requirement.text}"
