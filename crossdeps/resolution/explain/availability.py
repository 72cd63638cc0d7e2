"""What a version has for other targets, in a few lines however many files there are."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.resolution.explain.skipped import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from crossdeps.resolution.model import Rejection, RejectionReason
    from crossdeps.target.model import Target

_SHOWN = 8
_CPYTHON = re.compile(r"cp3(\d+)")
_PYPY = re.compile(r"pp3(\d+)")
_MANYLINUX = re.compile(r"manylinux(?:_(\d+)_(\d+)|(1|2010|2014))_(.+)")
_MUSLLINUX = re.compile(r"musllinux_(\d+)_(\d+)_(.+)")
_MACOS = re.compile(r"macosx_\d+_\d+_(.+)")
_ALIASED = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}
_WINDOWS = {"win_amd64": "Windows x86_64", "win32": "Windows x86", "win_arm64": "Windows arm64"}
_PURE = {"py3": "any Python 3", "py2.py3": "any Python", "py2": "Python 2"}

_WHY: dict[RejectionReason, str] = {
    "sdist": "has only a source distribution",
    "not-a-distribution": "has neither a wheel nor a source distribution",
    "bad-filename": "has a malformed file name",
    "other-project": "has files of another project",
    "hash": "has no file of an allowed hash",
    "too-new": "was uploaded after --exclude-newer",
    "no-upload-time": "has no upload time, which --exclude-newer needs",
}


def newest(rejections: Iterable[Rejection]) -> tuple[Version | None, tuple[Rejection, ...]]:
    """The rejections of the newest version that they tell of, final releases first."""
    of: dict[Version, list[Rejection]] = defaultdict(list)
    for rejection in rejections:
        if rejection.version is not None:
            of[rejection.version].append(rejection)
    if not of:
        return None, ()
    version = max(of, key=lambda found: (not found.is_prerelease, found))
    return version, tuple(of[version])


def why(rejections: Sequence[Rejection], target: Target) -> str:
    """Why none of a version's files is taken, to be read after the version's name."""
    miss = nearest(rejections)
    if miss.reason == "glibc":
        return f"needs glibc {miss.detail}, and the target has {target.libc}"
    if miss.reason == "requires-python":
        return f"wants Python {miss.detail}, and the target has {target.python}"
    if miss.reason == "yanked":
        return f"was yanked{': ' if miss.detail else ''}{miss.detail}"
    return _WHY.get(miss.reason, "has no wheel for this target")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a wheel is for, as far as Python goes."""

    family: str
    minor: int = 0


def describe_availability(rejections: Sequence[Rejection], target: Target) -> tuple[str, ...]:
    """What the wheels of one version are for: Pythons that share their platforms on one line."""
    platforms_of: dict[_Kind, set[str]] = defaultdict(set)
    has_sdist = False
    for rejection in rejections:
        filename = rejection.file.filename
        parts = filename.removesuffix(".whl").rsplit("-", 3)
        has_sdist = has_sdist or rejection.reason == "sdist"
        if filename.endswith(".whl") and len(parts) == 4:
            for kind in _kinds(parts[1], parts[2]):
                platforms_of[kind].add(_platform(parts[3].split(".")))
    sharing: dict[tuple[str, ...], list[_Kind]] = defaultdict(list)
    for kind, platforms in platforms_of.items():
        ordered = sorted(platforms, key=lambda text: (not text.startswith(target.arch), text))
        sharing[tuple(ordered)].append(kind)
    lines = [
        f"it exists for {_pythons(kinds)}: {', '.join(platforms)}"
        for platforms, kinds in sorted(sharing.items(), key=lambda each: _order(each[1]))
    ]
    if len(lines) > _SHOWN:
        lines = [*lines[: _SHOWN - 1], f"and for {len(lines) - _SHOWN + 1} more kinds of Python"]
    if has_sdist and lines:
        lines.append("it exists as a source distribution")
    return tuple(lines)


def _kinds(pythons: str, abis: str) -> list[_Kind]:
    kinds: list[_Kind] = []
    for python in pythons.split("."):
        cpython, pypy = _CPYTHON.fullmatch(python), _PYPY.fullmatch(python)
        if cpython and "abi3" in abis.split("."):
            kinds.append(_Kind("CPython and later", int(cpython[1])))
        elif cpython and f"{python}t" in abis.split("."):
            kinds.append(_Kind("free-threaded Python", int(cpython[1])))
        elif cpython:
            kinds.append(_Kind("Python", int(cpython[1])))
        elif pypy:
            kinds.append(_Kind("PyPy", int(pypy[1])))
        elif pythons in _PURE and abis == "none":
            return [_Kind(_PURE[pythons])]
        else:
            kinds.append(_Kind(python))
    return kinds


def _pythons(kinds: Iterable[_Kind]) -> str:
    families: dict[str, list[int]] = defaultdict(list)
    for kind in sorted(kinds, key=lambda each: (each.family != "Python", each.family, each.minor)):
        families[kind.family].append(kind.minor)
    texts: list[str] = []
    for family, minors in families.items():
        if family == "CPython and later":
            texts.append(f"Python 3.{minors[0]} and later")
        elif minors == [0]:
            texts.append(family)
        else:
            texts.append(f"{family} {spans(minors)}")
    return ", ".join(texts)


def spans(minors: Sequence[int]) -> str:
    """Minor versions of Python 3 in people's words: ``3.8 to 3.12, 3.14``."""
    runs: list[list[int]] = []
    for minor in sorted(minors):
        if runs and minor == runs[-1][-1] + 1:
            runs[-1].append(minor)
        else:
            runs.append([minor])
    return ", ".join(
        f"3.{run[0]} to 3.{run[-1]}" if len(run) > 2 else ", ".join(f"3.{minor}" for minor in run)
        for run in runs
    )


def _order(kinds: Iterable[_Kind]) -> tuple[int, int]:
    """CPython first, the newest first."""
    return min((_rank(kind), -kind.minor) for kind in kinds)


def _rank(kind: _Kind) -> int:
    order = ("Python", "CPython and later", "free-threaded Python", "PyPy")
    return order.index(kind.family) if kind.family in order else len(order)


def _platform(platforms: Sequence[str]) -> str:
    """A compressed platform set in people's words; the oldest C library of a set counts."""
    matches = [match for text in platforms if (match := _MANYLINUX.fullmatch(text))]
    if matches:
        major, minor = min(
            _ALIASED[match[3]] if match[3] else (int(match[1]), int(match[2])) for match in matches
        )
        return f"{matches[0][4]} glibc {major}.{minor}"
    first = platforms[0]
    if match := _MUSLLINUX.fullmatch(first):
        return f"{match[3]} musl {match[1]}.{match[2]}"
    if match := _MACOS.fullmatch(first):
        return f"macOS {match[1]}"
    return _WINDOWS.get(first, "any machine" if first == "any" else first)
