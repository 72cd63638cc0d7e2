"""A package index over HTTP/1.1 on loopback, with the habits and the faults of real ones.

::

    with IndexServer() as server:
        server.add(make_wheel("foo", "1.0"), yanked="broken")
        server.script("/simple/foo/", [faults.status(503), faults.normal()])
        ...  # ask server.url + "foo/"
        assert [r.status for r in server.requests] == [503, 200]
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from tests.support.faults import Fault, normal
from tests.support.index_http import Answer, HttpServer, Question, apply_range
from tests.support.index_pages import (
    HTML_TYPE,
    JSON_TYPE,
    PLAIN_HTML_TYPE,
    Listing,
    html_page,
    json_page,
)
from tests.support.index_settings import Request, Settings, plain_settings, pypi_like_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from tests.support.sdist_factory import SdistFile
    from tests.support.wheel_factory import WheelFile

__all__ = ["IndexServer", "Request", "Settings", "plain_settings", "pypi_like_settings"]


@dataclass(slots=True)
class _Script:
    faults: list[Fault]
    repeat: bool

    def next_fault(self) -> Fault:
        if not self.faults:
            return normal()
        return self.faults[0] if self.repeat and len(self.faults) == 1 else self.faults.pop(0)


@dataclass(slots=True)
class _State:
    """What the server serves; guarded by one lock, since requests arrive on many threads."""

    projects: dict[str, list[Listing]] = field(default_factory=dict)
    blobs: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    scripts: dict[str, _Script] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)


class IndexServer:
    """A package index on a port of its own; a context manager."""

    def __init__(self, settings: Settings | None = None, *, host: str = "127.0.0.1") -> None:
        self.settings = settings or Settings()
        self._state = _State()
        self._lock = threading.Lock()
        self._http = HttpServer(host, self._answer, self._record)

    def __enter__(self) -> Self:
        self._http.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering; from now on connections are refused."""
        self._http.close()

    @property
    def origin(self) -> str:
        """``http://host:port``."""
        return self._http.origin

    @property
    def url(self) -> str:
        """The root of the simple index, ending in a slash."""
        return f"{self.origin}/simple/"

    @property
    def links_url(self) -> str:
        """A flat HTML page that links every file: what ``--find-links`` takes."""
        return f"{self.origin}/links/"

    @property
    def requests(self) -> tuple[Request, ...]:
        """What arrived so far, in order of arrival."""
        with self._lock:
            return tuple(self._state.requests)

    def paths(self, *, method: str | None = None) -> list[str]:
        """The paths asked for so far, in order of arrival."""
        return [each.path for each in self.requests if method in {None, each.method}]

    def forget_requests(self) -> None:
        """Start the record anew."""
        with self._lock:
            self._state.requests.clear()

    def configure(self, **changes: Any) -> None:  # noqa: ANN401 -- fields of Settings
        """Change habits from now on, by the names of :class:`Settings`."""
        self.settings = replace(self.settings, **changes)

    def script(self, path: str, faults: Iterable[Fault], *, repeat: bool = False) -> None:
        """Let *faults* happen to the coming requests for *path*, one each.

        :param repeat: keep repeating the last one, instead of answering normally after it
        """
        with self._lock:
            self._state.scripts[path] = _Script(faults=list(faults), repeat=repeat)

    def serve(self, path: str, content: bytes, content_type: str = PLAIN_HTML_TYPE) -> str:
        """Serve these bytes under a path, whatever would be there otherwise; gives the URL."""
        with self._lock:
            self._state.blobs[path] = (content, content_type)
        return self.origin + path

    def file_url(self, filename: str) -> str:
        """Where a file is served."""
        return f"{self.settings.files_base or self.origin}/files/{filename}"

    def add_project(self, name: str) -> None:
        """Make a page without files."""
        with self._lock:
            self._state.projects.setdefault(canonicalize_name(name), [])

    def add(
        self,
        file: WheelFile | SdistFile,
        *,
        project: str | None = None,
        filename: str | None = None,
        requires_python: str | None = None,
        yanked: str | bool = False,
        upload_time: str | None = "2024-01-01T00:00:00.000000Z",
        hashes: Mapping[str, str] | None = None,
        metadata: bytes | None = None,
        metadata_hashes: Mapping[str, str] | None = None,
        size: int | None = None,
        url: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """Offer a file; gives its URL. What isn't said is told truly.

        :param project: the page that lists it, its own by default
        :param metadata: the separate metadata, instead of what is inside; ``b""``: announced, 404
        :param url: link it by this URL instead
        :param more: further keys of its JSON entry
        """
        inside = file.metadata if metadata is None else metadata
        listing = Listing(
            filename=filename or file.filename,
            content=file.content,
            hashes={"sha256": file.sha256} if hashes is None else hashes,
            url=url,
            size=file.size if size is None else size,
            requires_python=file.requires_python if requires_python is None else requires_python,
            yanked=yanked,
            upload_time=upload_time,
            metadata=inside if file.filename.endswith(".whl") else None,
            metadata_hashes=(
                {"sha256": hashlib.sha256(inside).hexdigest()}
                if metadata_hashes is None
                else metadata_hashes
            ),
            more=more or {},
        )
        with self._lock:
            page = self._state.projects.setdefault(canonicalize_name(project or file.name), [])
            page.append(listing)
        return url or self.file_url(listing.filename)

    def remove(self, name: str) -> None:
        """Take a project and its page away."""
        with self._lock:
            del self._state.projects[canonicalize_name(name)]

    def _record(self, question: Question, status: int) -> None:
        with self._lock:
            self._state.requests.append(
                Request(
                    method=question.method,
                    path=question.path,
                    headers=question.headers,
                    status=status,
                )
            )

    def _answer(self, question: Question) -> tuple[Answer, Fault, float]:
        path = urlsplit(question.path).path
        with self._lock:
            script = self._state.scripts.get(path)
            fault = script.next_fault() if script else normal()
        answer = self._refusal(question) or self._resource(path, question)
        return self._conditional(answer, question), fault, self.settings.latency

    def _refusal(self, question: Question) -> Answer | None:
        if self.settings.credentials is None:
            return None
        pair = ":".join(self.settings.credentials).encode()
        if question.headers.get("authorization") == f"Basic {base64.b64encode(pair).decode()}":
            return None
        return Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="index"'})

    def _resource(self, path: str, question: Question) -> Answer:
        with self._lock:
            blob = self._state.blobs.get(path)
        if blob is not None:
            content, content_type = blob
            return Answer(content=content, headers={"Content-Type": content_type})
        room, _, rest = path.lstrip("/").partition("/")
        if room == "files":
            return self._file(unquote(rest), question)
        if room == "links" and not rest:
            with self._lock:
                all_files = [each for page in self._state.projects.values() for each in page]
            return self._page(path, "links", all_files, question, form="html")
        if room == "simple" and rest:
            return self._project(path, rest, question)
        return Answer(status=404)

    def _project(self, path: str, rest: str, question: Question) -> Answer:
        name = rest.rstrip("/")
        with self._lock:
            listings = self._state.projects.get(name)
            page = None if listings is None else list(listings)
        if page is None:
            kept = self.settings.absent_cache_control
            return Answer(status=404, headers={"Cache-Control": kept} if kept is not None else {})
        if not rest.endswith("/"):
            if self.settings.redirect_slash:
                return Answer(status=301, headers={"Location": f"{path}/"})
            return Answer(status=404)
        return self._page(path, name, page, question, form=self.settings.form)

    def _page(
        self, path: str, name: str, listings: list[Listing], question: Question, *, form: str
    ) -> Answer:
        accept = question.headers.get("accept", "")
        as_json = form == "json" or (form == "negotiate" and JSON_TYPE in accept)
        page_type = HTML_TYPE if HTML_TYPE in accept and form != "html" else PLAIN_HTML_TYPE
        up = "../" * (path.count("/") - 1)
        shown = [(self._link(each, up), self._told(each)) for each in listings]
        make = json_page if as_json else html_page
        content = make(
            name,
            shown,
            api_version=self.settings.api_version,
            metadata_keys=self.settings.metadata_keys,
        )
        headers = {"Content-Type": JSON_TYPE if as_json else page_type, "Vary": "Accept"}
        if self.settings.cache_control is not None:
            headers["Cache-Control"] = self.settings.cache_control
        if self.settings.compress and "gzip" in question.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            content = gzip.compress(content, mtime=0)
        return Answer(content=content, headers=headers)

    def _link(self, listing: Listing, up: str) -> str:
        if listing.url is not None:
            return listing.url
        if self.settings.relative_urls and self.settings.files_base is None:
            return f"{up}files/{listing.filename}"
        return self.file_url(listing.filename)

    def _told(self, listing: Listing) -> Listing:
        return replace(
            listing,
            hashes=listing.hashes if self.settings.hashes else {},
            size=listing.size if self.settings.sizes else None,
            upload_time=listing.upload_time if self.settings.upload_times else None,
        )

    def _file(self, filename: str, question: Question) -> Answer:
        with self._lock:
            listings = [each for page in self._state.projects.values() for each in page]
        offered = {each.filename: each for each in reversed(listings)}
        wheel = offered.get(filename.removesuffix(".metadata"))
        if wheel is not None and filename.endswith(".metadata"):
            if self.settings.metadata_keys == "none" or not wheel.metadata:
                return Answer(status=404)
            return Answer(content=wheel.metadata)
        if wheel is None:
            return Answer(status=404)
        answer = Answer(content=wheel.content)
        return apply_range(answer, question, self.settings.ranges)

    def _conditional(self, answer: Answer, question: Question) -> Answer:
        if not self.settings.etags or answer.status not in {200, 206}:
            return answer
        tag = f'"{hashlib.sha256(answer.whole or answer.content).hexdigest()[:32]}"'
        headers = {**answer.headers, "ETag": tag}
        if question.headers.get("if-none-match") == tag:
            return Answer(status=304, headers=headers)
        condition = question.headers.get("if-range")
        if answer.status == 206 and condition not in {None, tag}:
            headers.pop("Content-Range")
            return Answer(content=answer.whole or b"", headers=headers)
        return replace(answer, headers=headers)
