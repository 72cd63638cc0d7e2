"""Wheels for bundles: made on the spot, and read by the strict reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from crossdeps.target.model import Target
from tests.support.wheel_factory import make_wheel
from tests.support.wheel_reading import read_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.wheels.model import Wheel


class WheelMaker(Protocol):
    """Makes a wheel with the factory's arguments and reads it."""

    def __call__(self, name: str, version: str = "1.0", **options: Any) -> Wheel:  # noqa: ANN401 - those of make_wheel
        ...


@pytest.fixture(scope="session")
def target() -> Target:
    """Python 3.12 on x86_64."""
    return Target(python="3.12", arch="x86_64")


@pytest.fixture
def wheel(tmp_path_factory: pytest.TempPathFactory) -> WheelMaker:
    folder = tmp_path_factory.mktemp("wheels")

    def make(name: str, version: str = "1.0", **options: Any) -> Wheel:  # noqa: ANN401
        return wheel_in(folder, name, version, **options)

    return make


def wheel_in(
    folder: Path,
    name: str,
    version: str = "1.0",
    **options: Any,  # noqa: ANN401
) -> Wheel:
    made = make_wheel(name, version, **options)
    return read_wheel(made.write_to(folder), made.filename)
