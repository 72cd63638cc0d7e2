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
    rejections: Sequence[Rejection], target: Target, name: str, *, others: bool
) -> str | None:
    """What to do about the file of a version that came nearest to fitting.

    :param others: whether other versions of the project are compatible
    """
    nearest = min(rejections, key=Rejection.rank)
    if nearest.reason.remedy:
        return nearest.reason.remedy.format(name=name, version=nearest.version)
    if nearest.reason is Reason.GLIBC:
        return _newer_glibc(nearest.detail, target)
    without_wheels = _without_wheels(rejections, target, name)
    if not nearest.reason.depends_on_target:
        return without_wheels
    if suggestion := _another_target(rejections, target):
        return suggestion
    if others:
        return f"choose a compatible version of {name}"
    return without_wheels or (
        f"exclude {name} where it isn't needed, by a marker such as ; sys_platform == 'win32'"
    )


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
    if same in names and target.runtime_name != same:
        return f"choose --runtime {same}, or --platform manylinux_{major}_{minor}_{target.arch}"
    runtimes = f" ({', '.join(names)})" if names else ""
    return f"choose a target with glibc {needed} or later{runtimes}"


def _another_target(rejections: Sequence[Rejection], target: Target) -> str | None:
    """The Pythons, runtimes or architecture that one of these files is compatible with."""
    glibc, musl = (
        ".".join(map(str, target.libc.version)) if target.libc.kind == kind else None
        for kind in ("glibc", "musl")
    )
    targets = {
        minor: Target(python=f"3.{minor}", arch=target.arch, glibc=glibc, musl=musl)
        for minor in _PYTHONS
    }
    pythons = [minor for minor, other in targets.items() if _are_compatible(rejections, other)]
    if pythons:
        return f"choose Python {format_minors(pythons)} with --python or --runtime"
    runtimes = [
        name
        for name, runtime in RUNTIMES.items()
        if target.arch in runtime.architectures
        and _are_compatible(rejections, Target.runtime(name, arch=target.arch))
    ]
    if runtimes:
        return f"choose {join_words(runtimes, 'or')} with --runtime"
    other = "aarch64" if target.arch == "x86_64" else "x86_64"
    if _are_compatible(rejections, Target(python=target.python, arch=other)):
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
