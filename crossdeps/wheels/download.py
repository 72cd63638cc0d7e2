"""Getting verified wheels of selected packages: from the store, by download, or by building."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.errors import CrossdepsError, IntegrityError
from crossdeps.text import escape
from crossdeps.wheels.download_queue import DownloadQueue
from crossdeps.wheels.model import invalid_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crossdeps.index.model import ProjectFile
    from crossdeps.progress import Progress
    from crossdeps.requirements.model import Requirement
    from crossdeps.resolution.model import Builder, SelectedPackage
    from crossdeps.wheels.model import ByteSource, Wheel
    from crossdeps.wheels.store import Store


def fetch_wheels(
    selected: Sequence[SelectedPackage],
    store: Store,
    open_source: Callable[[], ByteSource],
    open_builder: Callable[[], Builder],
    *,
    progress: Progress,
    downloads: DownloadQueue | None = None,
    exact_sizes: bool = False,
) -> tuple[Wheel, ...]:
    """Return the wheels of *selected*, in its order, each verified when it entered the store.

    What the store doesn't have is downloaded, up to
    :data:`crossdeps.wheels.download_queue.PARALLEL` files at a time and the largest first, while
    this thread builds what has to be built.

    :param open_source: called if the store does not have all; its result is used by several threads
    :param open_builder: called only if something has to be built
    :param downloads: those that were begun before, from the same source
    :param exact_sizes: whether a file of another size is an error: a lock states it of the file
        with that hash, and the page of an index is advice
    :raises HashMismatchError: if a file has another hash than the selected one, or another size
    :raises WheelError: if a wheel is invalid
    :raises IndexAccessError: if a file cannot be fetched
    :raises SdistBuildError: if a build fails
    """
    keys = [None if _is_begun(item, downloads) else _store_key(item) for item in selected]
    found = iter(store.find_all([key for key in keys if key]))
    stored = [next(found) if key else None for key in keys]
    wheels = [item for item in stored if item is not None]
    if len(wheels) < len(stored):
        queue = downloads or DownloadQueue(store, open_source, progress=progress)
        try:
            wheels = _obtain(selected, stored, store, queue, open_builder, exact_sizes)
        finally:
            queue.close()
    for item, wheel in zip(selected, wheels, strict=True):
        _check_identity(item, wheel)
        if exact_sizes and item.file is not None and _is_wheel(item.file):
            _check_size(item, wheel.size)
    return tuple(wheels)


def _is_begun(item: SelectedPackage, downloads: DownloadQueue | None) -> bool:
    return downloads is not None and item.file is not None and downloads.has(item.file)


def _obtain(
    selected: Sequence[SelectedPackage],
    stored: Sequence[Wheel | None],
    store: Store,
    downloads: DownloadQueue,
    open_builder: Callable[[], Builder],
    exact_sizes: bool,  # noqa: FBT001 - as its caller has it
) -> list[Wheel]:
    """Download and build what is not *stored*."""
    missing = {
        index: item.file
        for index, item in enumerate(selected)
        if stored[index] is None and item.file is not None and _is_wheel(item.file)
    }
    if missing:
        downloads.request(tuple(missing.values()))
    built = {
        index: _build(item, store, open_builder(), exact_sizes=exact_sizes)
        for index, item in enumerate(selected)
        if item.file is None or not _is_wheel(item.file)
    }
    fetched = dict(zip(missing, downloads.results(), strict=True))
    return [wheel or built.get(index) or fetched[index] for index, wheel in enumerate(stored)]


def _is_wheel(file: ProjectFile) -> bool:
    return file.filename.endswith(".whl")


def _store_key(item: SelectedPackage) -> tuple[str, str] | None:
    """Return the SHA-256 and the name by which the store may have the wheel."""
    if item.file is None or not _is_wheel(item.file) or "sha256" not in item.file.hashes:
        return None
    return item.file.hashes["sha256"].lower(), item.file.filename


def _build(item: SelectedPackage, store: Store, builder: Builder, *, exact_sizes: bool) -> Wheel:
    if item.file is not None:
        built = builder.from_sdist(item.name, item.file)
    else:
        built = builder.from_source(_as_requirement(item))
    if exact_sizes:
        _check_size(item, built.source_size)
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
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - for builds only

    from crossdeps.requirements.model import Origin, Requirement  # noqa: PLC0415 - as above

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
    elif not _is_version(wheel, item):
        error = invalid_wheel(
            "metadata-version",
            f"its version is {wheel.version} instead of the selected {item.version}",
        )
    else:
        return
    error.within(wheel.filename)
    raise error


def _check_size(item: SelectedPackage, size: int | None) -> None:
    """Check that the file has the size that the lock states, if there is one.

    Source: pylock.toml specification, "Installing": size and hashes of a file are validated.

    :param size: bytes of the file; None for a directory or a repository
    """
    stated = item.stated_size
    if stated is None or size is None or stated == size:
        return
    name = item.file.filename if item.file else item.source.location if item.source else item.name
    raise IntegrityError(
        f"{escape(name)} has {size:,} bytes, and the lock states {stated:,}",
        context=(f"{item.name}{f' {item.version}' if item.version else ''}",),
        hint="the file has the hash that the lock states, so that the lock contradicts itself: make"
        " it again",
        rule="size-mismatch",
    )


def _is_version(wheel: Wheel, item: SelectedPackage) -> bool:
    # The same text is the same version, and read without parsing.
    return (
        item.version is None
        or wheel.project.public_version == str(item.version)
        or wheel.version == item.version
    )
