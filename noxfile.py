"""The gates of crossdeps, each in an environment of its own: ``nox -l`` lists them."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "layers", "docs", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
PACKAGE = ("-e", ".[fast,sbom]")
TWO_WORKERS = ("-n", "2", "--dist", "worksteal")


def install(session: nox.Session, *groups: str, package: bool = True) -> None:
    """Install the dependency *groups*, and crossdeps itself unless a gate only reads the source."""
    requirements = nox.project.dependency_groups(PYPROJECT, *groups)
    session.install("--quiet", *(PACKAGE if package else ()), *requirements)


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


@nox.session
def layers(session: nox.Session) -> None:
    """Check that imports go down only, type-only ones included."""
    install(session, "layers")
    session.run("lint-imports", "--no-cache")


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


@nox.session(default=False)
def unit(session: nox.Session) -> None:
    """Run the tests that need neither network nor emulation; arguments go to pytest."""
    install(session, "test", "layers")
    session.run("pytest", "-m", "not network and not emulation", *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Show which branches the quick tests leave out."""
    install(session, "test", "layers")
    quick = ("-m", "not network and not emulation")
    session.run("pytest", *quick, *TWO_WORKERS, "--cov", *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure against pip and uv on this machine; see benchmarks/."""
    install(session, "test")
    session.run("python", "-m", "benchmarks", *session.posargs)
