"""What a project has for other targets, in a few lines however many files there are."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crossdeps.resolution.passed_over import nearest
from crossdeps.target import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from crossdeps.resolution.model import Rejection, RejectionReason
    from crossdeps.target import Target

_SHOWN = 8
_CPYTHON = re.compile(r"cp3(\d+)")
_MANYLINUX = re.compile(r"manylinux(?:_(\d+)_(\d+)|(1|2010|2014))_(.+)")
_MUSLLINUX = re.compile(r"musllinux_(\d+)_(\d+)_(.+)")
_MACOS = re.compile(r"macosx_\d+_\d+_(.+)")
_ALIASED = {"1": "2.5", "2010": "2.12", "2014": "2.17"}

_WHY: dict[RejectionReason, str] = {
    "sdist": "only a source distribution",
    "not-a-distribution": "neither a wheel nor a source distribution",
    "bad-filename": "malformed file names",
    "other-project": "files of another project",
    "python-tag": "for other Pythons",
    "abi-tag": "for other ABIs",
    "platform-tag": "for other platforms",
    "glibc": "needs a newer glibc",
    "requires-python": "for other Pythons",
    "yanked": "yanked",
    "hash": "not of an allowed hash",
    "too-new": "uploaded after --exclude-newer",
    "no-upload-time": "no upload time, which --exclude-newer needs",
    "pre-release": "a pre-release",
    "specifier": "not asked for",
    "metadata": "unusable metadata",
    "backtracked": "not with what else is asked",
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


def describe_supply(rejections: Sequence[Rejection], target: Target) -> tuple[str, ...]:
    """What the files of one version are for, one line a Python: ABI and platforms."""
    lines: dict[str, set[str]] = defaultdict(set)
    others: dict[RejectionReason, int] = defaultdict(int)
    for rejection in rejections:
        parts = rejection.file.filename.removesuffix(".whl").rsplit("-", 3)
        if not rejection.file.filename.endswith(".whl") or len(parts) != 4:
            others[rejection.reason] += 1
            continue
        _, pythons, abis, platforms = parts
        what = _python(pythons, abis)
        lines[what].add(_platform(platforms.split(".")))
    described = [
        f"{what}: {', '.join(sorted(platforms))}"
        for what, platforms in sorted(lines.items(), key=lambda line: _python_order(line[0]))
    ]
    described = _same_platforms(described)
    if len(described) > _SHOWN:
        described = [*described[: _SHOWN - 1], f"and {len(described) - _SHOWN + 1} more kinds"]
    del target
    described += [_WHY[reason] for reason in sorted(others)]
    return tuple(described)


def why(rejection: Rejection, target: Target) -> str:
    """The reason of one rejection, to be read after the version."""
    if rejection.reason == "glibc":
        return f"needs glibc {rejection.detail}, and the target has {target.libc}"
    if rejection.reason == "requires-python":
        return f"wants Python {rejection.detail}, and the target has {target.python}"
    if rejection.reason == "yanked":
        return f"was yanked{': ' if rejection.detail else ''}{rejection.detail}"
    if rejection.reason == "sdist":
        return "has only a source distribution"
    if rejection.reason in ("python-tag", "abi-tag", "platform-tag"):
        return f"has no wheel for the target (nearest: {rejection.file.filename})"
    return _WHY[rejection.reason]


def hint_for(rejections: Sequence[Rejection], target: Target, name: str) -> str | None:
    """What to do about the nearest miss."""
    miss = nearest(rejections)
    build = f"if {name} is pure Python, let its sdist be built: --allow-sdist {name}"
    if miss.reason == "glibc":
        return _glibc_hint(miss.detail, target)
    if miss.reason in ("python-tag", "abi-tag") and (pythons := _pythons(rejections)):
        return f"it has wheels for Python {', '.join(pythons)}: choose one with --python"
    hints = {
        "requires-python": "choose another Python with --python, or ask for another version",
        "yanked": f"a yanked version is taken only where it is pinned: {name}=={miss.version}",
        "too-new": "choose a later --exclude-newer",
        "no-upload-time": "leave out --exclude-newer, or use an index that states upload times",
        "hash": "compare the hashes in the requirements with those of the index",
    }
    has_sdist = any(found.reason == "sdist" for found in rejections)
    return hints.get(miss.reason, build if has_sdist else None)


def _glibc_hint(needed: str, target: Target) -> str:
    major, _, minor = needed.partition(".")
    floor = (int(major), int(minor))
    able = [
        runtime.name
        for runtime in RUNTIMES.values()
        if runtime.libc.kind == "glibc"
        and runtime.libc.version >= floor
        and target.arch in runtime.architectures
    ]
    where = f" ({', '.join(able)} have it)" if able else ""
    same = f"python{target.python_version[0]}.{target.python_version[1]}"
    if same in able:
        return f"choose --runtime {same}, or --platform manylinux_{major}_{minor}_{target.arch}"
    return f"choose a target with glibc {needed} or later{where}"


def _pythons(rejections: Iterable[Rejection]) -> list[str]:
    """The Pythons that wheels which miss only by their Python are for."""
    minors: set[int] = set()
    for rejection in rejections:
        parts = rejection.file.filename.removesuffix(".whl").rsplit("-", 3)
        if rejection.reason in ("python-tag", "abi-tag") and len(parts) == 4:
            minors |= {int(minor) for minor in _CPYTHON.findall(parts[1])}
    return [f"3.{minor}" for minor in sorted(minors)]


def _python(pythons: str, abis: str) -> str:
    match = _CPYTHON.fullmatch(pythons)
    if match and abis == "abi3":
        return f"Python 3.{match[1]} and later"
    if match and abis in (pythons, f"{pythons}m", "none"):
        return f"Python 3.{match[1]}"
    if match and abis == f"{pythons}t":
        return f"Python 3.{match[1]} free-threaded"
    if pythons in ("py3", "py2.py3", "py2") and abis == "none":
        return {"py3": "any Python 3", "py2.py3": "any Python", "py2": "Python 2"}[pythons]
    return pythons if abis in (pythons, "none") else f"{pythons} ({abis})"


def _python_order(what: str) -> tuple[int, int, str]:
    match = re.match(r"Python 3\.(\d+)", what)
    return (0, -int(match[1]), what) if match else (1, 0, what)


def _platform(platforms: Sequence[str]) -> str:
    """A compressed platform set in people's words; the oldest C library of a set counts."""
    first = min(platforms, key=lambda text: _MANYLINUX.fullmatch(text) is None)
    if match := _MANYLINUX.fullmatch(first):
        floors = [
            (int(found[1]), int(found[2]))
            if found[1]
            else tuple(int(part) for part in _ALIASED[found[3]].split("."))
            for text in platforms
            if (found := _MANYLINUX.fullmatch(text))
        ]
        major, minor = min(floors)
        return f"{match[4]} glibc {major}.{minor}"
    if match := _MUSLLINUX.fullmatch(first):
        return f"{match[3]} musl {match[1]}.{match[2]}"
    if match := _MACOS.fullmatch(first):
        return f"macOS {match[1]}"
    names = {"win_amd64": "Windows x86_64", "win32": "Windows x86", "win_arm64": "Windows arm64"}
    return names.get(first, first)


def _same_platforms(lines: Sequence[str]) -> list[str]:
    """Put Pythons with the very same platforms on one line."""
    of: dict[str, list[str]] = {}
    for line in lines:
        what, _, platforms = line.partition(": ")
        of.setdefault(platforms, []).append(what)
    return [f"{_joined(whats)}: {platforms}" for platforms, whats in of.items()]


def _joined(whats: Sequence[str]) -> str:
    first, *rest = whats
    return ", ".join((first, *(what.removeprefix("Python ") for what in rest)))
