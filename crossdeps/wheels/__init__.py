"""What do we trust? Wheels read strictly once, kept by hash, fetched or built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.wheels.model import ByteSource, Member, Wheel

if TYPE_CHECKING:
    from crossdeps.wheels.cache import StoreInfo, clear_store, prune_store, store_info
    from crossdeps.wheels.faults import RULES
    from crossdeps.wheels.fetch import fetch_wheels
    from crossdeps.wheels.reader import check_metadata_agrees, read_wheel
    from crossdeps.wheels.sdists import SourceBuilder
    from crossdeps.wheels.store import Store

__all__ = [
    "RULES",
    "ByteSource",
    "Member",
    "SourceBuilder",
    "Store",
    "StoreInfo",
    "Wheel",
    "check_metadata_agrees",
    "clear_store",
    "fetch_wheels",
    "prune_store",
    "read_wheel",
    "store_info",
]

_HOMES = {
    "RULES": "crossdeps.wheels.faults",
    "SourceBuilder": "crossdeps.wheels.sdists",
    "Store": "crossdeps.wheels.store",
    "StoreInfo": "crossdeps.wheels.cache",
    "check_metadata_agrees": "crossdeps.wheels.reader",
    "clear_store": "crossdeps.wheels.cache",
    "fetch_wheels": "crossdeps.wheels.fetch",
    "prune_store": "crossdeps.wheels.cache",
    "read_wheel": "crossdeps.wheels.reader",
    "store_info": "crossdeps.wheels.cache",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only where something is asked for

    return getattr(importlib.import_module(_HOMES[name]), name)
