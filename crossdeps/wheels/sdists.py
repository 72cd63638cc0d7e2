"""Wheels that no index page describes: named by path or URL, or built by pip from source.

What is built is accepted only if it is pure (``*-none-any``): the host that builds isn't the
target. Archives are built once for their SHA-256; directories and repositories once a run.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidSdistFilename, parse_sdist_filename

from crossdeps.errors import (
    CrossdepsError,
    HashMismatchError,
    InputError,
    OfflineError,
    SdistBuildError,
)
from crossdeps.resolution.lock.entries import as_locked
from crossdeps.resolution.model import BuiltWheel
from crossdeps.wheels.pip_build import BuildCache, build_wheel, pip_environment, source_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from crossdeps.index.model import ProjectFile
    from crossdeps.progress import Progress
    from crossdeps.requirements.model import DirectSource, Requirement
    from crossdeps.wheels.model import ByteSource, Wheel
    from crossdeps.wheels.store import Store

BUILD_TIMEOUT: Final = 1800.0
"""Seconds that one build may take."""


class SourceBuilder:
    """Reads and builds what users name themselves; implements ``resolution.model.Builder``.

    Builds run one at a time, in the thread that asks, so that an interrupt ends them.

    :param store: where the wheels go
    :param source: fetches archives and wheels named by URL
    :param environ: the user's environment; pip's and Python's own variables are left out of it
    :param pip_settings: ``PIP_*`` variables with the index to take build requirements from
    :param timeout: seconds for one build
    :param offline: never clone from another machine
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
        self._source = source
        self._environment = pip_environment(environ, pip_settings)
        self._progress = progress
        self._timeout = timeout
        self._offline = offline
        self._builds = BuildCache(store.folder)
        self._made: dict[tuple[DirectSource, frozenset[str]], BuiltWheel] = {}
        self._lock = threading.Lock()

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        """Read or build the wheel of a requirement with a ``source``; once a run.

        :raises SdistBuildError: if the build fails or gives a native wheel
        :raises WheelError: if a wheel breaks the rules
        :raises HashMismatchError: if none of the requirement's hashes is that of the file
        :raises InputError: if the file isn't there, or its URL can't be trusted
        :raises IndexAccessError: if it can't be fetched
        """
        source = requirement.source
        if source is None:
            raise CrossdepsError(f"{requirement.text} names no file, directory or repository")
        with self._lock:
            made = self._made.get((source, requirement.hashes))
            if made is None:
                try:
                    made = self._make(requirement, source)
                    _check_name(requirement, made)
                except (SdistBuildError, HashMismatchError, InputError) as error:
                    error.within(str(requirement.origin), requirement.text)
                    raise
                self._made[source, requirement.hashes] = made
                # Who works from the lock calls it otherwise, and may not know the login.
                self._made.setdefault(as_locked(source, made), made)
            return made

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        """Build the wheel of an sdist from an index, or take the one built before.

        :raises SdistBuildError: if the build fails, or gives a native or another project's wheel
        :raises HashMismatchError: if the sdist isn't the one that the index describes
        :raises IndexAccessError: if it can't be fetched
        """
        try:
            _, version = parse_sdist_filename(file.filename)
        except InvalidSdistFilename as error:
            raise SdistBuildError(
                f"not an sdist's file name: {file.filename}",
                hint="sdists are named NAME-VERSION.tar.gz",
                rule="sdist-filename",
            ) from error
        with self._lock:
            known = file.hashes.get("sha256", "").lower()
            wheel = self._builds.find(known, self._store) if known else None
            hashes = dict(file.hashes)
            if wheel is None:
                with self._fetched(file.filename, file.url, hashes, file.size) as archive:
                    hashes = source_hashes(archive, hashes, file.filename)
                    wheel = self._build_archive(
                        str(archive), file.filename, archive=hashes["sha256"]
                    )
        if (wheel.name, wheel.version) != (name, version):
            raise SdistBuildError(
                f"{file.filename} built as {wheel.name} {wheel.version}",
                hint="the sdist is mislabelled: ask for another version",
                rule="sdist-identity",
            )
        return _as_built(wheel, hashes=hashes)

    def _make(self, requirement: Requirement, source: DirectSource) -> BuiltWheel:
        if source.kind == "directory":
            return self._from_directory(source)
        if source.kind == "vcs":
            return self._from_repository(requirement, source)
        with self._opened(requirement, source) as (path, filename):
            hashes = _check_any(path, requirement.hashes, filename)
            if source.kind == "wheel":
                wheel = self._store.add(path, filename=filename, hashes=hashes)
                return _as_built(wheel, hashes={"sha256": wheel.sha256})
            key = hashes["sha256"] + (source.subdirectory or "")
            made = self._builds.find(key, self._store)
            if made is None:
                asked = str(path)
                if source.subdirectory:
                    asked = f"{path.as_uri()}#subdirectory={source.subdirectory}"
                made = self._build_archive(asked, filename, archive=key)
            return _as_built(made, hashes=hashes)

    def _from_directory(self, source: DirectSource) -> BuiltWheel:
        path = Path(source.location, *PurePosixPath(source.subdirectory or "").parts)
        if not path.is_dir():
            raise InputError(f"no such directory: {path}", hint="check the path")
        return _as_built(self._build(str(path), path.name)[0])

    def _from_repository(self, requirement: Requirement, source: DirectSource) -> BuiltWheel:
        asked = source.location
        if self._offline and not asked.partition("+")[2].lower().startswith("file:"):
            raise OfflineError(
                "a repository can't be cloned, and the network is forbidden",
                context=(str(requirement.origin), requirement.text),
                hint="run without --offline, or name a directory of this machine",
            )
        if source.subdirectory and "#" not in asked:
            asked = f"{asked}#subdirectory={source.subdirectory}"
        wheel, commit_id = self._build(asked, requirement.name or "repository")
        return _as_built(wheel, commit_id=commit_id)

    @contextmanager
    def _opened(self, requirement: Requirement, source: DirectSource) -> Iterator[tuple[Path, str]]:
        """A private copy of the file that *source* names, and the file's name."""
        scheme = "file" if source.is_local else urlsplit(source.location).scheme.lower()
        if source.is_local:
            filename = Path(source.location).name
        else:
            filename = unquote(urlsplit(source.location).path).rpartition("/")[2]
        if scheme == "http" and not requirement.hashes:
            raise InputError(
                "an http URL without a hash can't be trusted",
                hint="use https, or add --hash=sha256:… to the requirement",
                rule="insecure-url",
            )
        if source.is_local:
            with self._private_folder(filename) as copy:
                try:
                    shutil.copyfile(source.location, copy)
                except OSError as error:
                    raise InputError(
                        f"{source.location} can't be read: {error.strerror}", hint="check the path"
                    ) from error
                yield copy, filename
        else:
            with self._fetched(filename, source.location, {}, None) as copy:
                yield copy, filename

    @contextmanager
    def _fetched(
        self, filename: str, url: str, hashes: dict[str, str], size: int | None
    ) -> Iterator[Path]:
        with self._private_folder(filename) as path:
            self._source.download(url, path, size=size, hashes=hashes)
            yield path

    @contextmanager
    def _private_folder(self, filename: str) -> Iterator[Path]:
        """A path ending in *filename*, which pip looks at, in a folder of its own."""
        if filename in ("", ".", "..") or set(filename) & set("/\\\0"):
            raise InputError(f"no file name: {filename!r}", hint="check the URL")
        folder = self._store.work_file(".d")
        folder.mkdir(mode=0o700)
        try:
            yield folder / filename
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _build_archive(self, asked: str, label: str, *, archive: str) -> Wheel:
        wheel, _ = self._build(asked, label)
        self._builds.note(archive, wheel)
        return wheel

    def _build(self, asked: str, label: str) -> tuple[Wheel, str | None]:
        self._progress.building(label)
        with tempfile.TemporaryDirectory(prefix="crossdeps-build-") as folder:
            path, commit_id = build_wheel(
                asked,
                label=label,
                folder=Path(folder),
                logs=self._builds.logs,
                environment=self._environment,
                timeout=self._timeout,
                tell=self._progress.build_output,
            )
            return self._store.add(path, filename=path.name, hashes={}), commit_id


