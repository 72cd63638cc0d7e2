"""The environment variables of this process: the one place that reads them for the library."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def process_environment() -> Mapping[str, str]:
    """The environment variables, as they are now; what is returned doesn't change."""
    return MappingProxyType(dict(os.environ))
