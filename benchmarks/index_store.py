"""What the index on loopback offers, kept on disk: pages, wheels and their metadata.

Filled from a real index: what is not there is fetched once, if there is an upstream, and stays as
it was then. Pages keep all files of all versions; wheels are kept only if a tool downloads them.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urljoin

import msgspec
import requests

from crossdeps.config.index_options import DEFAULT_INDEX_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
_TAIL = 1 << 16


class IndexFile(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True):
    """A file that a project offers, as upstream lists it.

    :param url: where upstream has it
    """

    filename: str
    url: str
    hashes: dict[str, str]
    requires_python: str | None = None
    size: int | None = None
    upload_time: str | None = None
    yanked: bool | str = False

    @property
    def path(self) -> str:
        """Where this index has it, such as ``packages/ab/cd/.../name-1.0-py3-none-any.whl``."""
        digest = self.hashes["sha256"]
        return f"packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{self.filename}"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A project's page; *exists* is false for a project that upstream does not have."""

    name: str
    versions: tuple[str, ...] = ()
    files: tuple[IndexFile, ...] = ()
    exists: bool = True


_pages = msgspec.json.Decoder(Page)


class Store:
    """A folder of pages and files, filled from *upstream* on first use, if there is one.

    :param upstream: the URL of a simple index that speaks JSON; None to serve the folder only
    """

    def __init__(self, folder: Path, *, upstream: str | None = None) -> None:
        self.folder = folder
        self._upstream = upstream and f"{upstream.rstrip('/')}/"
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._session = requests.Session()
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=16))

    @property
    def is_filling(self) -> bool:
        """Whether there is an upstream."""
        return self._upstream is not None

    def page(self, name: str) -> Page | None:
        """The page of a project; None if it is not there."""
        path = self.folder / "pages" / f"{name}.json"
        content = self._stored(path, lambda upstream: self._fetch_page(upstream, name))
        return None if content is None else _pages.decode(content)

    def file(self, path: str) -> Path | None:
        """Where a wheel, or with ``.metadata`` behind its name the metadata of one, is stored.

        :param path: :attr:`IndexFile.path`
        """
        stored = self.folder / path
        is_metadata = path.endswith(".metadata")
        make = self._fetch_metadata if is_metadata else self._fetch_file
        content = self._stored(stored, lambda _: make(path), read=False)
        return None if content is None else stored

    def metadata_hash(self, file: IndexFile) -> str | None:
        """The sha256 of a wheel's metadata; None if it is not stored."""
        stored = self.folder / f"{file.path}.metadata"
        return hashlib.sha256(stored.read_bytes()).hexdigest() if stored.is_file() else None

    def _stored(
        self, path: Path, fetch: Callable[[str], bytes | None], *, read: bool = True
    ) -> bytes | None:
        if not path.is_file():
            if self._upstream is None:
                return None
            with self._locks[str(path)]:
                if not path.is_file():
                    content = fetch(self._upstream)
                    if content is None:
                        return None
                    _write(path, content)
        return path.read_bytes() if read else b""

    def _fetch_page(self, upstream: str, name: str) -> bytes:
        url = f"{upstream}{name}/"
        response = self._session.get(url, headers={"Accept": JSON_TYPE}, timeout=180)
        if response.status_code == requests.codes.not_found:
            return msgspec.json.encode(Page(name=name, exists=False))
        response.raise_for_status()
        document: dict[str, Any] = msgspec.json.decode(response.content)
        files = [msgspec.convert(each, IndexFile) for each in document["files"]]
        page = Page(
            name=name,
            versions=tuple(document.get("versions", ())),
            files=tuple(
                msgspec.structs.replace(each, url=urljoin(response.url, each.url))
                for each in files
                if "sha256" in each.hashes
            ),
        )
        return msgspec.json.encode(page)

    def _fetch_file(self, path: str) -> bytes | None:
        file = self._listed(path)
        if file is None:
            return None
        content = self._get(file.url)
        if hashlib.sha256(content).hexdigest() != file.hashes["sha256"]:
            raise ValueError(f"{file.filename} is not what its page says")
        return content

    def _fetch_metadata(self, path: str) -> bytes | None:
        wheel = path.removesuffix(".metadata")
        file = self._listed(wheel)
        if file is None or not wheel.endswith(".whl"):
            return None
        stored = self.folder / wheel
        if stored.is_file():
            return read_metadata(io.BytesIO(stored.read_bytes()))
        with io.BufferedReader(_Remote(self._get, file.url), _TAIL) as remote:
            return read_metadata(cast("IO[bytes]", remote))

    def _listed(self, path: str) -> IndexFile | None:
        """The file at a path; its page tells where upstream has it."""
        filename = unquote(path.rpartition("/")[2])
        name = re.sub(r"[-_.]+", "-", filename.partition("-")[0]).lower()
        page = self.page(name)
        return next((each for each in page.files if each.path == path), None) if page else None

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        response = self._session.get(url, headers=headers, timeout=180)
        response.raise_for_status()
        return response.content


class _Remote(io.RawIOBase):
    """A file at a URL, read by ranges."""

    def __init__(self, get: Callable[[str, Mapping[str, str]], bytes], url: str) -> None:
        self._get = get
        self._url = url
        self._at = 0
        response = requests.head(url, allow_redirects=True, timeout=180)
        response.raise_for_status()
        self._size = int(response.headers["Content-Length"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - typeshed has no name for it
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        content = self._get(self._url, {"Range": f"bytes={self._at}-{stop - 1}"})
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def read_metadata(wheel: IO[bytes]) -> bytes | None:
    """METADATA of a wheel; None if it has none."""
    with zipfile.ZipFile(wheel) as archive:
        found = [name for name in archive.namelist() if _METADATA.fullmatch(name)]
        return archive.read(found[0]) if found else None


_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")


def find_upstream() -> str:
    """The index that pip is configured with, else pip's default."""
    command = (sys.executable, "-m", "pip", "config", "get", "global.index-url")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or DEFAULT_INDEX_URL


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
