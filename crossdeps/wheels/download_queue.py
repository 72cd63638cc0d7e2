"""Downloads of wheels into the store, beside the search that chooses them and after it."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.progress import Progress
from crossdeps.system_errors import start_threads
from crossdeps.text import is_http

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from crossdeps.index.model import ProjectFile
    from crossdeps.resolution.model import Pin
    from crossdeps.wheels.model import ByteSource, Wheel
    from crossdeps.wheels.store import Store

PARALLEL: Final = 8
"""Downloads at a time."""

# Beside the search, whose pages and metadata need the connections more.
_PARALLEL_TO_SEARCH = 2


class _DroppedError(Exception):
    """The wheel is not needed any more."""


class _Download(Progress):
    """One download; also the progress of its bytes, which is how it is ended early."""

    def __init__(self, file: ProjectFile, report: Callable[[str, int], None]) -> None:
        self.file = file
        self.dropped = False
        self._report = report

    def fetched(self, filename: str, size: int) -> None:
        """Report the bytes.

        :raises _DroppedError: if nobody needs the file any more
        """
        if self.dropped:
            raise _DroppedError
        self._report(filename, size)


def _largest_first(download: _Download) -> tuple[int, str]:
    return -(download.file.size or 0), download.file.filename


class DownloadQueue:
    """Daemon threads that download wheels and add them to the store.

    While versions are being searched for, the wheel of each pin is downloaded; a pin that is given
    up is dropped, and what has arrived of its wheel is removed. :meth:`request` then names the
    wheels that were chosen. Progress is reported from that moment on, with what came before.

    :param open_source: called before the first download; its result is used by several threads
    :param skipped: projects whose pins are not downloaded before they are requested
    :param budget: while the pins add up to more bytes than this, no wheel of a pin is downloaded
    """

    def __init__(
        self,
        store: Store,
        open_source: Callable[[], ByteSource],
        *,
        progress: Progress,
        skipped: Container[str] = (),
        budget: int | None = None,
    ) -> None:
        self._store = store
        self._open_source = open_source
        self._progress = progress
        self._skipped = skipped
        self._budget = budget
        self._changed = threading.Condition()
        self._pins: dict[str, ProjectFile] = {}
        self._downloads: dict[str, _Download] = {}
        self._waiting: deque[_Download] = deque()
        self._finished: deque[tuple[_Download, Wheel | BaseException]] = deque()
        self._early: dict[str, int] | None = {}
        self._requested: list[_Download] = []
        self._threads = 0
        self._parallel = _PARALLEL_TO_SEARCH
        self._source: ByteSource | None = None

    def pinned(self, pin: Pin) -> None:
        """Start to download the wheel of *pin*, in place of that of an earlier pin."""
        file = pin.candidate.file if pin.candidate and pin.candidate.is_wheel else None
        before = self._pins.pop(pin.name, None)
        if before is not None and before != file:
            self._drop(before)
        if file is None or pin.name in self._skipped:
            return
        self._pins[pin.name] = file
        size = sum(each.size or 0 for each in self._pins.values())
        if self._is_missing(file) and (self._budget is None or size <= self._budget):
            self._open()
            with self._changed:
                self._add(file)
            self._start_threads()

    def kept(self, pins: Iterable[Pin]) -> None:
        """Drop the wheels of all pins but these: the search gave them up."""
        names = {pin.name for pin in pins}
        for name in self._pins.keys() - names:
            self._drop(self._pins.pop(name))

    def has(self, file: ProjectFile) -> bool:
        """Whether *file* is being downloaded, or was."""
        with self._changed:
            return file.url in self._downloads

    def request(self, files: Sequence[ProjectFile]) -> None:
        """Download *files*, the largest of which are begun first, and drop everything else."""
        self._open()
        with self._changed:
            self._parallel = PARALLEL
            self._report_early(files)
            urls = {file.url for file in files}
            for other in [each for each in self._downloads.values() if each.file.url not in urls]:
                self._end(other)
            for file in files:
                self._add(file)
            self._waiting = deque(sorted(self._waiting, key=_largest_first))
            self._requested = [self._downloads[file.url] for file in files]
        self._start_threads()

    def results(self) -> list[Wheel]:
        """Wait for the files that were requested, and return their wheels in the same order.

        :raises HashMismatchError: if a file has another hash than the listed one
        :raises WheelError: if a wheel is invalid
        :raises IndexAccessError: if a file cannot be fetched
        """
        requested = {each.file.url: each for each in self._requested}
        wheels: dict[str, Wheel] = {}
        with self._changed:
            alone = not self._threads  # the system allows no more
            self._threads += alone
        if alone:
            self._work()
        with self._changed:
            while len(wheels) < len(requested):
                while self._finished:
                    download, result = self._finished.popleft()
                    if requested.get(download.file.url) is not download:
                        continue
                    if isinstance(result, BaseException):
                        raise result
                    wheels[download.file.url] = result
                if len(wheels) < len(requested):
                    self._changed.wait()
        return [wheels[each.file.url] for each in self._requested]

    def close(self) -> None:
        """Drop every download. Those under way end by themselves, at their next bytes."""
        with self._changed:
            for each in tuple(self._downloads.values()):
                self._end(each)
        self._pins.clear()

    def report(self, filename: str, size: int) -> None:
        """Report bytes that arrived; before :meth:`request`, only count them."""
        with self._changed:
            if self._early is not None:
                self._early[filename] = self._early.get(filename, 0) + size
                return
        self._progress.fetched(filename, size)

    def _report_early(self, files: Sequence[ProjectFile]) -> None:
        early, self._early = self._early or {}, None
        self._progress.fetching(len(files), sum(file.size or 0 for file in files))
        for file in files:
            if file.filename in early:
                self._progress.fetched(file.filename, early[file.filename])

    def _is_missing(self, file: ProjectFile) -> bool:
        """Whether *file* is to be downloaded before it is known to be chosen."""
        sha256 = file.hashes.get("sha256", "").lower()
        return bool(sha256) and is_http(file.url) and not self._store.has(sha256)

    def _open(self) -> None:
        """Open the source, in the thread of the search."""
        if self._source is None:
            self._source = self._open_source()

    def _add(self, file: ProjectFile) -> None:
        if file.url not in self._downloads:
            download = self._downloads[file.url] = _Download(file, self.report)
            self._waiting.append(download)

    def _start_threads(self) -> None:
        with self._changed:
            more = max(0, min(self._parallel - self._threads, len(self._waiting)))
            self._threads += more
        started = start_threads(
            threading.Thread(target=self._work, name="crossdeps-fetch", daemon=True)
            for _ in range(more)
        )
        with self._changed:
            self._threads -= more - started

    def _drop(self, file: ProjectFile) -> None:
        with self._changed:
            download = self._downloads.get(file.url)
            if download is not None:
                self._end(download)

    def _end(self, download: _Download) -> None:
        download.dropped = True
        del self._downloads[download.file.url]
        if download in self._waiting:
            self._waiting.remove(download)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._threads -= 1
                    return
                download = self._waiting.popleft()
            result: Wheel | BaseException
            try:
                result = self._obtain(download)
            except BaseException as error:  # noqa: BLE001 - raised by results()
                result = error
            with self._changed:
                self._finished.append((download, result))
                self._changed.notify_all()

    def _obtain(self, download: _Download) -> Wheel:
        """Download a wheel, and add it to the store."""
        file = download.file
        assert self._source is not None  # noqa: S101 - opened before the first thread
        path = self._store.work_file()
        try:
            self._source.download(
                file.url, path, size=file.size, hashes=dict(file.hashes), progress=download
            )
            wheel = self._store.add(path, filename=file.filename, hashes=file.hashes)
        finally:
            path.unlink(missing_ok=True)
        if file.size not in (None, wheel.size):
            warning = f"its size is {wheel.size} bytes, and {file.size} on the index"
            wheel = msgspec.structs.replace(wheel, warnings=(*wheel.warnings, warning))
        return wheel
