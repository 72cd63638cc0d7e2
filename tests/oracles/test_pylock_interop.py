"""Locks (PEP 751) go between tools: theirs build here, ours are read there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

import crossdeps
from crossdeps.pipeline.build import build
from crossdeps.pipeline.lock import lock
from crossdeps.pipeline.request import Settings
from crossdeps.resolution.lock.writer import dump
from tests.oracles.host import host_target, needs_a_host_target
from tests.oracles.requirement_sets import TARGETS
from tests.oracles.tools import run_tool
from tests.oracles.uv_tool import platform_of, run_uv
from tests.support.built_once import CACHE_ROOT
from tests.support.toml import load_toml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.target.model import Target
    from tests.support.interpreters import Interpreter

pytestmark = [pytest.mark.network, pytest.mark.subprocess, pytest.mark.timeout(600)]

REQUIREMENTS = (
    "cryptography>=40",
    "pydantic[email]",
    "requests",
    "orjson",
    "uvloop; sys_platform != 'win32'",
    "colorama; sys_platform == 'win32'",
    "tomli; python_version < '3.11'",
)
EXPECTED = {"annotated-types", "cffi", "cryptography", "orjson", "pydantic-core", "uvloop"}
UNEXPECTED = {"colorama", "tomli"}
SETTINGS = Settings(isolated=True, cache=CACHE_ROOT / "crossdeps")


@pytest.fixture(scope="module")
def pythons(python_interpreters: tuple[Interpreter, ...]) -> dict[str, Path]:
    """Interpreters by minor version: uv reads no lock for a Python that isn't there."""
    found = {each.minor: each.executable for each in python_interpreters}
    if not found.keys() >= {"3.12", "3.13"}:
        pytest.skip("uv reads a lock only with an interpreter of its Python: 3.12 and 3.13")
    return found


def write_project(folder: Path) -> None:
    """A project and a requirements file that want the same."""
    listed = "".join(f'    "{line}",\n' for line in REQUIREMENTS)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11,<3.14"\n'
        f"dependencies = [\n{listed}]\n[tool.pdm]\ndistribution = false\n",
        encoding="utf-8",
    )
    (folder / "requirements.in").write_text("\n".join(REQUIREMENTS), encoding="utf-8")


