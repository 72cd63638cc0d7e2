"""PEP 503 pages: HTML, of which only anchors, the base and the version are read.

Pure: bytes and a URL in, values out. Both forms of a page give the same files (PEP 503, PEP 691).
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from html.parser import HTMLParser

from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.json_page import read_time
from crossdeps.index.pages.project_files import (
    PageSource,
    ParsedPage,
    ProjectFiles,
    check_api_version,
    check_duplicate,
    filename_problem,
    resolve_url,
    skipped,
    url_filename,
)
from crossdeps.text import escape

_HASH = re.compile(r"(?:^|&)(md5|sha1|sha224|sha256|sha384|sha512)=([0-9A-Fa-f]+)(?:&|$)")

Attributes = Mapping[str, str | None]


def parse_html(body: bytes, source: PageSource, *, charset: str = "utf-8") -> ParsedPage:
    """Read a PEP 503 page.

    Hashes stand in the fragment of a link, as ``#sha256=DIGEST``; ``data-requires-python``,
    ``data-yanked`` (PEP 592), ``data-core-metadata`` and its older name (PEP 658, PEP 714) and
    ``data-upload-time`` are read, ``data-gpg-sig`` is not. Links that name no file, such as one
    to the parent directory, aren't entries.

    :param charset: as the Content-Type header has it; unreadable bytes are replaced
    :raises IndexResponseError: if it is of another version, or no HTML at all
    """
    text = _decoded(body, charset)
    if "<" not in text:
        raise source.refuse(
            "the index answered with text that isn't an HTML page", rule="page-html"
        )
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.version is not None:
        check_api_version(reader.version, source)
    return _files(reader, source)


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except LookupError:  # a charset that nobody knows
        return body.decode("utf-8", "replace")


class _Reader(HTMLParser):
    """Collects what an index page says, in document order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base: str | None = None
        self.version: str | None = None
        self.anchors: list[Attributes] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"a", "base", "meta"}:
            return
        # The first of a repeated attribute counts (HTML standard, "duplicate-attribute").
        values = dict(reversed(attrs))
        if tag == "a":
            if values.get("href"):
                self.anchors.append(values)
        elif tag == "base":
            if self.base is None:
                self.base = values.get("href")
        elif values.get("name") == "pypi:repository-version" and self.version is None:
            self.version = (values.get("content") or "").strip()


def _files(reader: _Reader, source: PageSource) -> ParsedPage:
    base = urllib.parse.urljoin(source.url, reader.base or "")
    files: dict[str, ProjectFile] = {}
    warnings: list[str] = []
    for anchor in reader.anchors:
        href = anchor["href"] or ""
        try:
            url, fragment = resolve_url(href, base)
            filename = url_filename(url)
        except ValueError as error:
            if _names_file(href):
                warnings.append(skipped(_last_part(href), str(error), source))
            continue
        if not filename:
            continue
        problem = filename_problem(filename)
        if problem is not None:
            warnings.append(skipped(filename, problem, source))
            continue
        file = _project_file(filename, url, fragment, anchor, source.index)
        known = files.setdefault(filename, file)
        check_duplicate(filename, dict(known.hashes), dict(file.hashes), source)
    return ParsedPage(files=ProjectFiles.of(files.values()), warnings=tuple(warnings))


def _last_part(href: str) -> str:
    path = href.partition("#")[0].partition("?")[0]
    return urllib.parse.unquote(path.rpartition("/")[2])


def _names_file(href: str) -> bool:
    """Whether a link that can't be followed seems to be a distribution, and is worth a warning."""
    return _last_part(href).lower().endswith((".whl", ".gz", ".zip", ".bz2", ".tgz"))


def _project_file(
    filename: str, url: str, fragment: str, anchor: Attributes, index: str
) -> ProjectFile:
    yanked = (anchor["data-yanked"] or "") if "data-yanked" in anchor else None
    return ProjectFile(
        filename=filename,
        url=url,
        hashes=_hashes(fragment),
        requires_python=anchor.get("data-requires-python") or None,
        upload_time=read_time(anchor.get("data-upload-time")),
        yanked=yanked,
        metadata_hashes=_metadata_hashes(anchor),
        index=index,
    )


def _hashes(text: str) -> dict[str, str]:
    found = _HASH.search(text)
    return {found[1]: found[2].lower()} if found else {}


def _metadata_hashes(anchor: Attributes) -> dict[str, str] | None:
    # PEP 714: the new name first; the old one only where the new one is missing.
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        if key in anchor:
            value = (anchor[key] or "").strip()
            return None if value.lower() == "false" else _hashes(value)
    return None


# What a page is asked for: JSON first, HTML as good (PEP 691, "Version + Format Selection").
ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
JSON_TYPES = frozenset({"application/vnd.pypi.simple.v1+json", "application/json"})
HTML_TYPES = frozenset(
    {"application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml"}
)


def parse_page(body: bytes, content_type: str, source: PageSource) -> ParsedPage:
    """Read a page by its content type (PEP 691).

    :param content_type: the Content-Type header, with parameters
    :raises IndexResponseError: if it isn't an index page that version 1 of the API describes
    """
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if not body.strip():
        raise source.refuse("the index answered with an empty page", rule="page-empty")
    if kind in JSON_TYPES:
        from crossdeps.index.pages.json_page import parse_json  # noqa: PLC0415 - loads msgspec

        return parse_json(body, source)
    if kind in HTML_TYPES:
        return parse_html(body, source, charset=_charset(parameters))
    version = re.fullmatch(r"application/vnd\.pypi\.simple\.v(\d+)\+(?:json|html)", kind)
    if version:
        check_api_version(f"{version[1]}.0", source)
    raise source.refuse(
        f"the index answered with {escape(kind) or 'no content type'} "
        "instead of a JSON or HTML page",
        hint="is the URL that of a simple repository API, usually ending in /simple?",
        rule="page-content-type",
    )


def _charset(parameters: str) -> str:
    found = re.search(r"charset=\"?([A-Za-z0-9_.:-]+)", parameters, re.IGNORECASE)
    return found[1] if found else "utf-8"
