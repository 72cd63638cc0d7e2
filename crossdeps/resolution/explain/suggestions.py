"""Suggests what to do where no file of a version is compatible; each suggestion was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from crossdeps.resolution.explain.availability import format_minors
from crossdeps.resolution.file_rules import TagMatch, TagMatcher, accepts_python, wheel_tags
from crossdeps.resolution.rejections import Reason, Rejection
from crossdeps.target.model import Target
from crossdeps.target.runtimes import RUNTIMES
from crossdeps.text import join_words

if TYPE_CHECKING:
    from collections.abc import Sequence

_PYTHONS = range(8, 16)
_FREE_THREADED_PYTHONS = range(13, 16)
# Projects without wheels for Linux -> what their documentation, or the other's, recommends:
# https://www.psycopg.org/docs/install.html, https://pycryptodome.readthedocs.io,
# https://pymysql.readthedocs.io, https://pypi.org/project/sklearn.
_REPLACEMENTS = {
    "psycopg2": "psycopg2-binary, which includes its libraries,",
    "pycrypto": "pycryptodome, its replacement,",
    "mysqlclient": "pymysql, which is pure Python,",
    "sklearn": "scikit-learn, its real name,",
}


def suggest(
    rejections: Sequence[Rejection],
    target: Target,
    name: str,
    *,
    compatible: Sequence[Version],
    is_users: bool,
) -> str | None:
    """What to do about the file of a version that came nearest to fitting: the least change first.

    :param compatible: the versions that fit the target, all of them excluded by a requirement
    :param is_users: whether that requirement is one of the user, who can change it
    """
    nearest = min(rejections, key=Rejection.rank)
    if nearest.reason.remedy:
        return nearest.reason.remedy.format(name=name, version=nearest.version)
    without_wheels = _without_wheels(rejections, target, name)
    ways = [_another_version(name, nearest.version, compatible)] if is_users else []
    ways.append(
        _another_target(rejections, nearest, target)
        if nearest.reason.depends_on_target
        else without_wheels
    )
    found = [way for way in ways if way]
    if found:
        return "; or ".join(found)
    if compatible:
        return f"choose a compatible version of {name}"
    return without_wheels or (
        f"exclude {name} where it is not needed, by a marker such as ; sys_platform == 'win32'"
    )


def _another_version(
    name: str, version: Version | None, compatible: Sequence[Version]
) -> str | None:
    """The next newer version that fits, else the next older one."""
    final = [each for each in compatible if not each.is_prerelease] or list(compatible)
    if version is None or not final:
        return None
    newer = [each for each in final if each > version]
    if newer:
        return f"require {name} {min(newer)}, the next newer version that fits this target"
    return f"require {name} {max(final)}, the next older version that fits this target"


def _another_target(
    rejections: Sequence[Rejection], nearest: Rejection, target: Target
) -> str | None:
    """The change of the target that is the smallest."""
    if nearest.reason is Reason.GLIBC:
        return _newer_glibc(nearest.detail, target)
    if nearest.reason in (Reason.MUSL, Reason.LIBC):
        return _another_libc(nearest, target)
    if target.free_threaded and (suggestion := _default_build(rejections, target)):
        return suggestion
    return _another_python(rejections, target)


def _newer_glibc(needed: str, target: Target) -> str:
    major, _, minor = needed.partition(".")
    names = [
        runtime.name
        for runtime in RUNTIMES.values()
        if runtime.libc.kind == "glibc"
        and runtime.libc.version >= (int(major), int(minor))
        and target.arch in runtime.architectures
    ]
    same = f"python{target.python_version[0]}.{target.python_version[1]}"
    if same in names and target.runtime_name != same and not target.free_threaded:
        return f"choose --runtime {same}, or --platform manylinux_{major}_{minor}_{target.arch}"
    runtimes = f" ({', '.join(names)})" if names else ""
    return f"choose a target with glibc {needed} or later{runtimes}"


def _another_libc(nearest: Rejection, target: Target) -> str:
    kind, _, version = nearest.detail.rpartition(" ")
    family = "manylinux" if kind == "glibc" else "musllinux"
    platform = f"{family}_{version.replace('.', '_')}_{target.arch}"
    return f"choose a target with {kind or 'musl'} {version} or later: --platform {platform}"


def _default_build(rejections: Sequence[Rejection], target: Target) -> str | None:
    """The build of the same Python that is not free-threaded (PEP 703)."""
    minor = target.python_version[1]
    if not _are_compatible(rejections, _like(target, minor, free_threaded=False)):
        return None
    return f"choose the default build of Python 3.{minor}: leave out --abi {target.abi}"


def _like(target: Target, minor: int, *, free_threaded: bool) -> Target:
    """The same machine with another Python."""
    glibc, musl = (
        ".".join(map(str, target.libc.version)) if target.libc.kind == kind else None
        for kind in ("glibc", "musl")
    )
    abi = f"cp3{minor}t" if free_threaded else ""
    return Target(python=f"3.{minor}", arch=target.arch, glibc=glibc, musl=musl, abi=abi)


def _another_python(rejections: Sequence[Rejection], target: Target) -> str | None:
    """The Pythons, runtimes or architecture that one of these files is compatible with."""
    if target.free_threaded:
        pythons = [
            minor
            for minor in _FREE_THREADED_PYTHONS
            if _are_compatible(rejections, _like(target, minor, free_threaded=True))
        ]
        if pythons:
            abis = join_words([f"--abi cp3{minor}t" for minor in pythons], "or")
            return f"choose free-threaded Python {format_minors(pythons)} with --python and {abis}"
    pythons = [
        minor
        for minor in _PYTHONS
        if _are_compatible(rejections, _like(target, minor, free_threaded=False))
    ]
    if pythons and target.free_threaded:
        return f"choose Python {format_minors(pythons)} with --python, and leave out --abi"
    if pythons:
        return f"choose Python {format_minors(pythons)} with --python or --runtime"
    runtimes = [
        name
        for name, runtime in RUNTIMES.items()
        if target.arch in runtime.architectures
        and _are_compatible(rejections, Target.runtime(name, arch=target.arch))
    ]
    if runtimes:
        without = ["--abi"] if target.free_threaded else []
        without += ["--platform"] if target.platforms else []
        rest = f", and leave out {join_words(without)}" if without else ""
        return f"choose {join_words(runtimes, 'or')} with --runtime{rest}"
    other = "aarch64" if target.arch == "x86_64" else "x86_64"
    if _are_compatible(rejections, Target(python=target.python, arch=other, abi=target.abi)):
        return f"choose --arch {other}"
    return None


def _are_compatible(rejections: Sequence[Rejection], other: Target) -> bool:
    matcher, python = TagMatcher(other), Version(other.python)
    return any(
        isinstance(matcher.match(tags), TagMatch)
        and accepts_python(rejection.file.requires_python or "", python)
        for rejection in rejections
        if (tags := wheel_tags(rejection.file.filename))
    )


def _without_wheels(rejections: Sequence[Rejection], target: Target, name: str) -> str | None:
    """What to do about a source distribution without a wheel for a target like this one.

    Wheels for other systems show that the project is native, so that building it is no solution.
    """
    if not any(rejection.reason is Reason.SDIST for rejection in rejections):
        return None
    family = "manylinux" if target.libc.kind == "glibc" else "musllinux"
    provide = f"provide a {family} wheel, as auditwheel makes them: --find-links DIRECTORY"
    if name in _REPLACEMENTS:
        return f"require {_REPLACEMENTS[name]} instead of {name}; or {provide}"
    tags = [wheel_tags(rejection.file.filename) for rejection in rejections]
    if any(each and not each.endswith("-any") for each in tags):
        return f"{name} is native code and has no wheel for this target: {provide}"
    return (
        f"if {name} is pure Python, allow building its source: --allow-sdist {name};"
        f" if it is native, {provide}"
    )
