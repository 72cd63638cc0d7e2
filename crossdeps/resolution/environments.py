"""Targets as environment markers (dependency specifiers, PEP 751 ``environments``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from crossdeps.syntax import parse_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.markers import Marker

    from crossdeps.target import Target


def environment_of(target: Target) -> Marker:
    """The marker that a machine of this target satisfies, as far as markers can tell."""
    return parse_marker(
        f'implementation_name == "cpython" and platform_machine == "{target.arch}"'
        f' and python_version == "{_minor(target)}" and sys_platform == "linux"'
    )


def requires_python_of(targets: Sequence[Target]) -> SpecifierSet:
    """The Pythons that a lock for *targets* is for."""
    minors = sorted({target.python_version for target in targets})
    major, first = minors[0]
    if len(minors) == 1:
        return SpecifierSet(f"=={major}.{first}.*")
    return SpecifierSet(f">={major}.{first},<{major}.{minors[-1][1] + 1}")


def marker_for(
    takers: Sequence[Target], everyone: Sequence[Target], *, keep_overlap: bool
) -> Marker | None:
    """The shortest marker true for *takers* and false for the others; None where all take it.

    :param keep_overlap: whether others that no marker tells apart may be let in: true where they
        would only be given more than they need
    :raises ValueError: if another target that may not be let in can't be told apart
    """
    others = [target for target in everyone if target not in takers]
    if not others:
        return None
    inside = {_key(target) for target in takers}
    outside = {_key(target) for target in others}
    if inside & outside and not keep_overlap:
        raise ValueError("no marker tells the targets apart")
    outside -= inside
    if not outside:
        return None
    arches = {arch for arch, _ in inside}
    if not arches & {arch for arch, _ in outside}:
        return parse_marker(_any(f'platform_machine == "{arch}"' for arch in sorted(arches)))
    pythons = {python for _, python in inside}
    if not pythons & {python for _, python in outside}:
        return parse_marker(_any(f'python_version == "{python}"' for python in _sorted(pythons)))
    return parse_marker(
        _any(
            f'platform_machine == "{arch}" and python_version == "{python}"'
            for arch, python in sorted(inside, key=lambda key: (key[0], _number(key[1])))
        )
    )


def _key(target: Target) -> tuple[str, str]:
    return target.arch, _minor(target)


def _minor(target: Target) -> str:
    major, minor = target.python_version
    return f"{major}.{minor}"


def _number(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))


def _sorted(pythons: set[str]) -> list[str]:
    return sorted(pythons, key=_number)


def _any(clauses: Iterable[str]) -> str:
    return " or ".join(clauses)