def uv(*arguments: str, folder: Path) -> None:
    done = run_uv(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr


def lock_with_uv_compile(folder: Path) -> None:
    uv("pip", "compile", "--universal", "--python-version", "3.11", "--format", "pylock.toml",
       "-o", "pylock.toml", "requirements.in", folder=folder)  # fmt: skip


def lock_with_uv_project(folder: Path) -> None:
    uv("lock", folder=folder)
    uv("export", "--no-emit-project", "--format", "pylock.toml", "-o", "pylock.toml", folder=folder)


def lock_with_pdm(folder: Path) -> None:
    """The lock that pdm itself works from."""
    run_tool("pdm", "config", "-l", "lock.format", "pylock", cwd=folder)
    run_tool("pdm", "lock", "-p", ".", cwd=folder)


def export_with_pdm(folder: Path) -> None:
    """The lock that pdm makes of its own format."""
    run_tool("pdm", "lock", "-p", ".", cwd=folder)
    run_tool("pdm", "export", "-f", "pylock", "-o", "pylock.toml", cwd=folder)


@pytest.mark.parametrize(
    "write", [lock_with_uv_compile, lock_with_uv_project, lock_with_pdm, export_with_pdm]
)
def test_locks_of_other_tools_build(
    write: Callable[[Path], None], pythons: dict[str, Path], tmp_path: Path
) -> None:
    """A lock for every platform gives the wheels of the target, and what uv reads in it."""
    write_project(tmp_path)
    write(tmp_path)
    for target in (TARGETS["3.12-x86_64"], TARGETS["3.13-aarch64"]):
        built = build(
            tmp_path / "pylock.toml", target, tmp_path / f"{target.arch}.zip", settings=SETTINGS
        )
        pins = {str(package.name): package.version for package in built.packages}
        assert pins.keys() >= EXPECTED
        assert not pins.keys() & UNEXPECTED
        assert pins == installed_by_uv(tmp_path, target, pythons)
        assert (tmp_path / f"{target.arch}.zip").is_file()


def test_a_lock_of_uv_for_one_target_builds(tmp_path: Path) -> None:
    """What uv locks for a foreign machine builds for that machine, to the same pins."""
    write_project(tmp_path)
    target = TARGETS["3.12-aarch64"]
    uv("pip", "compile", "--only-binary", ":all:", "--python-platform", platform_of(target),
       "--python-version", target.python, "--format", "pylock.toml", "-o", "pylock.toml",
       "requirements.in", folder=tmp_path)  # fmt: skip
    built = build(tmp_path / "pylock.toml", target, tmp_path / "out.zip", settings=SETTINGS)
    assert {package.name for package in built.packages} >= EXPECTED
    with pytest.raises(crossdeps.CrossdepsError, match="no wheel of"):
        build(
            tmp_path / "pylock.toml",
            TARGETS["3.12-x86_64"],
            tmp_path / "other.zip",
            settings=SETTINGS,
        )
    assert not (tmp_path / "other.zip").exists()


@needs_a_host_target
def test_a_lock_of_pip_builds(tmp_path: Path) -> None:
    """pip locks for the machine that runs it; that lock builds for the same machine."""  # noqa: D403
    write_project(tmp_path)
    run_tool("pip", "lock", "--only-binary", ":all:", "-r", "requirements.in", cwd=tmp_path)
    built = build(tmp_path / "pylock.toml", host_target(), tmp_path / "out.zip", settings=SETTINGS)
    assert {package.name for package in built.packages} >= EXPECTED


@pytest.mark.parametrize("names", [("3.12-x86_64",), ("3.12-x86_64", "3.13-aarch64")])
def test_our_lock_is_read_by_others(
    names: tuple[str, ...], pythons: dict[str, Path], tmp_path: Path
) -> None:
    """packaging accepts it, uv installs the same pins from it, for each target in it."""  # noqa: D403
    targets = [TARGETS[name] for name in names]
    ours = lock(list(REQUIREMENTS), targets, settings=SETTINGS)
    path = tmp_path / "pylock.toml"
    path.write_text(dump(ours), encoding="utf-8")
    read = Pylock.from_dict(load_toml(path))
    read.validate()
    for target in targets:
        chosen = read.select(environment=target.environment, tags=target.tags)
        pins = {str(package.name): str(package.version) for package, _ in chosen}
        assert pins.keys() >= EXPECTED
        assert pins == installed_by_uv(tmp_path, target, pythons)
        assert pins == installed_by_uv(tmp_path, target, pythons, "sync", "pylock.toml")
        built = build(path, target, tmp_path / f"{target.arch}.zip", settings=SETTINGS)
        assert pins == {str(package.name): package.version for package in built.packages}


SCIENCE = ("numpy", "scipy", "pandas")


def test_the_newest_per_target_is_selected_by_others(
    pythons: dict[str, Path], tmp_path: Path
) -> None:
    """Each target has versions of its own, by the markers alone."""
    targets = [TARGETS[name] for name in ("3.9-x86_64", "3.12-x86_64", "3.12-aarch64")]
    ours = lock(list(SCIENCE), targets, settings=SETTINGS, newest_per_target=True)
    path = tmp_path / "pylock.toml"
    path.write_text(dump(ours), encoding="utf-8")
    read = Pylock.from_dict(load_toml(path))
    for target in targets:
        chosen = read.select(environment=target.environment, tags=target.tags)
        pins = {str(package.name): str(package.version) for package, _ in chosen}
        alone = lock(list(SCIENCE), target, settings=SETTINGS)
        assert pins == {str(package.name): str(package.version) for package in alone.packages}
        if ".".join(map(str, target.python_version)) in pythons:
            assert pins == installed_by_uv(tmp_path, target, pythons)
    versions = {package.version for package in ours.packages if package.name == "numpy"}
    assert len(versions) > 1


@needs_a_host_target
def test_our_lock_is_installed_by_pip(tmp_path: Path) -> None:
    """A lock for this very machine is one that pip installs from, as far as a dry run tells."""
    path = tmp_path / "pylock.toml"
    ours = lock(list(REQUIREMENTS), host_target(), settings=SETTINGS)
    path.write_text(dump(ours), encoding="utf-8")
    done = run_tool("pip", "install", "--dry-run", "--ignore-installed", "-r", path, cwd=tmp_path)
    (installed,) = re.findall(r"^Would install (.*)$", done.stdout, re.MULTILINE)
    names = {each.replace("_", "-") for each in installed.split()}
    assert names == {f"{each.name}-{each.version}" for each in ours.packages}


def installed_by_uv(
    folder: Path,
    target: Target,
    pythons: dict[str, Path],
    *verb: str,
) -> dict[str, str]:
    """What uv would install on *target* from the lock in *folder*."""
    done = run_uv(
        *("pip", *(verb or ("install", "-r", "pylock.toml")), "--dry-run", "--preview"),
        *("--target", "site", "--python", pythons[".".join(map(str, target.python_version))]),
        *("--python-platform", platform_of(target), "--python-version", target.python),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r"^ \+ ([a-z0-9-]+)==(\S+)", done.stderr, re.MULTILINE))
