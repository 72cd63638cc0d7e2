from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.arm64 import Arm64Python

pytestmark = [pytest.mark.emulation, pytest.mark.timeout(600)]

FACTS = """
import bz2, ctypes, decimal, hashlib, json, lzma, platform, sqlite3, ssl, sys, uuid, zlib
print(json.dumps([platform.machine(), sys.platform, sys.version_info[:2], sys.byteorder]))
"""

ASK_INDEX = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1]).status)
"""


def test_it_is_an_arm64_linux_python_with_its_native_modules(arm64_python: Arm64Python) -> None:
    done = arm64_python.run("-c", FACTS)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["aarch64", "linux", [3, 11], "little"]


def test_it_loads_a_native_wheel_made_for_arm64(arm64_python: Arm64Python) -> None:
    """A module of an aarch64 wheel works, which this machine's own processor could not load."""
    site = arm64_python.site("markupsafe")
    done = arm64_python.run(
        "-c",
        "from markupsafe import _speedups, escape; print(_speedups.__file__, escape('<'))",
        environment={"PYTHONPATH": str(site)},
    )
    assert done.returncode == 0, done.stderr
    assert "aarch64-linux-gnu.so &lt;" in done.stdout


@pytest.mark.network
def test_it_reaches_the_index_over_https(arm64_python: Arm64Python) -> None:
    """Certificates and name look-up are the machine's own."""
    done = arm64_python.run("-c", ASK_INDEX, "https://pypi.org/simple/pycryptodome/")
    assert (done.returncode, done.stdout.strip()) == (0, "200"), done.stderr
