"""Metadata is read by many threads at once; CPython's own parser isn't safe for that everywhere."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from crossdeps.requirements.syntax import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS, LINES = 8, 1500


@pytest.fixture
def _restless() -> Iterator[None]:
    """Threads change hands, and garbage is collected, as often as can be."""

    def busy(_phase: str, _facts: dict[str, int]) -> None:
        sum(range(50))

    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(5)
    gc.callbacks.append(busy)
    try:
        yield
    finally:
        gc.callbacks.remove(busy)
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_restless")
def test_requirements_are_parsed_by_many_threads() -> None:
    """Without the lock, some of these end in a SystemError on a CPython with the fault."""

    def read(thread: int) -> int:
        lines = (f'a{thread}; extra == "x{n}" and python_version < "3.9"' for n in range(LINES))
        return sum(parse_requirement(line).marker is not None for line in lines)

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(read, range(THREADS))) == [LINES] * THREADS
