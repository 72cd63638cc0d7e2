"""Environment markers, decided by the target alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.markers import Marker

    from crossdeps.target import Target

# Of a machine that isn't here these two can't be known; Target.environment leaves them empty.
_UNKNOWABLE = re.compile(r"\bplatform[_.](?:release|version)\b")


class Markers:
    """Evaluates markers for one target (dependency specifiers, "Environment Markers")."""

    def __init__(self, target: Target) -> None:
        self._environment = {key: str(value) for key, value in target.environment.items()}
        self._known: dict[tuple[str, str], bool] = {}

    def hold(self, marker: Marker | None, extra: str = "") -> bool:
        """Whether *marker* is true for the target when *extra* is asked for."""
        if marker is None:
            return True
        key = (str(marker), extra)
        known = self._known.get(key)
        if known is None:
            # The environment is complete: packaging would fill what is missing from the host.
            environment = {**self._environment, "extra": extra}
            known = self._known[key] = marker.evaluate(environment)
        return known


def reads_unknowable(marker: Marker | None) -> bool:
    """Whether *marker* reads a variable that can't be known of another machine."""
    return marker is not None and _UNKNOWABLE.search(str(marker)) is not None
