"""Wheels that no index page lists: given by path or URL, or built by pip from source.

A built wheel is accepted only if it is pure (``*-none-any``), since the host isn't the target.
Archives are built once for their SHA-256; directories and repositories once per run. Metadata that
a build is bound to repeat is read from the source, so that a lock builds nothing.
"""

from __future__ import annotations

import threading
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import msgspec
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import Version

from crossdeps.errors import (
    CrossdepsError,
    HashMismatchError,
    InputError,
    OfflineError,
    SdistBuildError,
)
from crossdeps.requirements.core_metadata import (
    Headers,
    read_archive_metadata,
    read_directory_metadata,
)
from crossdeps.resolution.lock.entries import as_locked
from crossdeps.resolution.model import BuiltWheel
from crossdeps.wheels.pip_build import PipBuilder, pip_environment
from crossdeps.wheels.source_files import BuildCache, SourceFiles, check_any_hash
from crossdeps.wheels.store import check_hashes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.progress import Progress
    from crossdeps.requirements.model import DirectSource, Requirement
    from crossdeps.wheels.model import ByteSource, Wheel
    from crossdeps.wheels.source_files import Archive
    from crossdeps.wheels.store import Store

BUILD_TIMEOUT: Final = 1800.0
"""Seconds that one build may take."""


