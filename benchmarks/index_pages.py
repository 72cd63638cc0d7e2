"""Pages and files as responses: JSON or HTML, compressed once, with validators."""

from __future__ import annotations

import gzip
import hashlib
import mmap
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from benchmarks.index_store import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.index_store import IndexFile, Page, Store

PAGE_CACHING = "max-age=600, public"
FILE_CACHING = "max-age=365000000, immutable, public"
_PAGE_PATH = re.compile(r"/simple/([a-z0-9-]+)(/?)")
_FILE_PATH = re.compile(r"/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/]+")
_REASONS = {200: "OK", 206: "Partial Content", 301: "Moved Permanently", 304: "Not Modified"}


@dataclass(frozen=True, kw_only=True)
class Response:
    """What is sent: *missing* if the store should have had it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | memoryview = b""
    missing: bool = False

    def head(self) -> bytes:
        """The status line and all header fields."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Error')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status != 304:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Resources:
    """Everything that the index answers with, made from a store on first use and kept.

    :param origin: of the pages, such as ``https://127.0.0.1:8000``
    :param files_origin: of the files; pages name it unless their URLs are relative
    :param metadata: whether wheels have metadata files (PEP 658)
    """

    def __init__(
        self,
        store: Store,
        *,
        files_origin: str,
        metadata: bool = True,
        relative_urls: bool = False,
    ) -> None:
        self._store = store
        self._metadata = metadata
        self._base = "../.." if relative_urls else files_origin
        self._pages: dict[tuple[str, bool], Response | None] = {}
        self._locks: defaultdict[tuple[str, bool], threading.Lock] = defaultdict(threading.Lock)

    def answer(self, path: str, headers: Mapping[str, str]) -> Response:
        """The response to GET.

        :param headers: of the request, by lower-case name
        """
        path = unquote(path.partition("?")[0])
        if match := _PAGE_PATH.fullmatch(path):
            name, slash = match.groups()
            if slash:
                return self._page(name, headers)
            return Response(status=301, headers={"Location": f"{path}/"})
        if _FILE_PATH.fullmatch(path):
            return self._file(path[1:], headers)
        return Response(status=404)

    def _page(self, name: str, headers: Mapping[str, str]) -> Response:
        json = JSON_TYPE in headers.get("accept", "")
        key = (name, json)
        with self._locks[key]:
            if key not in self._pages:
                self._pages[key] = self._make_page(name, json=json)
            whole = self._pages[key]
        if whole is None:
            return Response(status=404, missing=self._store.page(name) is None)
        if headers.get("if-none-match") == whole.headers["ETag"]:
            return Response(status=304, headers=whole.headers)
        if "gzip" in headers.get("accept-encoding", ""):
            return Response(headers={**whole.headers, "Content-Encoding": "gzip"}, body=whole.body)
        return Response(headers=whole.headers, body=gzip.decompress(whole.body))

    def _make_page(self, name: str, *, json: bool) -> Response | None:
        page = self._store.page(name)
        if page is None or not page.exists:
            return None
        content = self._json(page) if json else self._html(page)
        headers = {
            "Content-Type": JSON_TYPE if json else "text/html; charset=UTF-8",
            "Cache-Control": PAGE_CACHING,
            "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            "Vary": "Accept, Accept-Encoding",
        }
        return Response(headers=headers, body=gzip.compress(content, 6, mtime=0))

    def _json(self, page: Page) -> bytes:
        document = {
            "files": [self._entry(file) for file in page.files],
            "meta": {"api-version": "1.1"},
            "name": page.name,
            "versions": page.versions,
        }
        return msgspec.json.encode(document)

    def _entry(self, file: IndexFile) -> dict[str, Any]:
        digest = self._metadata_hash(file)
        metadata = {"sha256": digest} if isinstance(digest, str) else digest
        return {
            "core-metadata": metadata,
            "data-dist-info-metadata": metadata,
            "filename": file.filename,
            "hashes": {"sha256": file.hashes["sha256"]},
            "requires-python": file.requires_python,
            **({} if file.size is None else {"size": file.size}),
            **({} if file.upload_time is None else {"upload-time": file.upload_time}),
            "url": f"{self._base}/{file.path}",
            "yanked": file.yanked,
        }

    def _html(self, page: Page) -> bytes:
        name = escape(page.name)
        lines = [
            "<!DOCTYPE html>\n<html>\n  <head>",
            '    <meta name="pypi:repository-version" content="1.1">',
            f"    <title>Links for {name}</title>\n  </head>\n  <body>",
            f"    <h1>Links for {name}</h1>",
            *(self._anchor(file) for file in page.files),
            "</body>\n</html>\n",
        ]
        return "\n".join(lines).encode()

    def _anchor(self, file: IndexFile) -> str:
        attributes = {"href": f"{self._base}/{file.path}#sha256={file.hashes['sha256']}"}
        if file.requires_python is not None:
            attributes["data-requires-python"] = file.requires_python
        if file.yanked is not False:
            attributes["data-yanked"] = "" if file.yanked is True else file.yanked
        digest = self._metadata_hash(file)
        if digest is not False:
            told = "true" if digest is True else f"sha256={digest}"
            attributes["data-dist-info-metadata"] = attributes["data-core-metadata"] = told
        text = " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
        return f"<a {text}>{escape(file.filename)}</a><br />"

    def _metadata_hash(self, file: IndexFile) -> str | bool:
        """What a page says of the metadata of a file: its hash, or whether there is any.

        PyPI lists a hash for nearly every wheel, and the size of the pages is part of what is
        measured. So where no tool has asked for the metadata while the store was filled, there is
        a hash of the same length; the metadata is then not there either.
        """
        if not self._metadata or not file.filename.endswith(".whl"):
            return False
        known = self._store.metadata_hash(file)
        placeholder = hashlib.sha256(file.path.encode()).hexdigest()
        return known or self._store.is_filling or placeholder

    def _file(self, path: str, headers: Mapping[str, str]) -> Response:
        is_metadata = path.endswith(".metadata")
        stored = None if is_metadata and not self._metadata else self._store.file(path)
        if stored is None:
            return Response(status=404, missing=self._metadata or not is_metadata)
        told = {
            "Content-Type": "binary/octet-stream",
            "Cache-Control": FILE_CACHING,
            "ETag": f'"{path.split("/")[3][:32]}{".m" if is_metadata else ""}"',
            "Accept-Ranges": "bytes",
        }
        if headers.get("if-none-match") == told["ETag"]:
            return Response(status=304, headers=told)
        with stored.open("rb") as file:
            if not stored.stat().st_size:
                return Response(headers=told)
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return apply_range(Response(headers=told, body=content), headers)


def apply_range(whole: Response, headers: Mapping[str, str]) -> Response:
    """The part of *whole* that a request asks for (RFC 9110, section 14), or all of it."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", ""))
    changed = headers.get("if-range", whole.headers["ETag"]) != whole.headers["ETag"]
    if match is None or changed or match.groups() == ("", ""):
        return whole
    first, last = match.groups()
    size = len(whole.body)
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    told = {**whole.headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}"}
    return Response(status=206, headers=told, body=whole.body[start:stop])
