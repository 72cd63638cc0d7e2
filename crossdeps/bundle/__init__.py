"""What do we lay out? Wheels and source become a list of files, and that a directory or a zip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.bundle.layout import Layout, layer_prefix
from crossdeps.bundle.model import (
    ArchiveContent,
    Bundle,
    BundleKind,
    Content,
    Entry,
    FileContent,
    InlineContent,
    InstalledProject,
    WheelContent,
)

if TYPE_CHECKING:
    from crossdeps.bundle.content import ContentReader, read_content
    from crossdeps.bundle.destination import check_directory_destination, check_zip_destination
    from crossdeps.bundle.directory_writer import write_directory
    from crossdeps.bundle.plan import plan_bundle
    from crossdeps.bundle.reader import read_bundle
    from crossdeps.bundle.staging import Written
    from crossdeps.bundle.zip_writer import write_zip

__all__ = [
    "ArchiveContent",
    "Bundle",
    "BundleKind",
    "Content",
    "ContentReader",
    "Entry",
    "FileContent",
    "InlineContent",
    "InstalledProject",
    "Layout",
    "WheelContent",
    "Written",
    "check_directory_destination",
    "check_zip_destination",
    "layer_prefix",
    "plan_bundle",
    "read_bundle",
    "read_content",
    "write_directory",
    "write_zip",
]

_HOMES = {
    "ContentReader": "crossdeps.bundle.content",
    "Written": "crossdeps.bundle.staging",
    "check_directory_destination": "crossdeps.bundle.destination",
    "check_zip_destination": "crossdeps.bundle.destination",
    "plan_bundle": "crossdeps.bundle.plan",
    "read_bundle": "crossdeps.bundle.reader",
    "read_content": "crossdeps.bundle.content",
    "write_directory": "crossdeps.bundle.directory_writer",
    "write_zip": "crossdeps.bundle.zip_writer",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, and nothing else (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only where something is asked for

    return getattr(importlib.import_module(_HOMES[name]), name)
