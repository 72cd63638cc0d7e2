"""A directory, inflated from the wheels into a sibling, then renamed.

Files are private copies, never links into the store. Their times are those of the writing: with a
fixed time, Python would take bytecode that it cached elsewhere (PYTHONPYCACHEPREFIX) for an older
file of the same size as current.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.bundle.content import ContentReader
from crossdeps.bundle.destination import check_directory_destination
from crossdeps.bundle.integrity import Check
from crossdeps.bundle.model import WheelContent
from crossdeps.bundle.staging import Sink, Staging, Written, create_file, output_errors
from crossdeps.progress import Progress

if TYPE_CHECKING:
    from crossdeps.bundle.model import Bundle, Entry

_DIRECTORY_MODE = 0o755


def write_directory(
    bundle: Bundle, destination: Path, *, force: bool = False, progress: Progress | None = None
) -> Written:
    """Write *bundle* as a directory; modes are 0644 and 0755 whatever the umask is.

    An existing directory that crossdeps made is replaced; the destination is as before or complete.

    :param force: whether to replace a directory that holds other files
    :returns: where it is, and the bytes of its files
    :raises OutputError: if the destination holds something of the user's, or can't be written
    :raises IntegrityError: if a wheel isn't what was verified
    """
    progress = progress or Progress()
    check_directory_destination(bundle, destination, force=force)
    progress.writing(str(destination), len(bundle.entries))
    with output_errors(destination), Staging(destination, directory=True) as staging:
        made = {""}
        with ContentReader() as reader:
            for entry in bundle.entries:
                _make_directories(staging.path, entry.path.rpartition("/")[0], made)
                _write_entry(f"{staging.path}/{entry.path}", entry, reader)
        Path(staging.path).chmod(_DIRECTORY_MODE)
        # One call for all files: an fsync of each takes a hundred times as long.
        if hasattr(os, "sync"):
            os.sync()
        staging.commit_directory()
    written = Written(path=destination, size=bundle.size)
    progress.wrote(str(destination), written.size)
    return written


def _make_directories(root: Path, path: str, made: set[str]) -> None:
    if path in made:
        return
    _make_directories(root, path.rpartition("/")[0], made)
    directory = root / path
    directory.mkdir()
    directory.chmod(_DIRECTORY_MODE)
    made.add(path)


def _write_entry(path: str, entry: Entry, reader: ContentReader) -> None:
    mode = entry.mode & 0o777
    chunks = reader.iterate(entry.content)
    if not isinstance(entry.content, WheelContent):
        chunks = Check(entry).pass_through(chunks)
    with Sink(create_file(path, mode)) as sink:
        for chunk in chunks:
            sink.write(chunk)
        sink.flush()
        if hasattr(os, "fchmod"):
            os.fchmod(sink.fileno(), mode)
    if not hasattr(os, "fchmod"):
        Path(path).chmod(mode)
