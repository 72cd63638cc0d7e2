from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.artifacts import build_artifact

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.arm64 import Arm64Python

pytestmark = [pytest.mark.emulation, pytest.mark.network, pytest.mark.timeout(600)]

REQUIREMENTS = ("pycryptodome", "cryptography", "numpy", "orjson")

USE_ALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy, orjson
from Crypto.Hash import SHA256
from cryptography.fernet import Fernet
key = Fernet.generate_key()
print(json.dumps({
    "hash": SHA256.new(b"abc").hexdigest(),
    "round trip": Fernet(key).decrypt(Fernet(key).encrypt(b"text")).decode(),
    "matrix": (numpy.arange(6).reshape(2, 3) @ numpy.ones(3)).tolist(),
    "orjson": orjson.dumps({"a": [1, None]}).decode(),
}))
"""


def test_native_projects_work_under_a_real_arm64_python(
    arm64_python: Arm64Python, tmp_path: Path
) -> None:
    """The aarch64 package imports and computes; FIPS 180-4 gives the hash of "abc"."""
    target = ("--python", "3.11", "--arch", "aarch64")
    package = build_artifact(tmp_path / "package", *REQUIREMENTS, *target)
    done = arm64_python.run("-c", USE_ALL, str(package))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "hash": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "round trip": "text",
        "matrix": [3.0, 12.0],
        "orjson": '{"a":[1,null]}',
    }
