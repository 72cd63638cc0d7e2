"""How often Python looks for cycles of garbage."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEW_OBJECTS = 20_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cycles after 20,000 new objects rather than 700.

    Index pages and lists of files are many small objects that stay: looking through them again and
    again takes a tenth of a run, and finds nothing.
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
