"""The heavy equipment: the emulated arm64 Python, and Lambda's runtime client on real Pythons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.arm64 import Arm64Python, find_arm64_python
from tests.support.hosts import Host, arm64_host, native_host
from tests.support.lambda_python import LambdaPython, emulated_lambda_python, find_lambda_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.interpreters import Interpreter


@pytest.fixture(scope="session")
def arm64_python() -> Arm64Python:
    """A real arm64 CPython 3.11 under qemu."""
    return find_arm64_python()


@pytest.fixture(scope="session")
def lambda_python() -> Callable[[str], LambdaPython]:
    """Lambda's runtime client on a CPython of this machine: call it with a version, "3.9"."""
    return find_lambda_python


@pytest.fixture(scope="session")
def arm64_lambda_python(arm64_python: Arm64Python) -> LambdaPython:
    """Lambda's runtime client on the emulated arm64 CPython 3.11."""
    return emulated_lambda_python(arm64_python)


@pytest.fixture(scope="session")
def native_hosts(python_interpreters: tuple[Interpreter, ...]) -> tuple[Host, ...]:
    """Each installed CPython from 3.10 up, ready to run crossdeps."""
    return tuple(native_host(interpreter) for interpreter in python_interpreters)


@pytest.fixture(scope="session")
def emulated_host(arm64_python: Arm64Python) -> Host:
    """The emulated arm64 CPython, ready to run crossdeps."""
    return arm64_host(arm64_python)
