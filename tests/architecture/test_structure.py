"""The limits of ``python -m benchmarks.structure --check`` hold."""

from __future__ import annotations

from pathlib import Path

import crossdeps
from benchmarks.structure import Structure


def test_no_limit_is_broken() -> None:
    assert Structure(Path(crossdeps.__file__).parent).broken_limits() == {}
