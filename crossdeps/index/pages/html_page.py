"""HTML pages (PEP 503), of which only anchors, the base and the version are read."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from html.parser import HTMLParser

from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.project_files import (
    PageSource,
    ParsedPage,
    ProjectFiles,
    check_api_version,
    check_duplicate,
    find_filename_problem,
    read_upload_time,
    resolve_url,
    skip_warning,
    url_filename,
)

_HASH = r"(?:^|&)(md5|sha1|sha224|sha256|sha384|sha512)=([0-9A-Fa-f]+)(?:&|$)"

Attributes = Mapping[str, str | None]


def parse_html(body: bytes, source: PageSource, *, charset: str = "utf-8") -> ParsedPage:
    """Parse a PEP 503 page.

    The hash is in the fragment of a link, as ``#sha256=DIGEST``; ``data-requires-python``,
    ``data-yanked`` (PEP 592), ``data-core-metadata`` and its older name (PEP 658, PEP 714) and
    ``data-upload-time`` are read, ``data-gpg-sig`` is not. Links without a file name, such as one
    to the parent directory, are ignored.

    :param charset: of the Content-Type header; bytes that cannot be decoded are replaced
    :raises IndexResponseError: if it is of another version, or not HTML at all
    """
    try:
        text = body.decode(charset, "replace")
    except LookupError:  # an unknown charset
        text = body.decode("utf-8", "replace")
    if "<" not in text:
        raise source.error("the index answered with text that is not HTML", rule="page-html")
    parser = _PageParser()
    parser.feed(text)
    parser.close()
    if parser.version is not None:
        check_api_version(parser.version, source)
    return _read_files(parser, source)


class _PageParser(HTMLParser):
    """Collects the anchors of an index page in document order, its base and its version."""

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


def _read_files(parser: _PageParser, source: PageSource) -> ParsedPage:
    base = urllib.parse.urljoin(source.url, parser.base or "")
    files: dict[str, ProjectFile] = {}
    warnings: list[str] = []
    for anchor in parser.anchors:
        href = anchor["href"] or ""
        try:
            url, fragment = resolve_url(href, base)
            filename = url_filename(url)
        except ValueError as error:
            if _names_file(href):
                warnings.append(skip_warning(_last_part(href), str(error), source))
            continue
        if not filename:
            continue
        problem = find_filename_problem(filename)
        if problem is not None:
            warnings.append(skip_warning(filename, problem, source))
            continue
        file = _create_file(filename, url, fragment, anchor, source.index)
        known = files.setdefault(filename, file)
        check_duplicate(filename, known.hashes, file.hashes, source)
    return ParsedPage(files=ProjectFiles.from_files(files.values()), warnings=tuple(warnings))


def _last_part(href: str) -> str:
    path = href.partition("#")[0].partition("?")[0]
    return urllib.parse.unquote(path.rpartition("/")[2])


def _names_file(href: str) -> bool:
    """Whether an invalid link seems to be that of a distribution, which is worth a warning."""
    return _last_part(href).lower().endswith((".whl", ".gz", ".zip", ".bz2", ".tgz"))


def _create_file(
    filename: str, url: str, fragment: str, anchor: Attributes, index: str
) -> ProjectFile:
    yanked = (anchor["data-yanked"] or "") if "data-yanked" in anchor else None
    return ProjectFile(
        filename=filename,
        url=url,
        hashes=_read_hashes(fragment),
        requires_python=anchor.get("data-requires-python") or None,
        upload_time=read_upload_time(anchor.get("data-upload-time")),
        yanked=yanked,
        metadata_hashes=_read_metadata_hashes(anchor),
        index=index,
    )


def _read_hashes(text: str) -> dict[str, str]:
    found = re.search(_HASH, text)
    return {found[1]: found[2].lower()} if found else {}


def _read_metadata_hashes(anchor: Attributes) -> dict[str, str] | None:
    # PEP 714: the old name counts only if the new one is missing.
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        if key in anchor:
            value = (anchor[key] or "").strip()
            return None if value.lower() == "false" else _read_hashes(value)
    return None