class SourceBuilder:
    """Reads and builds direct references; implements ``resolution.model.Builder``.

    Builds run one at a time, in the calling thread, so that an interrupt ends them.

    :param store: where the wheels go
    :param source: downloads archives and wheels
    :param environ: the user's environment; the variables of pip and Python aren't passed on
    :param pip_settings: ``PIP_*`` variables with the index to take build requirements from
    :param timeout: seconds for one build
    :param offline: never clone from another machine
    :ivar has_built: whether it was asked for a wheel or its metadata
    """

    def __init__(
        self,
        store: Store,
        source: ByteSource,
        *,
        environ: Mapping[str, str],
        pip_settings: Mapping[str, str],
        progress: Progress,
        timeout: float = BUILD_TIMEOUT,
        offline: bool = False,
    ) -> None:
        self._store = store
        self._offline = offline
        self._cache = BuildCache(store.folder)
        self._files = SourceFiles(store, source)
        self._pip = PipBuilder(
            store,
            environment=pip_environment(environ, pip_settings),
            keep_log=self._cache.keep_log,
            progress=progress,
            timeout=timeout,
        )
        self._built: dict[tuple[DirectSource, frozenset[str]], BuiltWheel] = {}
        self._lock = threading.Lock()
        self.has_built: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """How something was built, where it isn't as usual, one sentence each."""
        return tuple(dict.fromkeys(self._pip.notes))

    def read_source(self, requirement: Requirement) -> BuiltWheel:
        """Read the metadata of a requirement with a ``source``, and build it only if it must be.

        :returns: without a wheel, if none was built
        :raises CrossdepsError: as :meth:`from_source`
        """
        return self._from_source(requirement, build=False)

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        """Read or build the wheel of a requirement with a ``source``; once per run.

        :raises SdistBuildError: if the build fails or results in a native wheel
        :raises WheelError: if a wheel is invalid
        :raises HashMismatchError: if the file has none of the requirement's hashes
        :raises InputError: if the file doesn't exist, or its URL is insecure
        :raises IndexAccessError: if it cannot be fetched
        """
        return self._from_source(requirement, build=True)

    def _from_source(self, requirement: Requirement, *, build: bool) -> BuiltWheel:
        source = requirement.source
        if source is None:
            raise CrossdepsError(f"{requirement.text} has no file, directory or repository")
        self.has_built = True
        with self._lock:
            built = self._built.get((source, requirement.hashes))
            if built is None or (build and not built.filename):
                try:
                    built = self._read_or_build(requirement, source, build=build)
                    _check_name(requirement, built)
                except (SdistBuildError, HashMismatchError, InputError) as error:
                    error.within(str(requirement.origin), requirement.text)
                    raise
                self._built[source, requirement.hashes] = built
                # A lock has another URL for the same source, perhaps without credentials.
                if built.filename:
                    self._built.setdefault(as_locked(source, built), built)
            return built

    def read_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        """Read the metadata of an sdist from an index, and build it only if it must be.

        :returns: without a wheel, if none was built
        :raises CrossdepsError: as :meth:`from_sdist`
        """
        return self._from_sdist(name, file, build=False)

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        """Build the wheel of an sdist from an index, unless the cache has it.

        :raises SdistBuildError: if the build fails, or results in a native or another project's
            wheel
        :raises HashMismatchError: if the sdist has other hashes than the index lists
        :raises IndexAccessError: if it cannot be fetched
        """
        return self._from_sdist(name, file, build=True)

    def _from_sdist(self, name: NormalizedName, file: ProjectFile, *, build: bool) -> BuiltWheel:
        self.has_built = True
        try:
            _, version = parse_sdist_filename(file.filename)
        except InvalidSdistFilename as error:
            raise SdistBuildError(
                f"invalid sdist file name: {file.filename}",
                hint="sdists are named NAME-VERSION.tar.gz",
                rule="sdist-filename",
            ) from error
        with self._lock:
            known = file.hashes.get("sha256", "").lower()
            cached = self._cache.find(known, self._store) if known else None
            if cached is not None:
                built = _as_built(cached[0], hashes=file.hashes, size=cached[1])
            else:
                archive = self._files.download(
                    file.filename, file.url, hashes=dict(file.hashes), size=file.size
                )
                hashes = check_hashes(archive.path, file.hashes, file.filename)
                archive = msgspec.structs.replace(archive, hashes=hashes)
                built = self._from_archive(archive, None, build=build)
        if (built.name, built.version) != (name, version):
            raise SdistBuildError(
                f"{file.filename} built as {built.name} {built.version}",
                hint="the sdist has a wrong file name: require another version",
                rule="sdist-identity",
            )
        return built

    def _read_or_build(
        self, requirement: Requirement, source: DirectSource, *, build: bool
    ) -> BuiltWheel:
        if source.kind == "directory":
            return self._from_directory(source, build=build)
        if source.kind == "vcs":
            return self._from_repository(requirement, source)
        archive = self._files.open(source, is_hashed=bool(requirement.hashes))
        hashes = check_any_hash(archive.path, requirement.hashes, archive.path.name)
        if source.kind == "wheel":
            filename = archive.path.name
            wheel = self._store.add(archive.path, filename=filename, hashes=hashes)
            self._files.forget(source)  # the store has moved it
            return _as_built(wheel, hashes={"sha256": wheel.sha256}, size=archive.size)
        archive = msgspec.structs.replace(archive, hashes=hashes)
        return self._from_archive(archive, source.subdirectory, build=build)

    def _from_archive(
        self, archive: Archive, subdirectory: str | None, *, build: bool
    ) -> BuiltWheel:
        key = archive.hashes["sha256"] + (subdirectory or "")
        cached = self._cache.find(key, self._store)
        if cached is not None:
            return _as_built(cached[0], hashes=archive.hashes, size=archive.size)
        static = read_archive_metadata(archive.path, subdirectory)
        if static.metadata is not None and not build:
            return _as_read(static.metadata, hashes=archive.hashes, size=archive.size)
        reference = str(archive.path)
        if subdirectory:
            reference = f"{archive.path.as_uri()}#subdirectory={subdirectory}"
        wheel, _ = self._pip.build(reference, archive.path.name, static.requires_python)
        self._cache.add(key, wheel, source_size=archive.size)
        return _as_built(wheel, hashes=archive.hashes, size=archive.size)

    def _from_directory(self, source: DirectSource, *, build: bool) -> BuiltWheel:
        path = Path(source.location, *PurePosixPath(source.subdirectory or "").parts)
        if not path.is_dir():
            raise InputError(f"no such directory: {path}", hint="check the path")
        static = read_directory_metadata(path)
        if static.metadata is not None and not build:
            return _as_read(static.metadata)
        return _as_built(self._pip.build(str(path), path.name, static.requires_python)[0])

    def _from_repository(self, requirement: Requirement, source: DirectSource) -> BuiltWheel:
        reference = source.location
        if self._offline and not reference.partition("+")[2].lower().startswith("file:"):
            raise OfflineError(
                "a repository cannot be cloned without network access",
                context=(str(requirement.origin), requirement.text),
                hint="run without --offline, or require a directory of this machine",
            )
        if source.subdirectory and "#" not in reference:
            reference = f"{reference}#subdirectory={source.subdirectory}"
        wheel, commit_id = self._pip.build(reference, requirement.name or "repository", "")
        return _as_built(wheel, commit_id=commit_id)


def _check_name(requirement: Requirement, built: BuiltWheel) -> None:
    if requirement.name and built.name != requirement.name:
        raise SdistBuildError(
            f"the requirement is {requirement.name}, but its source is {built.name}"
            f" {built.version}",
            hint=f"name it {built.name} in the requirement, or correct its location",
            rule="sdist-identity",
        )


def _as_built(
    wheel: Wheel,
    *,
    hashes: Mapping[str, str] | None = None,
    size: int | None = None,
    commit_id: str | None = None,
) -> BuiltWheel:
    return BuiltWheel(
        name=wheel.name,
        version=wheel.version,
        filename=wheel.filename,
        metadata=wheel.metadata,
        sha256=wheel.sha256,
        source_hashes=dict(hashes or {}),
        source_size=size,
        commit_id=commit_id,
    )


def _as_read(
    metadata: bytes, *, hashes: Mapping[str, str] | None = None, size: int | None = None
) -> BuiltWheel:
    headers = Headers(metadata)
    return BuiltWheel(
        name=canonicalize_name(headers.get("Name")),
        version=Version(headers.get("Version")),
        metadata=metadata,
        source_hashes=dict(hashes or {}),
        source_size=size,
    )
