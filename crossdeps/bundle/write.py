"""Writing a bundle: a directory inflated from the wheels, or a zip with their compressed members.

Files of a directory are private copies, never links into the store. Their times are those of the
writing, or of an earlier one that gave the same file: with a fixed time, Python would take bytecode
that it cached elsewhere (PYTHONPYCACHEPREFIX) for an older file of the same size as current.

Nothing waits for the disk: whatever stops a run, the rename leaves the old artifact or the new one.
After a power failure a new one may be incomplete; unlike a lock, it can be built again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.bundle.destination import check_directory_destination, check_zip_destination
from crossdeps.bundle.directory_writer import PreviousDirectory, write_files
from crossdeps.bundle.model import FileContent, WheelContent
from crossdeps.bundle.staging import Staging, Written, output_errors
from crossdeps.bundle.zip_layout import plan_zip
from crossdeps.bundle.zip_writer import write_members
from crossdeps.errors import IntegrityError
from crossdeps.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crossdeps.bundle.destination import DestinationState
    from crossdeps.bundle.model import Bundle
    from crossdeps.bundle.zip_layout import ZipLayout

_DIRECTORY_MODE = 0o755


def write_directory(
    bundle: Bundle,
    destination: Path,
    *,
    force: bool = False,
    checked: DestinationState | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write *bundle* as a directory; modes are 0644 and 0755 whatever the umask is.

    A directory that crossdeps made is replaced. The destination is unchanged, or complete.

    :param force: replace a directory that has other files
    :param checked: result of an earlier check of *destination*
    :returns: its path, and the bytes of its files
    :raises OutputError: if the destination has files of the user, or cannot be written
    :raises IntegrityError: if a wheel has changed since it was verified
    """
    progress = progress or Progress()
    state = check_directory_destination(
        _find_files(bundle), destination, force=force, checked=checked
    )
    previous = PreviousDirectory(path=destination, state=state) if state else None
    progress.writing(str(destination), len(bundle.entries))
    with output_errors(destination), Staging(destination, directory=True) as staging:
        write_files(bundle.entries, staging.path, previous=previous)
        staging.path.chmod(_DIRECTORY_MODE)
        staging.commit_directory()
    written = Written(path=destination, size=bundle.size)
    progress.wrote(str(destination), written.size)
    return written


def _find_files(bundle: Bundle) -> set[Path]:
    """Find the files on disk that the entries are made from."""
    wheels = {
        id(entry.content.wheel): entry.content.wheel.file
        for entry in bundle.entries
        if isinstance(entry.content, WheelContent)
    }
    files = (
        entry.content.file for entry in bundle.entries if isinstance(entry.content, FileContent)
    )
    return {*wheels.values(), *files}


def write_zip(
    bundle: Bundle,
    destination: Path,
    *,
    force: bool = False,
    checked: DestinationState | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write *bundle* as a zip: sorted, dated 1980-01-01, with Unix modes, and nothing optional.

    A zip that crossdeps made is replaced. The destination is unchanged, or complete.

    :param force: replace another file
    :param checked: result of an earlier check of *destination*
    :returns: its path, its size in bytes, its SHA-256 and its layout
    :raises OutputError: if the destination is a file of the user, or cannot be written
    :raises IntegrityError: if a wheel has been truncated since it was verified
    """
    with output_errors(destination):
        layout, paths = plan_zip(bundle)
    return write_zip_layout(
        layout, paths, destination, force=force, checked=checked, progress=progress
    )


def write_zip_layout(
    layout: ZipLayout,
    paths: Sequence[Path],
    destination: Path,
    *,
    expected_sha256: str = "",
    force: bool = False,
    checked: DestinationState | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write a zip from its layout, as :func:`write_zip` does.

    :param paths: of the files of *layout*, in its order
    :param expected_sha256: hex digest of the zip that this layout gave before
    :raises IntegrityError: if a wheel has been truncated, or the zip isn't the expected one; the
        destination is unchanged
    """
    progress = progress or Progress()
    check_zip_destination(paths, destination, force=force, checked=checked)
    progress.writing(str(destination), layout.count)
    with output_errors(destination), Staging(destination, directory=False) as staging:
        sha256 = write_members(layout, paths, staging.fileno(), staging.path)
        if expected_sha256 and sha256 != expected_sha256:
            raise IntegrityError(f"{destination} isn't the zip that the same wheels gave before")
        staging.commit_file()
    written = Written(path=destination, size=layout.size, sha256=sha256, layout=layout)
    progress.wrote(str(destination), written.size)
    return written
