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

_FEWEST_ROUNDS = 3
_MOST_ROUNDS = 10
_CLEARLY_LINEAR = 2.5

_Input = TypeVar("_Input")


class CountingStream(io.BytesIO):
    """A stream that counts the bytes that are read from it."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Count, and read."""
        data = super().read(size)
        self.total += len(data)
        return data


def growth(work: Callable[[_Input], object], half: _Input, whole: _Input) -> float:
    """How many times the processor time for *half* the work on the *whole* input takes.

    Each is the best of several runs in turn, and more follow while the answer is near the limit.
    The input must be so large that the growing part of the work outweighs the constant part.
    """
    ratio = 0.0
    best_half = best_whole = float("inf")
    for done in range(1, _MOST_ROUNDS + 1):
        best_half = min(best_half, _processor_time(work, half))
        best_whole = min(best_whole, _processor_time(work, whole))
        ratio = best_whole / best_half
        if done >= _FEWEST_ROUNDS and ratio <= _CLEARLY_LINEAR:
            break
    return ratio


def _processor_time(work: Callable[[_Input], object], value: _Input) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.thread_time()
        work(value)
        return time.thread_time() - start
    finally:
        gc.enable()
