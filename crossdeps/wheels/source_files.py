"""Source archives and wheels that users name: private copies, and what archives were built into."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from crossdeps.errors import HashMismatchError, InputError
from crossdeps.fs import atomic_write, make_private_directory
from crossdeps.wheels.store import digest_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdeps.requirements.model import DirectSource
    from crossdeps.wheels.model import ByteSource, Wheel
    from crossdeps.wheels.store import Store


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """A private copy of a file.

    :param size: bytes
    :param hashes: those that were checked, algorithm -> hex digest
    """

    path: Path
    size: int
    hashes: Mapping[str, str] = msgspec.field(default_factory=dict)


class SourceFiles:
    """Fetches each file once: it may be read first, and built later.

    :param store: whose work directory has the copies while it is open
    :param source: downloads
    """

    def __init__(self, store: Store, source: ByteSource) -> None:
        self._store = store
        self._source = source
        self._archives: dict[str, Archive] = {}

    def forget(self, source: DirectSource) -> None:
        """Fetch *source* again when it is opened again, since its copy was moved."""
        del self._archives[source.location]

    def open(self, source: DirectSource, *, is_hashed: bool) -> Archive:
        """Copy or download the file of *source*.

        :param is_hashed: whether its content will be checked
        :raises InputError: if it cannot be read, or could be replaced in transit
        :raises IndexAccessError: if it cannot be fetched
        """
        if not source.is_local:
            url = urlsplit(source.location)
            if url.scheme.lower() == "http" and not is_hashed:
                raise InputError(
                    "an http URL without a hash is insecure",
                    hint="use https, or add --hash=sha256:… to the requirement",
                    rule="insecure-url",
                )
            filename = unquote(url.path).rpartition("/")[2]
            return self.download(filename, source.location, hashes={}, size=None)
        known = self._archives.get(source.location)
        if known is not None:
            return known
        copy = self._private_path(Path(source.location).name)
        try:
            copyfile(source.location, copy)
        except OSError as error:
            raise InputError(
                f"{source.location} cannot be read: {error.strerror}", hint="check the path"
            ) from error
        return self._keep(source.location, copy)

    def download(
        self, filename: str, url: str, *, hashes: dict[str, str], size: int | None
    ) -> Archive:
        """Download a file, named *filename*.

        :raises InputError: if *filename* is none
        :raises IndexAccessError: if it cannot be fetched
        :raises HashMismatchError: if it has other *hashes*
        """
        known = self._archives.get(url)
        if known is not None:
            return known
        path = self._private_path(filename)
        self._source.download(url, path, size=size, hashes=hashes)
        return self._keep(url, path)

    def _keep(self, location: str, path: Path) -> Archive:
        archive = Archive(path=path, size=path.stat().st_size)
        self._archives[location] = archive
        return archive

    def _private_path(self, filename: str) -> Path:
        """Return the path of a file named *filename*, which pip looks at, in its own directory."""
        if filename in ("", ".", "..") or set(filename) & set("/\\\0"):
            raise InputError(f"{filename!r} isn't a valid file name", hint="check the URL")
        folder = self._store.work_file(".d")
        folder.mkdir(mode=0o700)
        return folder / filename


def check_any_hash(path: Path, accepted: frozenset[str], filename: str) -> dict[str, str]:
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


class _KeptBuild(msgspec.Struct, frozen=True, kw_only=True):
    sha256: str
    filename: str
    source_size: int


_DECODER = msgspec.json.Decoder(_KeptBuild)


class BuildCache:
    """Which wheel each archive was built into, and the logs of builds that failed.

    :param root: directory of the cache; None keeps only logs, in the temporary directory
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root / "builds" if root is not None else None

    def keep_log(self, log: Path, label: str) -> Path:
        """Keep a copy of the log of a failed build; return its path.

        :raises OSError: if it cannot be written
        """
        import shutil  # noqa: PLC0415 - failures are rare
        import tempfile  # noqa: PLC0415

        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", label)[:80]
        descriptor, kept = tempfile.mkstemp(prefix=f"{safe}-", suffix=".log", dir=self._find_logs())
        os.close(descriptor)
        shutil.copyfile(log, kept)
        return Path(kept)

    def _find_logs(self) -> Path | None:
        """Return the directory of logs; None is that of temporary files."""
        if self._root is not None:
            with contextlib.suppress(OSError):
                logs = self._root / "logs"
                make_private_directory(logs)
                if os.access(logs, os.W_OK):
                    return logs
        return None

    def find(self, key: str, store: Store) -> tuple[Wheel, int] | None:
        """Return the wheel that was built for *key* and the size of the archive.

        :returns: None if there is none, or the store no longer has it
        """
        if self._root is None:
            return None
        try:
            path = self._path(self._root, key)
            built = _DECODER.decode(path.read_bytes())
            with contextlib.suppress(OSError):
                os.utime(path)  # when it was last used, for pruning
            wheel = store.find(built.sha256, built.filename)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        return None if wheel is None else (wheel, built.source_size)

    def add(self, key: str, wheel: Wheel, *, source_size: int) -> None:
        """Record what *key* was built into. Errors are ignored: it can be built again.

        :param source_size: bytes of the archive
        """
        if self._root is None:
            return
        with contextlib.suppress(OSError):
            path = self._path(self._root, key)
            make_private_directory(path.parent)
            with atomic_write(path) as file:
                built = _KeptBuild(
                    sha256=wheel.sha256, filename=wheel.filename, source_size=source_size
                )
                file.write(msgspec.json.encode(built))

    @staticmethod
    def _path(root: Path, key: str) -> Path:
        return root / "made" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
