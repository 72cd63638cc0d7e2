"""What do we lay out? Wheels and source become a list of files, and that a directory or a zip."""

from crossdeps.bundle.content import ContentReader, read_content
from crossdeps.bundle.destination import check_directory_destination, check_zip_destination
from crossdeps.bundle.directory_writer import write_directory
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