def _check_name(requirement: Requirement, made: BuiltWheel) -> None:
    if requirement.name and made.name != requirement.name:
        raise SdistBuildError(
            f"asked for {requirement.name}, got {made.name} {made.version}",
            hint=f"name it {made.name} in the requirement, or correct its location",
            rule="sdist-identity",
        )


def _check_any(path: Path, accepted: frozenset[str], filename: str) -> dict[str, str]:
    """The SHA-256 of *path*, once one of the *accepted* hashes (if there are any) is its own."""
    pairs = [text.partition(":")[::2] for text in sorted(accepted)]
    found = source_hashes(path, dict.fromkeys((algorithm for algorithm, _ in pairs), ""), filename)
    if pairs and not any(found.get(algorithm) == digest.lower() for algorithm, digest in pairs):
        raise HashMismatchError(
            f"none of the expected hashes: expected {', '.join(sorted(accepted))},"
            f" got sha256:{found['sha256']}",
            context=(filename,),
            hint="the file was replaced, or the hash is another file's: find out which is right",
            rule="hash-mismatch",
        )
    return found


def _as_built(
    wheel: Wheel, *, hashes: Mapping[str, str] | None = None, commit_id: str | None = None
) -> BuiltWheel:
    return BuiltWheel(
        name=wheel.name,
        version=wheel.version,
        filename=wheel.filename,
        metadata=wheel.metadata,
        sha256=wheel.sha256,
        source_hashes=dict(hashes or {}),
        commit_id=commit_id,
    )
