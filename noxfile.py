"""The gates of crossdeps, each in an environment of its own: ``nox -l`` lists them."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "layers", "changelog", "docs", "lowest", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
PACKAGE = ("-e", ".[fast,sbom]")
TWO_WORKERS = ("-n", "2", "--dist", "worksteal")
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SMOKE = (
    *(f"tests/{room}" for room in ("architecture", "cli", "config", "library", "pipeline")),
    *(f"tests/{room}" for room in ("report", "requirements", "resolution", "target")),
    "tests/wheels/test_rules.py",  # of the optional inflater
)
QUICK = ("-m", "not network and not emulation and not browser")


def find_python(minor: str) -> str:
    """A CPython that pyenv has, whether or not it is on PATH; or the version, for nox to look up.

    :param minor: such as ``3.12``
    """
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    found = root.glob(f"versions/{minor}.*/bin/python{minor}")
    releases = (path for path in found if path.parts[-3].replace(".", "").isdigit())
    return str(next(releases, minor))


def install(
    session: nox.Session, *groups: str, package: bool = True, constraints: Path | None = None
) -> None:
    """Install the dependency *groups*, and crossdeps itself unless a gate only reads the source."""
    requirements = nox.project.dependency_groups(PYPROJECT, *groups)
    limits = () if constraints is None else ("--constraint", str(constraints))
    session.install("--quiet", *limits, *(PACKAGE if package else ()), *requirements)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    install(session, "lint", package=False)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly, in the package, its tests, benchmarks and this file."""
    install(session, "types", "test")
    session.run("mypy")
    session.run("mypy", "noxfile.py")


@nox.session(default=False)
def completeness(session: nox.Session) -> None:
    """Check with pyright that the type of every public name is stated; it downloads Node.js."""
    install(session, "completeness", package=False)
    session.install("--quiet", ".[fast,sbom]")  # an editable one is not found
    session.run("pyright", "--verifytypes", "crossdeps", "--ignoreexternal")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that imports go down only, type-only ones included."""
    install(session, "layers")
    session.run("lint-imports", "--no-cache")


@nox.session
def changelog(session: nox.Session) -> None:
    """Show what the fragments say; with a branch as argument, require one since then."""
    install(session, "changelog", package=False)
    session.run("towncrier", "build", "--draft", "--version", "next")
    if session.posargs:
        session.run("towncrier", "check", "--compare-with", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning or a dead reference fails."""
    install(session, "docs")
    session.run("sphinx-build", "-W", "-n", "-q", "--keep-going", "docs", "docs/_build/html")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test and doctest, those on the network and under emulation included."""
    install(session, "test", "layers")
    doctests = ("--doctest-modules", "crossdeps", "tests")
    session.run("pytest", *TWO_WORKERS, *doctests, *session.posargs)


@nox.session(python=find_python(PYTHONS[0]))
def lowest(session: nox.Session) -> None:
    """Run quick tests with the lowest versions that pyproject.toml allows, on the oldest Python."""
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *itertools.chain(*extras)]
    floors = Path(session.virtualenv.location, "floors.txt")
    floors.write_text("\n".join(required).replace(">=", "=="), encoding="utf-8")
    install(session, "test", "layers", constraints=floors)
    session.run("pytest", *QUICK, *TWO_WORKERS, *(session.posargs or SMOKE))


@nox.session(default=False)
@nox.parametrize("python", [nox.param(find_python(minor), id=minor) for minor in PYTHONS])
def compat(session: nox.Session) -> None:
    """Run the quick tests on one CPython, or on each that is installed; arguments go to pytest."""
    install(session, "test", "layers")
    session.run("pytest", *QUICK, *TWO_WORKERS, *session.posargs)


@nox.session(default=False)
def unit(session: nox.Session) -> None:
    """Run the tests that need no network, emulation or browser; arguments go to pytest."""
    install(session, "test", "layers")
    session.run("pytest", *QUICK, *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Show which branches the quick tests leave out; fail if there are more than there were."""
    install(session, "test", "layers")
    session.run("pytest", *QUICK, *TWO_WORKERS, "--cov", *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure against uv, pip and pex on this machine; see docs/explanation/performance.md."""
    install(session, "benchmarks")
    session.run("python", "-m", "benchmarks", *session.posargs)
