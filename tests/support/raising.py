"""What a process of a pool imports to raise an error."""

from __future__ import annotations

from typing import NoReturn


def raise_error(error: BaseException) -> NoReturn:
    """Raise *error*, which arrived pickled and goes back so."""
    raise error
