"""pip as an oracle: the wheels that it downloads, and the requirements that it accepts."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.lock import lock
from crossdeps.pipeline.request import Settings
from crossdeps.pipeline.resolve import resolve
from crossdeps.requirements.model import Requirements
from crossdeps.resolution.lock.writer import to_requirements
from crossdeps.resolution.model import Policy
from crossdeps.target.model import Target
from tests.oracles.host import host_target, needs_a_host_target
from tests.oracles.tools import run_tool
from tests.support.built_once import CACHE_ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.subprocess, pytest.mark.timeout(600)]

SETTINGS = Settings(isolated=True, cache=CACHE_ROOT / "crossdeps")

# Exact versions, whose files don't change; all kinds of tags: abi3, compressed sets, build tags,
# legacy aliases, wheels for older Pythons and C libraries, pure ones beside native ones.
PINS = (
    "pycryptodome==3.20.0", "cryptography==42.0.8", "numpy==1.26.4", "orjson==3.10.6",
    "charset-normalizer==3.3.2", "markupsafe==2.1.5", "pyyaml==6.0.1", "lxml==5.2.2",
    "psycopg2-binary==2.9.9", "pydantic-core==2.20.1", "grpcio==1.64.1", "protobuf==5.27.2",
    "pillow==10.4.0", "six==1.16.0", "cffi==1.16.0", "aiohttp==3.9.5", "zstandard==0.22.0",
    "regex==2024.5.15", "bcrypt==4.1.3", "tornado==6.4.1", "wrapt==1.16.0", "sqlalchemy==2.0.31",
)  # fmt: skip
TARGETS = [
    Target(python=python, arch=arch, glibc=glibc)
    for python, glibc in (("3.9.19", "2.17"), ("3.12.3", "2.28"))
    for arch in ("x86_64", "aarch64")
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.python}-{target.arch}")
def test_the_wheel_is_the_one_that_pip_downloads(target: Target, tmp_path: Path) -> None:
    """pip is told each platform tag that the target has, best first; it takes the same files."""  # noqa: D403
    platforms = [part for tag in target.platform_tags for part in ("--platform", tag)]
    pins = tmp_path / "pins.txt"
    pins.write_text("\n".join(PINS), encoding="utf-8")
    run_tool(
        "pip", "install", "--dry-run", "--quiet", "--ignore-installed", "--no-deps",
        "--only-binary", ":all:", "--target", tmp_path / "unused", "--report", "report.json",
        "--python-version", target.python, "--implementation", "cp", "--abi", target.abi,
        "--abi", "abi3", "--abi", "none", *platforms, "-r", pins, cwd=tmp_path,
    )  # fmt: skip
    theirs = re.findall(r'"url": "[^"]*/([^"/]+\.whl)"', (tmp_path / "report.json").read_text())
    request = Requirements(requirement_files=(str(pins),))
    settings = dataclasses.replace(SETTINGS, policy=Policy(no_deps=True))
    found = resolve(request, target, settings=settings)
    ours = [each.candidate.file.filename for each in found.choices.values() if each.candidate]
    assert len(ours) == len(PINS)
    assert sorted(ours) == sorted(theirs)


@needs_a_host_target
def test_pip_accepts_our_requirements_with_hashes(tmp_path: Path) -> None:
    """The requirements form of a lock is whole: pip asks for nothing that it doesn't hash."""
    wanted = ["cryptography", "fastapi", "httpx[http2]", "orjson", "pydantic[email]"]
    plan = lock(wanted, host_target(), settings=SETTINGS)
    (tmp_path / "requirements.lock.txt").write_text(to_requirements(plan), encoding="utf-8")
    done = run_tool(
        *("pip", "install", "--dry-run", "--ignore-installed", "--require-hashes"),
        *("-r", "requirements.lock.txt"),
        cwd=tmp_path,
    )
    (installed,) = re.findall(r"^Would install (.*)$", done.stdout, re.MULTILINE)
    names = {each.replace("_", "-") for each in installed.split()}
    assert names == {f"{each.name}-{each.version}" for each in plan.packages}
