"""HTML pages (PEP 503), of which only anchors, the base and the version are read."""

from __future__ import annotations

import html
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from crossdeps.index.pages.columns import Columns, separate_hashes
from crossdeps.index.pages.project_files import (
    PageSource,
    ResolvedUrls,
    are_plain_names,
    check_api_version,
    check_duplicate,
    find_filename_problem,
    resolve_urls,
    skip_warning,
    url_filename,
)

_HASH = re.compile(r"(?:^|&)(md5|sha1|sha224|sha256|sha384|sha512)=([0-9A-Fa-f]+)(?:&|$)")
_SHA256 = re.compile(r"sha256=[0-9a-f]{64}")

Attributes = Mapping[str, str | None]


def parse_html(body: bytes, source: PageSource, *, charset: str = "utf-8") -> Columns:
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
    try:
        parser = _read_document(text)
    except AssertionError as error:  # so html.parser refuses some declarations, as "<![" and a NUL
        raise source.error(
            "the index answered with HTML that cannot be parsed", rule="page-html"
        ) from error
    if parser.version is not None:
        check_api_version(parser.version, source)
    return _read_files(parser, source)


# An anchor as indexes write them, up to the next one; anything else is left to the parser.
_ANCHOR = re.compile(
    r'<a href="([^"<>&]*)"((?: [a-z-]+="[^"<>]*")*) ?>[^<>&]*</a>(?:[^<>&]+|<br ?/?>)*'
)
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
# Values with other character references are left to the parser, too.
_PLAIN_REFERENCES = re.compile(r"(?:[^&]|&(?:lt|gt|amp|quot|#39|#x27);)*")


def _read_document(text: str) -> _PageParser:
    """Parse a page; a run of anchors in the usual form is read much faster than by the parser."""
    parser = _PageParser()
    start = text.find("<a href=")
    if start < 0:
        start = len(text)
    parser.feed(text[:start])
    # Not inside of a comment or a script.
    if not parser.rawdata and parser.cdata_elem is None:
        anchors, end = _read_anchors(text, start)
        parser.anchors += anchors
        start = end
    parser.feed(text[start:])
    parser.close()
    return parser


def _read_anchors(text: str, start: int) -> tuple[list[Attributes], int]:
    """The anchors in the usual form from *start* on, and where the text after them starts."""
    anchors: list[Attributes] = []
    unescaped: dict[str, str | None] = {}
    while found := _ANCHOR.match(text, start):
        href, attributes = found.groups()
        values: dict[str, str | None] = {"href": href}
        if attributes:
            pairs = _ATTRIBUTE.findall(attributes)
            values.update(pairs)
            if len(values) <= len(pairs):  # one of them is repeated
                break
            if "&" in attributes and not _unescape(values, unescaped):
                break
        if href:
            anchors.append(values)
        start = found.end()
    return anchors, start


def _unescape(values: dict[str, str | None], known: dict[str, str | None]) -> bool:
    """Replace plain character references in *values*; False if there are others."""
    for name, value in values.items():
        if value and "&" in value:
            if value not in known:
                plain = _PLAIN_REFERENCES.fullmatch(value) is not None
                known[value] = html.unescape(value) if plain else None
            values[name] = known[value]
            if known[value] is None:
                return False
    return True


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


def _read_files(parser: _PageParser, source: PageSource) -> Columns:
    try:
        base = urllib.parse.urljoin(source.url, parser.base or "")
    except ValueError:
        base = source.url
    hrefs = [anchor["href"] or "" for anchor in parser.anchors]
    resolved = resolve_urls(hrefs, base)
    urls = resolved.urls
    hashes: Sequence[dict[str, str]] = [{}] * len(urls)
    if resolved.fragments is not None:
        hashes = list(map(_read_hashes, resolved.fragments))
    if resolved.plain:
        names = [url.rpartition("/")[2] for url in urls]
        if len(set(names)) == len(names) and are_plain_names(names):
            return _build_columns(names, parser.anchors, urls, hashes, [])
    files, warnings = _find_files(hrefs, resolved, hashes, source)
    return _build_columns(
        list(files),
        [parser.anchors[position] for position in files.values()],
        [urls[position] for position in files.values()],
        [hashes[position] for position in files.values()],
        warnings,
    )


def _find_files(
    hrefs: Sequence[str],
    resolved: ResolvedUrls,
    hashes: Sequence[Mapping[str, str]],
    source: PageSource,
) -> tuple[dict[str, int], list[str]]:
    """The name of each file and the position of its anchor, and warnings about others."""
    files: dict[str, int] = {}
    warnings: list[str] = []
    for position, url in enumerate(resolved.urls):
        problem = resolved.problems.get(position)
        if problem is not None:
            if _names_file(hrefs[position]):
                warnings.append(skip_warning(_last_part(hrefs[position]), problem, source))
            continue
        filename = url_filename(url)
        if not filename:
            continue
        problem = find_filename_problem(filename)
        if problem is not None:
            warnings.append(skip_warning(filename, problem, source))
            continue
        known = files.setdefault(filename, position)
        check_duplicate(filename, hashes[known], hashes[position], source)
    return files, warnings


def _build_columns(
    filenames: list[str],
    anchors: Sequence[Attributes],
    urls: list[str],
    hashes: Sequence[Mapping[str, str]],
    warnings: list[str],
) -> Columns:
    """The columns of a page, from those that its anchors give."""
    sha256, other_hashes = separate_hashes([each or None for each in hashes])
    metadata_sha256, metadata_hashes = separate_hashes(list(map(_read_metadata_hashes, anchors)))
    return Columns(
        filenames=filenames,
        urls=urls,
        sha256=sha256,
        sizes=[-1] * len(filenames),
        requires_python=[anchor.get("data-requires-python") or "" for anchor in anchors],
        upload_times=[anchor.get("data-upload-time") or "" for anchor in anchors],
        metadata_sha256=metadata_sha256,
        yanked={
            row: anchor["data-yanked"] or ""
            for row, anchor in enumerate(anchors)
            if "data-yanked" in anchor
        },
        hashes=other_hashes,
        metadata_hashes=metadata_hashes,
        warnings=warnings,
    )


def _last_part(href: str) -> str:
    path = href.partition("#")[0].partition("?")[0]
    return urllib.parse.unquote(path.rpartition("/")[2])


def _names_file(href: str) -> bool:
    """Whether an invalid link seems to be that of a distribution, which is worth a warning."""
    return _last_part(href).lower().endswith((".whl", ".gz", ".zip", ".bz2", ".tgz"))


def _read_hashes(text: str) -> dict[str, str]:
    if _SHA256.fullmatch(text):
        return {"sha256": text[7:]}
    found = _HASH.search(text)
    return {found[1]: found[2].lower()} if found else {}


def _read_metadata_hashes(anchor: Attributes) -> dict[str, str] | None:
    # PEP 714: the old name counts only if the new one is missing.
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        if key in anchor:
            value = (anchor[key] or "").strip()
            return None if value.lower() == "false" else _read_hashes(value)
    return None
