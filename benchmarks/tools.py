"""The tools, each as a user would start it, with a cache of its own and nobody's configuration."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.sets import RequirementSet

Command = tuple[str, ...]

# What pip must be told one by one; the other tools know that these are at or below manylinux2014.
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux2010", "manylinux_2_12")
_PLATFORMS_OF_X86 = ("manylinux1", "manylinux_2_5")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One thing to make.

    :param requirements: file that lists :attr:`wanted`
    :param folder: empty before each run; the output goes there
    :param cache: the tool's own
    :param index_url: None leaves each tool to its default
    """

    wanted: RequirementSet
    requirements: Path
    arch: str
    folder: Path
    cache: Path
    index_url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A way to make a package: one or more commands, timed together.

    :param kind: what comes out
    :param environment: variables beside those of :func:`benchmarks.measure.clean_environment`
    """

    name: str
    kind: str
    commands: Callable[[Job], tuple[Command, ...]]
    environment: Callable[[Job], Mapping[str, str]] = lambda _: {}


def find_tools() -> tuple[Tool, ...]:
    """Every tool that is here; uv may be missing."""
    uv = _uv()
    tools = [
        Tool(name="crossdeps", kind="zip", commands=lambda job: (_crossdeps(job, "out.zip"),)),
        Tool(name="crossdeps", kind="directory", commands=lambda job: (_crossdeps(job, "out"),)),
    ]
    if uv:
        tools += [
            Tool(
                name="uv",
                kind="zip",
                commands=lambda job: (_uv_install(uv, job), _zip(job)),
                environment=_uv_environment,
            ),
            Tool(
                name="uv",
                kind="directory",
                commands=lambda job: (_uv_install(uv, job),),
                environment=_uv_environment,
            ),
        ]
    tools += [
        Tool(name="pip", kind="zip", commands=lambda job: (_pip_install(job), _zip(job))),
        Tool(name="pip", kind="directory", commands=lambda job: (_pip_install(job),)),
    ]
    return tuple(tools)


def versions() -> dict[str, Command]:
    """How each tool tells its version."""
    python = sys.executable
    told: dict[str, Command] = {
        "crossdeps": (python, "-m", "crossdeps", "--version"),
        "pip": (python, "-m", "pip", "--version"),
    }
    uv = _uv()
    return {**told, "uv": (uv, "--version")} if uv else told


def _uv() -> str | None:
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - it may be missing
    except ImportError:
        return shutil.which("uv")
    return find_uv_bin()


def _crossdeps(job: Job, name: str) -> Command:
    index = ("--index-url", job.index_url) if job.index_url else ()
    return (
        *(sys.executable, "-m", "crossdeps", "build", "-r", str(job.requirements)),
        *("--python", job.wanted.python, "--arch", job.arch, "--platform", _platform(job)),
        *("-o", str(job.folder / name), "--cache-dir", str(job.cache), "--isolated", "-q"),
        *index,
    )


def _platform(job: Job) -> str:
    return f"manylinux2014_{job.arch}"


def _uv_install(uv: str, job: Job) -> Command:
    index = ("--default-index", job.index_url) if job.index_url else ()
    return (
        *(uv, "pip", "install", "-r", str(job.requirements), "--target", str(job.folder / "out")),
        *("--python", sys.executable, "--python-version", job.wanted.python),
        *("--python-platform", f"{job.arch}-manylinux2014", "--only-binary", ":all:"),
        *("--cache-dir", str(job.cache), "--no-config", "--quiet"),
        *index,
    )


def _uv_environment(_: Job) -> Mapping[str, str]:
    # Without it, uv first tries to fetch a Python of the version that is packaged for.
    return {"UV_PYTHON_DOWNLOADS": "never"}


def _pip_install(job: Job) -> Command:
    index = ("--index-url", job.index_url) if job.index_url else ()
    names = (*_PLATFORMS, *(_PLATFORMS_OF_X86 if job.arch == "x86_64" else ()))
    platforms = [text for name in names for text in ("--platform", f"{name}_{job.arch}")]
    return (
        *(sys.executable, "-m", "pip", "install", "-r", str(job.requirements)),
        *("--target", str(job.folder / "out"), "--python-version", job.wanted.python),
        *("--implementation", "cp", "--only-binary", ":all:", "--no-compile", *platforms),
        *("--cache-dir", str(job.cache), "--isolated", "--quiet", "--no-input"),
        *("--disable-pip-version-check", *index),
    )


def _zip(job: Job) -> Command:
    # From inside, so that paths start at the root as Lambda wants them.
    code = (
        "import shutil, sys; shutil.make_archive(sys.argv[2].removesuffix('.zip'), 'zip',"
        " root_dir=sys.argv[1])"
    )
    return (sys.executable, "-I", "-c", code, str(job.folder / "out"), str(job.folder / "out.zip"))
