"""What do we trust? Wheels read strictly once, kept by hash, fetched or built."""

from crossdeps.wheels.cache import StoreInfo, clear_store, prune_store, store_info
from crossdeps.wheels.faults import RULES
from crossdeps.wheels.fetch import fetch_wheels
from crossdeps.wheels.model import ByteSource, Member, Wheel
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
