"""The tools, each as a user would start it, with a cache of its own and nobody's configuration."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.measure import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.index_process import Index

Command = tuple[str, ...]

# What pip must be told one by one; the other tools know that these are at or below manylinux2014.
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux2010", "manylinux_2_12")
_PLATFORMS_OF_X86 = ("manylinux1", "manylinux_2_5")

# pex installs a pip of its own; the one that it ships reads neither JSON nor metadata files.
_PIP_OF_PEX = "24.1.2"

# The index is on loopback and has a CA of its own.
_OTHER_NETWORKS = frozenset(
    {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One thing to make.

    :param requirements: a requirements.txt
    :param lock: a pylock.toml of them
    :param zips: made from the lock, the second one slimmed
    :param python: such as ``3.12``
    :param folder: empty before each run; the output goes there
    :param cache: the tool's own
    """

    requirements: Path
    lock: Path
    zips: tuple[Path, Path]
    python: str
    arch: str
    folder: Path
    cache: Path
    index: Index

    @property
    def out(self) -> str:
        """The directory to make."""
        return str(self.folder / "out")

    @property
    def zip(self) -> str:
        """The zip to make."""
        return str(self.folder / "out.zip")


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What one tool does: one or more commands, measured together.

    :param tool: whose cache it fills
    :param uses_cache: whether a full or an empty cache makes a difference
    :param warmed_by: work that fills the cache just as well; None if only the same work does
    """

    tool: str
    name: str
    commands: Callable[[Job], tuple[Command, ...]]
    uses_cache: bool = True
    warmed_by: Work | None = None

    def environment(self, job: Job) -> Mapping[str, str]:
        """Variables for the commands."""
        kept = clean_environment(_ENVIRONMENTS[self.tool](job))
        return {name: value for name, value in kept.items() if name.upper() not in _OTHER_NETWORKS}


def crossdeps(verb: str, *more: str) -> Command:
    """A command of crossdeps, by this interpreter."""
    return (sys.executable, "-m", "crossdeps", verb, *more)


def find_uv() -> str:
    """The uv that is installed beside this interpreter, or the one on PATH."""
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - it may be missing
    except ImportError:
        return shutil.which("uv") or "uv"
    return find_uv_bin()


def find_tools() -> tuple[str, ...]:
    """The names of the tools that are installed."""
    found = {"crossdeps": True, "uv": shutil.which(find_uv()), "pip": True, "pex": find_spec("pex")}
    return tuple(name for name, there in found.items() if there)


def version_command(tool: str) -> Command:
    """How a tool tells its version."""
    if tool == "uv":
        return (find_uv(), "--version")
    return (sys.executable, "-m", tool, "--version")


def _crossdeps_build(job: Job, source: tuple[str, ...], output: str) -> tuple[Command, ...]:
    more = ("-o", output, *_crossdeps_target(job), *_crossdeps_index(job), "-q")
    return (crossdeps("build", *source, *more),)


def _crossdeps_lock(job: Job) -> tuple[Command, ...]:
    more = ("-o", str(job.folder / "pylock.toml"), *_crossdeps_target(job), *_crossdeps_index(job))
    return (crossdeps("lock", "-r", str(job.requirements), *more, "-q"),)


def _crossdeps_target(job: Job) -> Command:
    return ("--python", job.python, "--arch", job.arch)


def _crossdeps_index(job: Job) -> Command:
    cert = ("--cert", str(job.index.ca)) if job.index.ca else ()
    return (
        *("--index-url", job.index.url, *cert),
        *("--cache-dir", str(job.cache), "--isolated"),
    )


def _uv_pip(job: Job, verb: str, *more: str) -> Command:
    return (
        *(find_uv(), "pip", verb, *more, "--python", sys.executable),
        *("--python-version", job.python, "--python-platform", f"{job.arch}-manylinux2014"),
        *("--only-binary", ":all:", "--default-index", job.index.url),
        *("--cache-dir", str(job.cache), "--quiet"),
    )


def _uv_install(job: Job, *more: str) -> Command:
    return _uv_pip(job, "install", "-r", str(job.requirements), "--target", job.out, *more)


def _uv_compile(job: Job) -> tuple[Command, ...]:
    output = str(job.folder / "pinned.txt")
    return (_uv_pip(job, "compile", str(job.requirements), "-o", output),)


def _uv_environment(job: Job) -> Mapping[str, str]:
    # Without the first, uv tries to fetch a Python of the version that is packaged for.
    return {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1", **_cert(job)}


def _pip_install(job: Job) -> Command:
    names = (*_PLATFORMS, *(_PLATFORMS_OF_X86 if job.arch == "x86_64" else ()))
    platforms = [text for name in names for text in ("--platform", f"{name}_{job.arch}")]
    cert = ("--cert", str(job.index.ca)) if job.index.ca else ()
    return (
        *(sys.executable, "-m", "pip", "install", "-r", str(job.requirements)),
        *("--target", job.out, "--python-version", job.python),
        *("--implementation", "cp", "--only-binary", ":all:", "--no-compile", *platforms),
        *("--cache-dir", str(job.cache), "--isolated", "--quiet", "--no-input"),
        *("--disable-pip-version-check", "--index-url", job.index.url, *cert),
    )


def _pex(job: Job) -> tuple[Command, ...]:
    # A patch release, because markers may ask for it.
    python = f"cp-{job.python}.9-cp{job.python.replace('.', '')}"
    cert = ("--cert", str(job.index.ca)) if job.index.ca else ()
    command = (
        *(sys.executable, "-m", "pex", "-r", str(job.requirements), "-o", job.zip),
        *("--platform", f"manylinux2014_{job.arch}-{python}", "--no-build"),
        *("--pip-version", _PIP_OF_PEX, "--resolver-version", "pip-2020-resolver"),
        *("--no-pypi", "--index-url", job.index.url, *cert, "--no-use-pip-config"),
        *("--pex-root", str(job.cache), "--runtime-pex-root", str(job.cache)),
        *("--layout", "zipapp", "--no-compile"),
    )
    return (command,)


def _zip(job: Job) -> Command:
    """Compress the directory, paths starting at its root, with zip -6 where it is installed."""
    zip_program = shutil.which("zip")
    if zip_program:
        code = "import os, sys; os.chdir(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
        run_zip = (sys.executable, "-I", "-c", code, job.out, zip_program)
        return (*run_zip, "-6", "-q", "-r", job.zip, ".")
    code = (
        "import shutil, sys; shutil.make_archive(sys.argv[2].removesuffix('.zip'), 'zip',"
        " root_dir=sys.argv[1])"
    )
    return (sys.executable, "-I", "-c", code, job.out, job.zip)


def _cert(job: Job) -> Mapping[str, str]:
    return {"SSL_CERT_FILE": str(job.index.ca)} if job.index.ca else {}


_ENVIRONMENTS: Mapping[str, Callable[[Job], Mapping[str, str]]] = {
    "crossdeps": _cert,
    "uv": _uv_environment,
    "pip": _cert,
    "pex": _cert,
    "python": _cert,
}

CROSSDEPS_ZIP = Work(
    tool="crossdeps",
    name="crossdeps build, zip",
    commands=lambda job: _crossdeps_build(job, ("-r", str(job.requirements)), job.zip),
)
CROSSDEPS_DIRECTORY = Work(
    tool="crossdeps",
    name="crossdeps build, directory",
    commands=lambda job: _crossdeps_build(job, ("-r", str(job.requirements)), job.out),
)
CROSSDEPS_LOCKED = Work(
    tool="crossdeps",
    name="crossdeps build pylock.toml, zip",
    commands=lambda job: _crossdeps_build(job, (str(job.lock),), job.zip),
)
CROSSDEPS_SLIM = Work(
    tool="crossdeps",
    name="crossdeps build pylock.toml, zip, slimmed",
    commands=lambda job: _crossdeps_build(job, (str(job.lock), "--slim"), job.zip),
)
CROSSDEPS_CHECK = Work(
    tool="crossdeps",
    name="crossdeps check",
    commands=lambda job: (crossdeps("check", str(job.zips[0]), *_crossdeps_target(job), "-q"),),
    uses_cache=False,
)
CROSSDEPS_REPORT = Work(
    tool="crossdeps",
    name="crossdeps report",
    commands=lambda job: (crossdeps("report", str(job.zips[0])),),
    uses_cache=False,
)
CROSSDEPS_DIFF = Work(
    tool="crossdeps",
    name="crossdeps diff",
    commands=lambda job: (crossdeps("diff", *map(str, job.zips)),),
    uses_cache=False,
)
TEST_ZIP = Work(
    tool="python",
    name="python -m zipfile -t",
    commands=lambda job: ((sys.executable, "-m", "zipfile", "-t", str(job.zips[0])),),
    uses_cache=False,
)
CROSSDEPS_LOCK = Work(tool="crossdeps", name="crossdeps lock", commands=_crossdeps_lock)
UV_DIRECTORY = Work(tool="uv", name="uv pip install", commands=lambda job: (_uv_install(job),))
UV_COPY = Work(
    tool="uv",
    name="uv pip install --link-mode copy",
    commands=lambda job: (_uv_install(job, "--link-mode", "copy"),),
)
UV_ZIP = Work(
    tool="uv",
    name="uv pip install, zip -6",
    commands=lambda job: (_uv_install(job), _zip(job)),
    warmed_by=UV_DIRECTORY,
)
UV_COMPILE = Work(tool="uv", name="uv pip compile", commands=_uv_compile)
PIP_DIRECTORY = Work(
    tool="pip", name="pip install --target", commands=lambda job: (_pip_install(job),)
)
PIP_ZIP = Work(
    tool="pip", name="pip install, zip -6", commands=lambda job: (_pip_install(job), _zip(job))
)
PEX = Work(tool="pex", name="pex", commands=_pex)
