"""What would help where no file of a version fits: hints that are true, since they were tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from crossdeps.resolution.candidates import accepts_python
from crossdeps.resolution.explain.availability import spans
from crossdeps.resolution.explain.skipped import nearest
from crossdeps.resolution.tags import TagMatch, TagMatcher
from crossdeps.target.model import Target
from crossdeps.target.runtimes import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.resolution.model import Rejection

_PYTHONS = range(8, 16)
# Projects without wheels for Linux -> what its own documentation, or that of the other, gives in
# its place: https://www.psycopg.org/docs/install.html, https://pycryptodome.readthedocs.io,
# https://pymysql.readthedocs.io, https://pypi.org/project/sklearn.
_IN_PLACE = {
    "psycopg2": "psycopg2-binary, the same with its libraries,",
    "pycrypto": "pycryptodome, which takes its place,",
    "mysqlclient": "pymysql, which is pure Python,",
    "sklearn": "scikit-learn, its real name,",
}


def suggest(
    rejections: Sequence[Rejection], target: Target, name: str, *, others: bool
) -> str | None:
    """What to do about the nearest miss of a version's files.

    :param others: whether other versions of the project fit the target
    """
    miss = nearest(rejections)
    if miss.reason == "glibc":
        return _newer_glibc(miss.detail, target)
    build = _without_wheels(rejections, target, name)
    if miss.reason in ("requires-python", "python-tag", "abi-tag", "platform-tag"):
        last = f"ask for a version of {name} that fits" if others else _leave_out(name)
        return _another_target(rejections, target) or (last if others else build or last)
    return {
        "yanked": f"a yanked version is taken only where it is pinned: {name}=={miss.version}",
        "too-new": "choose a later --exclude-newer",
        "no-upload-time": "leave out --exclude-newer, or use an index that states upload times",
        "hash": "compare the hashes in the requirements with those of the index",
    }.get(miss.reason, build)


def _newer_glibc(needed: str, target: Target) -> str:
    major, _, minor = needed.partition(".")
    able = [
        runtime.name
        for runtime in RUNTIMES.values()
        if runtime.libc.kind == "glibc"
        and runtime.libc.version >= (int(major), int(minor))
        and target.arch in runtime.architectures
    ]
    same = f"python{target.python_version[0]}.{target.python_version[1]}"
    if same in able and target.runtime_name != same:
        return f"choose --runtime {same}, or --platform manylinux_{major}_{minor}_{target.arch}"
    where = f" ({', '.join(able)} have it)" if able else ""
    return f"choose a target with glibc {needed} or later{where}"


def _another_target(rejections: Sequence[Rejection], target: Target) -> str | None:
    """The Pythons, the runtimes, or else the architecture, for which one of these files fits."""
    glibc, musl = (
        ".".join(map(str, target.libc.version)) if target.libc.kind == kind else None
        for kind in ("glibc", "musl")
    )
    pythons = [
        minor
        for minor in _PYTHONS
        if _fits(rejections, Target(python=f"3.{minor}", arch=target.arch, glibc=glibc, musl=musl))
    ]
    if pythons:
        return f"Python {spans(pythons)} would have it: choose one with --python or --runtime"
    runtimes = [
        name
        for name, runtime in RUNTIMES.items()
        if target.arch in runtime.architectures
        and _fits(rejections, Target.runtime(name, arch=target.arch))
    ]
    if runtimes:
        return f"{', '.join(runtimes)} would have it: choose one with --runtime"
    other = "aarch64" if target.arch == "x86_64" else "x86_64"
    if _fits(rejections, Target(python=target.python, arch=other)):
        return f"{other} would have it: choose it with --arch {other}"
    return None


def _fits(rejections: Sequence[Rejection], other: Target) -> bool:
    judge = TagMatcher(other)
    return any(
        isinstance(judge.judge("-".join(parts[1:])), TagMatch)
        and accepts_python(rejection.file.requires_python or "", Version(other.python))
        for rejection in rejections
        if len(parts := rejection.file.filename.removesuffix(".whl").rsplit("-", 3)) == 4
    )


def _without_wheels(rejections: Sequence[Rejection], target: Target, name: str) -> str | None:
    """What to do where there is a source distribution, and no wheel for a target like this.

    Wheels for other systems tell that the project is native, and that building it is no way out.
    """
    if not any(rejection.reason == "sdist" for rejection in rejections):
        return None
    family = "manylinux" if target.libc.kind == "glibc" else "musllinux"
    bring = f"give a {family} wheel of it, as auditwheel makes them: --find-links FOLDER"
    if name in _IN_PLACE:
        return f"ask for {_IN_PLACE[name]} instead of {name}; or {bring}"
    names = [rejection.file.filename for rejection in rejections]
    if any(found.endswith(".whl") and not found.endswith("-any.whl") for found in names):
        return f"{name} is native code, and has no wheel for this target: {bring}"
    return (
        f"if {name} is pure Python, let its source be built: --allow-sdist {name};"
        f" if it is native, {bring}"
    )


def _leave_out(name: str) -> str:
    return f"leave {name} out where it isn't needed, by a marker such as ; sys_platform == 'win32'"
