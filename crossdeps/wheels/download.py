"""Getting verified wheels of selected packages: from the store, by download, or by building."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final

import msgspec
from packaging.specifiers import SpecifierSet

from crossdeps.errors import CrossdepsError, IntegrityError
from crossdeps.requirements.model import Origin, Requirement
from crossdeps.wheels.model import invalid_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crossdeps.index.model import ProjectFile
    from crossdeps.progress import Progress
    from crossdeps.resolution.model import Builder, SelectedPackage
    from crossdeps.wheels.model import ByteSource, Wheel
    from crossdeps.wheels.store import Store

PARALLEL: Final = 8
"""Downloads at a time."""


def fetch_wheels(
    selected: Sequence[SelectedPackage],
    store: Store,
    open_source: Callable[[], ByteSource],
    open_builder: Callable[[], Builder],
    *,
    progress: Progress,
) -> tuple[Wheel, ...]:
    """Return the wheels of *selected*, in its order, each verified when it entered the store.

    What the store doesn't have is downloaded, up to :data:`PARALLEL` files at a time and the
    largest first, while this thread builds what has to be built.

    :param open_source: called if the store does not have all; its result is used by several threads
    :param open_builder: called only if something has to be built
    :raises HashMismatchError: if a file has another hash than the selected one
    :raises WheelError: if a wheel is invalid
    :raises IndexAccessError: if a file cannot be fetched
    :raises SdistBuildError: if a build fails
    """
    stored = [_find(item, store) for item in selected]
    wheels = [item for item in stored if item is not None]
    if len(wheels) < len(stored):
        wheels = _obtain(selected, stored, store, open_source(), open_builder, progress)
    for item, wheel in zip(selected, wheels, strict=True):
        _check_identity(item, wheel)
    return tuple(wheels)


def _obtain(
    selected: Sequence[SelectedPackage],
    stored: Sequence[Wheel | None],
    store: Store,
    source: ByteSource,
    open_builder: Callable[[], Builder],
    progress: Progress,
) -> list[Wheel]:
    """Download and build what is not *stored*."""
    missing = [
        (index, item.file)
        for index, item in enumerate(selected)
        if stored[index] is None and item.file is not None and _is_wheel(item.file)
    ]
    missing.sort(key=lambda pair: (-(pair[1].size or 0), pair[1].filename))
    if missing:
        progress.fetching(len(missing), sum(file.size or 0 for _, file in missing))
    downloads = _Downloads(missing, store, source)
    try:
        built = {
            index: _build(item, store, open_builder())
            for index, item in enumerate(selected)
            if item.file is None or not _is_wheel(item.file)
        }
        fetched = downloads.results()
    finally:
        downloads.stop()
    return [wheel or built.get(index) or fetched[index] for index, wheel in enumerate(stored)]


class _Downloads:
    """Daemon threads that download a list of files, until one of them fails."""

    def __init__(
        self, files: list[tuple[int, ProjectFile]], store: Store, source: ByteSource
    ) -> None:
        self._store = store
        self._source = source
        self._pending: queue.SimpleQueue[tuple[int, ProjectFile]] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[int, Wheel | BaseException]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._count = len(files)
        for pair in files:
            self._pending.put(pair)
        for _ in range(min(PARALLEL, len(files))):
            threading.Thread(target=self._work, name="crossdeps-fetch", daemon=True).start()

    def results(self) -> dict[int, Wheel]:
        """Wait for every download; raise the first failure."""
        wheels: dict[int, Wheel] = {}
        for _ in range(self._count):
            index, result = self._finished.get()
            if isinstance(result, BaseException):
                raise result
            wheels[index] = result
        return wheels

    def stop(self) -> None:
        """Start no other download."""
        self._stopped.set()

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                index, file = self._pending.get_nowait()
            except queue.Empty:
                return
            try:
                self._finished.put((index, _download(file, self._store, self._source)))
            except BaseException as error:  # noqa: BLE001 - raised by results()
                self._finished.put((index, error))


def _is_wheel(file: ProjectFile) -> bool:
    return file.filename.endswith(".whl")


def _find(item: SelectedPackage, store: Store) -> Wheel | None:
    if item.file is None or not _is_wheel(item.file) or "sha256" not in item.file.hashes:
        return None
    return store.find(item.file.hashes["sha256"].lower(), item.file.filename)


def _download(file: ProjectFile, store: Store, source: ByteSource) -> Wheel:
    path = store.work_file()
    try:
        source.download(file.url, path, size=file.size, hashes=dict(file.hashes))
        wheel = store.add(path, filename=file.filename, hashes=file.hashes)
    finally:
        path.unlink(missing_ok=True)
    if file.size not in (None, wheel.size):
        warning = f"its size is {wheel.size} bytes, and {file.size} on the index"
        wheel = msgspec.structs.replace(wheel, warnings=(*wheel.warnings, warning))
    return wheel


def _build(item: SelectedPackage, store: Store, builder: Builder) -> Wheel:
    if item.file is not None:
        built = builder.from_sdist(item.name, item.file)
    else:
        built = builder.from_source(_as_requirement(item))
    wheel = store.find(built.sha256, built.filename)
    if wheel is None:
        raise IntegrityError(
            "a wheel that was just built or downloaded isn't in the store any more",
            context=(built.filename,),
            hint="another process may have removed it: run again",
            rule="store-lost",
        )
    return wheel


def _as_requirement(item: SelectedPackage) -> Requirement:
    if item.source is None:
        raise CrossdepsError(f"no file or source is selected for {item.name}")
    return Requirement(
        name=item.name,
        specifier=SpecifierSet(),
        source=item.source,
        hashes=item.hashes,
        origin=Origin(note="selected from the lock"),
        text=f"{item.name} @ {item.source.location}",
    )


def _check_identity(item: SelectedPackage, wheel: Wheel) -> None:
    """Check that the wheel has the selected project and version."""
    if wheel.name != item.name:
        error = invalid_wheel(
            "metadata-name", f"its project is {wheel.name!r} instead of the selected {item.name!r}"
        )
    elif item.version is not None and wheel.version != item.version:
        error = invalid_wheel(
            "metadata-version",
            f"its version is {wheel.version} instead of the selected {item.version}",
        )
    else:
        return
    error.within(wheel.filename)
    raise error
