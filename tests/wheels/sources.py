"""A source of bytes in memory, in place of the network."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import HashMismatchError, IndexUnreachableError
from crossdeps.index.model import ProjectFile
from crossdeps.resolution.model import SelectedPackage

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.progress import Progress
    from tests.support.sdist_factory import SdistFile
    from tests.support.wheel_factory import WheelFile

ROOT = "https://files.example/"


class MemorySource:
    """Serves *files* by URL and remembers what was asked, in order.

    :param delay: seconds that each download takes
    """

    def __init__(self, *files: WheelFile | SdistFile, delay: float = 0.0) -> None:
        self.content = {ROOT + file.filename: file.content for file in files}
        self.asked: list[str] = []
        self.most_at_once = 0
        self._delay = delay
        self._running = 0
        self._lock = threading.Lock()

    def download(
        self,
        url: str,
        destination: Path,
        *,
        size: int | None,
        hashes: dict[str, str],
        progress: Progress | None = None,
    ) -> str:
        """Write the file, checking its SHA-256 as the index does."""
        del size
        with self._lock:
            self.asked.append(url.removeprefix(ROOT))
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        time.sleep(self._delay)
        with self._lock:
            self._running -= 1
        if url not in self.content:
            raise IndexUnreachableError("no answer", context=(url,))
        if progress is not None:
            progress.fetched(url.removeprefix(ROOT), len(self.content[url]))
        destination.write_bytes(self.content[url])
        found = hashlib.sha256(self.content[url]).hexdigest()
        if hashes.get("sha256", found) != found:
            raise HashMismatchError("sha256 mismatch", context=(url,))
        return found


def selected(
    made: WheelFile | SdistFile, *, size: int | None = None, hashes: dict[str, str] | None = None
) -> SelectedPackage:
    """What a lock says of a file."""
    file = ProjectFile(
        filename=made.filename,
        url=ROOT + made.filename,
        hashes={"sha256": made.sha256} if hashes is None else hashes,
        size=made.size if size is None else size,
    )
    return SelectedPackage(
        name=canonicalize_name(made.name), version=Version(made.version), file=file
    )
