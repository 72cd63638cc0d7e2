"""Wheels that no index page lists: given by path or URL, or built by pip from source.

A built wheel is accepted only if it is pure (``*-none-any``), since the host isn't the target.
Archives are built once for their SHA-256; directories and repositories once per run.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from shutil import copyfile, rmtree
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
from crossdeps.wheels.pip_build import BuildCache, build_wheel, pip_environment
from crossdeps.wheels.store import check_hashes, digest_file

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
    """Reads and builds direct references; implements ``resolution.model.Builder``.

    Builds run one at a time, in the calling thread, so that an interrupt ends them.

    :param store: where the wheels go
    :param source: downloads archives and wheels
    :param environ: the user's environment; the variables of pip and Python aren't passed on
    :param pip_settings: ``PIP_*`` variables with the index to take build requirements from
    :param timeout: seconds for one build
    :param offline: never clone from another machine
    :ivar has_built: whether it was asked for a wheel
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
        self._cache = BuildCache(store.folder)
        self._built: dict[tuple[DirectSource, frozenset[str]], BuiltWheel] = {}
        self._lock = threading.Lock()
        self.has_built: bool = False

    def from_source(self, requirement: Requirement) -> BuiltWheel:
        """Read or build the wheel of a requirement with a ``source``; once per run.

        :raises SdistBuildError: if the build fails or results in a native wheel
        :raises WheelError: if a wheel is invalid
        :raises HashMismatchError: if the file has none of the requirement's hashes
        :raises InputError: if the file doesn't exist, or its URL is insecure
        :raises IndexAccessError: if it cannot be fetched
        """
        source = requirement.source
        if source is None:
            raise CrossdepsError(f"{requirement.text} has no file, directory or repository")
        self.has_built = True
        with self._lock:
            built = self._built.get((source, requirement.hashes))
            if built is None:
                try:
                    built = self._read_or_build(requirement, source)
                    _check_name(requirement, built)
                except (SdistBuildError, HashMismatchError, InputError) as error:
                    error.within(str(requirement.origin), requirement.text)
                    raise
                self._built[source, requirement.hashes] = built
                # A lock has another URL for the same source, perhaps without credentials.
                self._built.setdefault(as_locked(source, built), built)
            return built

    def from_sdist(self, name: NormalizedName, file: ProjectFile) -> BuiltWheel:
        """Build the wheel of an sdist from an index, unless the cache has it.

        :raises SdistBuildError: if the build fails, or results in a native or another project's
            wheel
        :raises HashMismatchError: if the sdist has other hashes than the index lists
        :raises IndexAccessError: if it cannot be fetched
        """
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
            wheel = self._cache.find(known, self._store) if known else None
            hashes = dict(file.hashes)
            if wheel is None:
                with self._downloaded(file.filename, file.url, hashes, file.size) as archive:
                    hashes = check_hashes(archive, hashes, file.filename)
                    wheel = self._build_archive(str(archive), file.filename, key=hashes["sha256"])
        if (wheel.name, wheel.version) != (name, version):
            raise SdistBuildError(
                f"{file.filename} built as {wheel.name} {wheel.version}",
                hint="the sdist has a wrong file name: require another version",
                rule="sdist-identity",
            )
        return _as_built(wheel, hashes=hashes)

    def _read_or_build(self, requirement: Requirement, source: DirectSource) -> BuiltWheel:
        if source.kind == "directory":
            return self._from_directory(source)
        if source.kind == "vcs":
            return self._from_repository(requirement, source)
        with self._opened(requirement, source) as (path, filename):
            hashes = _check_any_hash(path, requirement.hashes, filename)
            if source.kind == "wheel":
                wheel = self._store.add(path, filename=filename, hashes=hashes)
                return _as_built(wheel, hashes={"sha256": wheel.sha256})
            key = hashes["sha256"] + (source.subdirectory or "")
            cached = self._cache.find(key, self._store)
            if cached is None:
                reference = str(path)
                if source.subdirectory:
                    reference = f"{path.as_uri()}#subdirectory={source.subdirectory}"
                cached = self._build_archive(reference, filename, key=key)
            return _as_built(cached, hashes=hashes)

    def _from_directory(self, source: DirectSource) -> BuiltWheel:
        path = Path(source.location, *PurePosixPath(source.subdirectory or "").parts)
        if not path.is_dir():
            raise InputError(f"no such directory: {path}", hint="check the path")
        return _as_built(self._build(str(path), path.name)[0])

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
        wheel, commit_id = self._build(reference, requirement.name or "repository")
        return _as_built(wheel, commit_id=commit_id)

    @contextmanager
    def _opened(self, requirement: Requirement, source: DirectSource) -> Iterator[tuple[Path, str]]:
        """Copy or download the file of *source*; give the private copy, and the file's name."""
        if not source.is_local:
            url = urlsplit(source.location)
            if url.scheme.lower() == "http" and not requirement.hashes:
                raise InputError(
                    "an http URL without a hash is insecure",
                    hint="use https, or add --hash=sha256:… to the requirement",
                    rule="insecure-url",
                )
            filename = unquote(url.path).rpartition("/")[2]
            with self._downloaded(filename, source.location, {}, None) as copy:
                yield copy, filename
            return
        filename = Path(source.location).name
        with self._private_path(filename) as copy:
            try:
                copyfile(source.location, copy)
            except OSError as error:
                raise InputError(
                    f"{source.location} cannot be read: {error.strerror}", hint="check the path"
                ) from error
            yield copy, filename

    @contextmanager
    def _downloaded(
        self, filename: str, url: str, hashes: dict[str, str], size: int | None
    ) -> Iterator[Path]:
        with self._private_path(filename) as path:
            self._source.download(url, path, size=size, hashes=hashes)
            yield path

    @contextmanager
    def _private_path(self, filename: str) -> Iterator[Path]:
        """Give the path of a file named *filename*, which pip looks at, in its own directory."""
        if filename in ("", ".", "..") or set(filename) & set("/\\\0"):
            raise InputError(f"{filename!r} isn't a valid file name", hint="check the URL")
        folder = self._store.work_file(".d")
        folder.mkdir(mode=0o700)
        try:
            yield folder / filename
        finally:
            rmtree(folder, ignore_errors=True)

    def _build_archive(self, reference: str, label: str, *, key: str) -> Wheel:
        wheel, _ = self._build(reference, label)
        self._cache.add(key, wheel)
        return wheel

    def _build(self, reference: str, label: str) -> tuple[Wheel, str | None]:
        from tempfile import TemporaryDirectory  # noqa: PLC0415 - builds are rare

        self._progress.building(label)
        with TemporaryDirectory(prefix="crossdeps-build-") as folder:
            path, commit_id = build_wheel(
                reference,
                label=label,
                folder=Path(folder),
                logs=self._cache.logs,
                environment=self._environment,
                timeout=self._timeout,
                on_output=self._progress.build_output,
            )
            return self._store.add(path, filename=path.name, hashes={}), commit_id


def _check_name(requirement: Requirement, built: BuiltWheel) -> None:
    if requirement.name and built.name != requirement.name:
        raise SdistBuildError(
            f"the requirement is {requirement.name}, but its source is {built.name}"
            f" {built.version}",
            hint=f"name it {built.name} in the requirement, or correct its location",
            rule="sdist-identity",
        )


def _check_any_hash(path: Path, accepted: frozenset[str], filename: str) -> dict[str, str]:
    """Check that *path* has one of the *accepted* hashes, if there are any.

    :returns: algorithm -> hex digest, for SHA-256 and every accepted algorithm that is known
    """
    pairs = [text.partition(":")[::2] for text in sorted(accepted)]
    found = digest_file(path, {algorithm for algorithm, _ in pairs})
    if pairs and not any(found.get(algorithm) == digest.lower() for algorithm, digest in pairs):
        raise HashMismatchError(
            f"no hash matches: expected {', '.join(sorted(accepted))},"
            f" got sha256:{found['sha256']}",
            context=(filename,),
            hint="the file was replaced, or it is another file's hash: find out which is right",
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
