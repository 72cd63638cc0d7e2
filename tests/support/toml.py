"""TOML files, on every Python that the tests run on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path


def load_toml(path: Path) -> dict[str, Any]:
    """Read the TOML file *path*."""
    document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return document
