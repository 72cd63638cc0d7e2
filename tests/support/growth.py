"""How work grows with its input. Seconds depend on the machine; growth does not."""

from __future__ import annotations

import gc
import io
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

LINEAR = 3.0
"""The most that twice the input may cost: linear work costs twice as much, quadratic four times."""

_DOUBLINGS = 3
_ROUNDS = 3

_Input = TypeVar("_Input")


class CountingStream(io.BytesIO):
    """A stream that counts the bytes that are read from it."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Count, and read."""
        data = super().read(size)
        self.total += len(data)
        return data


def growth(
    work: Callable[[_Input], object], make_input: Callable[[int], _Input], size: int
) -> float:
    """How many times the processor time grows when the input becomes twice as large.

    It is measured between an eighth of *size* and *size*, so that a processor which changes its
    speed in between, by up to half, doesn't change the answer; each is the best of three runs.
    At *size* the growing part of the work must outweigh the constant part by far.
    """
    inputs = [make_input(size >> _DOUBLINGS), make_input(size)]
    gc.collect()
    gc.disable()
    try:
        rounds = [[_processor_time(work, one) for one in inputs] for _ in range(_ROUNDS)]
    finally:
        gc.enable()
    small, large = (min(times) for times in zip(*rounds, strict=True))
    return float((large / small) ** (1 / _DOUBLINGS))


def _processor_time(work: Callable[[_Input], object], value: _Input) -> float:
    start = time.thread_time()
    work(value)
    return time.thread_time() - start
