"""The reason for crossdeps: AES on Lambda, built on another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.artifacts import build_example, run_crossdeps
from tests.support.lambda_runtime import invoke

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.lambda_python import LambdaPython

pytestmark = [pytest.mark.emulation, pytest.mark.network, pytest.mark.timeout(600)]

EVENT = {"text": "attack at dawn"}
# printf 'attack at dawn' | openssl enc -aes-128-ecb -K 000102030405060708090a0b0c0d0e0f | xxd -p
ANSWER = {"ciphertext": "b1c64636d3c201d622ea58e3577d5479"}

X86_64 = ("--python", "3.9", "--arch", "x86_64")
AARCH64 = ("--python", "3.9", "--arch", "aarch64")


@pytest.mark.parametrize("name", ["function.zip", "function"])
def test_the_function_answers(
    name: str, lambda_python: Callable[[str], LambdaPython], tmp_path: Path
) -> None:
    """Zip and directory for x86_64 encrypt on Lambda's client and CPython 3.9."""
    artifact = build_example(tmp_path / name, *X86_64)
    outcome = invoke(lambda_python("3.9"), artifact, "app.handler", EVENT)
    assert outcome.error is None
    assert outcome.response == ANSWER


def test_the_build_for_another_machine_dies_there(
    lambda_python: Callable[[str], LambdaPython], tmp_path: Path
) -> None:
    """This is what happens to those who package for the machine they are on."""
    artifact = build_example(tmp_path / "function.zip", *AARCH64)
    outcome = invoke(lambda_python("3.9"), artifact, "app.handler", EVENT)
    assert outcome.error is not None
    assert outcome.error.phase == "init"
    assert "Cannot load native module" in outcome.error.message


def test_check_names_what_would_have_died(tmp_path: Path) -> None:
    """It says which file, what it is, and what the target needs."""
    artifact = build_example(tmp_path / "function.zip", *AARCH64)
    done = run_crossdeps("check", artifact, "-v", *X86_64)
    said = done.stdout + done.stderr
    assert done.returncode == 7, said
    assert "Crypto/Cipher/_raw_ecb.abi3.so" in said
    assert "aarch64" in said
    assert "x86_64" in said
    assert run_crossdeps("check", artifact, *AARCH64).returncode == 0


def test_the_function_answers_on_arm64(arm64_lambda_python: LambdaPython, tmp_path: Path) -> None:
    """The aarch64 build encrypts where it belongs."""
    artifact = build_example(tmp_path / "function.zip", "--python", "3.11", "--arch", "arm64")
    outcome = invoke(arm64_lambda_python, artifact, "app.handler", EVENT, seconds=120)
    assert outcome.error is None
    assert outcome.response == ANSWER
