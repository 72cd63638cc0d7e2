"""No false alarms: wheels that people really use are let in."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.wheel_reading import read_wheel

if TYPE_CHECKING:
    from pathlib import Path

PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any")
PROJECTS = (
    *("boto3", "certifi", "cryptography", "jinja2", "lxml", "markupsafe", "orjson", "pip"),
    *("protobuf", "psycopg2-binary", "pycryptodome", "pydantic-core", "pyyaml", "requests"),
    *("setuptools", "six", "sqlalchemy", "urllib3", "wheel"),
)


@pytest.mark.network
def test_popular_wheels_pass(tmp_path: Path) -> None:
    """Built by setuptools, maturin, hatchling, flit, Bazel, auditwheel and others.

    Of 241 wheels tried by hand one is refused, on purpose: nodejs-bin 18.4.0a4 has symlinks.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", "3.12", "--dest", str(tmp_path)]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    subprocess.run([*command, *PROJECTS], check=True, timeout=100)
    wheels = [read_wheel(path) for path in sorted(tmp_path.glob("*.whl"))]
    assert len(wheels) == len(PROJECTS)
    assert {warning for wheel in wheels for warning in wheel.warnings} == set()
