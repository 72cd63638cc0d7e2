"""Describes what a version is available for, in a few lines however many files it has."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from crossdeps.resolution.file_rules import parse_manylinux, parse_musllinux, wheel_tags
from crossdeps.resolution.rejections import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossdeps.resolution.rejections import Rejection
    from crossdeps.target.model import Target

_MAX_PLATFORMS = 8
_ANY_PLATFORM = "any platform"
_MACOS = re.compile(r"macosx_\d+_\d+_(.+)")
_WINDOWS = {"win_amd64": "Windows x86_64", "win32": "Windows x86", "win_arm64": "Windows arm64"}
_PURE = {"py3": "any Python 3", "py2.py3": "any Python", "py2": "Python 2"}
_FAMILIES = ("Python", "CPython and later", "free-threaded Python", "PyPy")
_CPYTHON, _ABI3, _FREE_THREADED, _PYPY = _FAMILIES


class _Python(NamedTuple):
    """The Python that a wheel is for.

    :param minor: of Python 3; None where *family* says it all
    """

    family: str
    minor: int | None = None


def describe_availability(rejections: Iterable[Rejection], target: Target) -> tuple[str, ...]:
    """The Pythons and platforms of one version's wheels, in one line.

    Where there are wheels for the platform of the target, only their Pythons are named.

    :returns: such as ``it has wheels for Python 3.9, 3.10: x86_64 glibc 2.17; and for other
        platforms``; a second line if there is a source distribution
    """
    platforms: dict[_Python, set[str]] = defaultdict(set)
    has_sdist = False
    for rejection in rejections:
        has_sdist = has_sdist or rejection.reason is Reason.SDIST
        if tags := wheel_tags(rejection.file.filename):
            pythons, abis, platform_tags = tags.split("-")
            for python in _parse_pythons(pythons, abis):
                platforms[python].add(_describe_platforms(platform_tags.split(".")))
    if not platforms:
        return ()
    prefix = f"{target.arch} {target.libc.kind} "
    fitting = {
        python: {text for text in texts if text.startswith(prefix) or text == _ANY_PLATFORM}
        for python, texts in platforms.items()
    }
    shown = {python: texts for python, texts in fitting.items() if texts}
    has_more = len(set(map(frozenset, platforms.values()))) > 1 and shown != platforms
    if not (has_more and shown):
        shown, has_more = platforms, False
    texts = sorted(set().union(*shown.values()), key=lambda text: _nearness(text, target))
    hidden = len(texts) - _MAX_PLATFORMS
    if hidden > 1:
        texts = [*texts[:_MAX_PLATFORMS], f"{hidden} more"]
    more = "; and for other platforms" if has_more else ""
    pythons = _describe_pythons(sorted(shown, key=_order))
    lines = [f"it has wheels for {pythons}: {', '.join(texts)}{more}"]
    if has_sdist:
        lines.append("it has a source distribution")
    return tuple(lines)


def _nearness(text: str, target: Target) -> tuple[bool, bool, str]:
    """The platforms of the target's architecture and C library come first."""
    return (
        not text.startswith(target.arch),
        not text.startswith(f"{target.arch} {target.libc.kind} "),
        text,
    )


def _parse_pythons(pythons: str, abis: str) -> list[_Python]:
    if pythons in _PURE and abis == "none":
        return [_Python(_PURE[pythons])]
    return [_parse_python(python, abis.split(".")) for python in pythons.split(".")]


def _parse_python(python: str, abis: Sequence[str]) -> _Python:
    match = re.fullmatch(r"([cp]p)3(\d+)", python)
    if match is None:
        return _Python(python)
    family = _CPYTHON if match[1] == "cp" else _PYPY
    if family == _CPYTHON and "abi3" in abis:
        family = _ABI3
    elif f"{python}t" in abis:
        family = _FREE_THREADED
    return _Python(family, int(match[2]))


def _order(python: _Python) -> tuple[int, int]:
    """CPython first, the newest first."""
    known = python.family in _FAMILIES
    return _FAMILIES.index(python.family) if known else len(_FAMILIES), -(python.minor or 0)


def _describe_pythons(pythons: Iterable[_Python]) -> str:
    minors: dict[str, list[int]] = defaultdict(list)
    for family, minor in sorted(pythons, key=lambda each: (each.family != _CPYTHON, *each)):
        minors[family] += [] if minor is None else [minor]
    texts: list[str] = []
    for family, found in minors.items():
        if family == _ABI3:
            texts.append(f"Python 3.{found[0]} and later")
        else:
            texts.append(f"{family} {format_minors(found)}" if found else family)
    return ", ".join(texts)


def format_minors(minors: Iterable[int]) -> str:
    """Minor versions of Python 3, such as ``3.8 to 3.12, 3.14``."""
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


def _describe_platforms(platforms: Sequence[str]) -> str:
    """A compressed platform set; manylinux by the oldest glibc of the set."""
    manylinux = [parsed for platform in platforms if (parsed := parse_manylinux(platform))]
    if manylinux:
        oldest = min(glibc for glibc, _ in manylinux)
        return f"{manylinux[0][1]} glibc {oldest[0]}.{oldest[1]}"
    first = platforms[0]
    if musl := parse_musllinux(first):
        return "{2} musl {0}.{1}".format(*musl[0], musl[1])
    if match := _MACOS.fullmatch(first):
        return f"macOS {match[1]}"
    return _WINDOWS.get(first, _ANY_PLATFORM if first == "any" else first)
