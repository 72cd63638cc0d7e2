"""What exists? Index pages, metadata and files, from the network, a cache or a disk.

:func:`open_index` gives the client that the resolver and the downloads ask. Pages are parsed by
pure functions; sockets are opened in :mod:`crossdeps.index.session` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.index.model import Index, ProjectFile, ProjectPage

if TYPE_CHECKING:
    from crossdeps.index.cache import CacheSize, IndexCache
    from crossdeps.index.client import IndexClient
    from crossdeps.index.opening import open_index
    from crossdeps.index.pages import ProjectFiles

__all__ = [
    "CacheSize",
    "Index",
    "IndexCache",
    "IndexClient",
    "ProjectFile",
    "ProjectFiles",
    "ProjectPage",
    "open_index",
]

_HOMES = {
    "CacheSize": "crossdeps.index.cache",
    "IndexCache": "crossdeps.index.cache",
    "IndexClient": "crossdeps.index.client",
    "ProjectFiles": "crossdeps.index.pages",
    "open_index": "crossdeps.index.opening",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only where something is asked for

    return getattr(importlib.import_module(_HOMES[name]), name)
