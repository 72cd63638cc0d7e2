"""Requirements and markers, parsed by one thread at a time.

packaging reads the strings of markers with Python's own parser, which in some releases of CPython
counts the depth of a syntax tree for all threads together (python/cpython#106905): two threads that
parse at once can end in a SystemError. Whoever parses beside the threads of a search does it here.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_ONE_AT_A_TIME = threading.Lock()


def parsing() -> AbstractContextManager[object]:
    """A context for other uses of Python's parser."""
    return _ONE_AT_A_TIME


def parse_requirement(text: str) -> Requirement:
    """Read a dependency specifier (PEP 508).

    :raises packaging.requirements.InvalidRequirement: if it isn't one
    """
    with _ONE_AT_A_TIME:
        return Requirement(text)


def parse_marker(text: str) -> Marker:
    """Read an environment marker (PEP 508).

    :raises packaging.markers.InvalidMarker: if it isn't one
    """
    with _ONE_AT_A_TIME:
        return Marker(text)
