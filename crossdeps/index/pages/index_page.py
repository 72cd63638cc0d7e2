"""Index pages (PEP 691, PEP 503): the JSON form is parsed here, the HTML form in html_page.

Pure: bytes and a URL in, values out. Both forms of a page give the same files.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from packaging.utils import canonicalize_name

from crossdeps.index.pages.columns import Columns, separate_hashes
from crossdeps.index.pages.project_files import (
    PageSource,
    are_plain_names,
    check_api_version,
    check_duplicate,
    find_filename_problem,
    resolve_urls,
    skip_warning,
)
from crossdeps.text import escape

# The Accept header: JSON is preferred, HTML is as good (PEP 691, "Version + Format Selection").
ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
_JSON_TYPES = frozenset({"application/vnd.pypi.simple.v1+json", "application/json"})
_HTML_TYPES = frozenset(
    {"application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml"}
)
_URL_HINT = "is the URL that of a simple repository API, usually ending in /simple?"


def parse_columns(body: bytes, content_type: str, source: PageSource) -> Columns:
    """Parse a page according to its content type (PEP 691), and check all that it says.

    :param content_type: the Content-Type header, with parameters
    :raises IndexResponseError: if it is not an index page as version 1 of the API defines it
    """
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    if not body.strip():
        raise source.error("the index answered with an empty page", rule="page-empty")
    if media_type in _JSON_TYPES:
        return parse_json(body, source)
    if media_type in _HTML_TYPES:
        from crossdeps.index.pages.html_page import parse_html  # noqa: PLC0415 - most send JSON

        found = re.search(r"charset=\"?([A-Za-z0-9_.:-]+)", parameters, re.IGNORECASE)
        return parse_html(body, source, charset=found[1] if found else "utf-8")
    version = re.fullmatch(r"application/vnd\.pypi\.simple\.v(\d+)\+(?:json|html)", media_type)
    if version:
        check_api_version(f"{version[1]}.0", source)
    raise source.error(
        f"the index answered with {escape(media_type) or 'no content type'} "
        "instead of a JSON or HTML page",
        hint=_URL_HINT,
        rule="page-content-type",
    )


class _File(msgspec.Struct, rename="kebab", gc=False, frozen=True):
    """One entry of ``files`` (PEP 691, PEP 700, PEP 714)."""

    filename: str
    url: str
    hashes: dict[str, str] = msgspec.field(default_factory=dict)
    requires_python: str | None = None
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    upload_time: str | None = None
    yanked: bool | str | None = None
    core_metadata: bool | dict[str, str] | None = None
    dist_info_metadata: bool | dict[str, str] | None = None
    data_dist_info_metadata: bool | dict[str, str] | None = None


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str = "1.0"


class _Page(msgspec.Struct):
    files: list[_File]
    meta: _Meta = msgspec.field(default_factory=_Meta)
    name: str | None = None


class _Versioned(msgspec.Struct):
    """The version of a page that cannot be decoded otherwise."""

    meta: _Meta


# Created at import time: msgspec inspects a type when it first meets it, and two threads that have
# it inspect the same type at once crash the process.
_PAGES = msgspec.json.Decoder(_Page)
_VERSIONS = msgspec.json.Decoder(_Versioned)


def parse_link(url: str, source: PageSource) -> Columns:
    """Parse a page that links to *url*."""
    import html  # noqa: PLC0415 - rarely needed

    return parse_columns(f'<a href="{html.escape(url)}"></a>'.encode(), "text/html", source)


def parse_json(body: bytes, source: PageSource) -> Columns:
    """Parse a PEP 691 page.

    :raises IndexResponseError: if it is not valid, of another version or of another project
    """
    page = _decode(body, source)
    check_api_version(page.meta.api_version, source)
    if page.name is not None and source.project and canonicalize_name(page.name) != source.project:
        raise source.error(
            f"the index answered with the page of another project: {page.name!a}",
            rule="page-project",
        )
    return _build_columns(page.files, source)


def _decode(body: bytes, source: PageSource) -> _Page:
    try:
        return _PAGES.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        try:
            version = _VERSIONS.decode(body).meta.api_version
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            version = "1.0"
        check_api_version(version, source)
        raise source.error(
            f"the index answered with JSON that is not a project page: {error}",
            hint=_URL_HINT,
            rule="page-json",
        ) from error


def _build_columns(files: list[_File], source: PageSource) -> Columns:
    """Skip files with a bad name or URL, and refuse two different files of the same name."""
    names = [file.filename for file in files]
    resolved = resolve_urls([file.url for file in files], source.url)
    urls = resolved.urls
    warnings: list[str] = []
    if resolved.problems or not are_plain_names(names):
        kept = []
        for position, name in enumerate(names):
            problem = find_filename_problem(name) or resolved.problems.get(position)
            if problem is None:
                kept.append(position)
            else:
                warnings.append(skip_warning(name, problem, source))
        files, urls = [files[i] for i in kept], [urls[i] for i in kept]
    if len({file.filename for file in files}) != len(files):
        kept = _find_first(files, source)
        files, urls = [files[i] for i in kept], [urls[i] for i in kept]
    sha256, hashes = separate_hashes([file.hashes or None for file in files])
    metadata_sha256, metadata_hashes = separate_hashes([_metadata_hashes(file) for file in files])
    return Columns(
        filenames=[file.filename for file in files],
        urls=urls,
        sha256=sha256,
        sizes=[-1 if file.size is None else file.size for file in files],
        requires_python=[file.requires_python or "" for file in files],
        upload_times=[file.upload_time or "" for file in files],
        metadata_sha256=metadata_sha256,
        yanked={
            position: file.yanked if isinstance(file.yanked, str) else ""
            for position, file in enumerate(files)
            if file.yanked or file.yanked == ""
        },
        hashes=hashes,
        metadata_hashes=metadata_hashes,
        warnings=warnings,
    )


def _find_first(files: list[_File], source: PageSource) -> list[int]:
    """The positions of the first file of each name."""
    first: dict[str, int] = {}
    for position, file in enumerate(files):
        known = files[first.setdefault(file.filename, position)]
        check_duplicate(file.filename, known.hashes, file.hashes, source)
    return list(first.values())


def _metadata_hashes(file: _File) -> dict[str, str] | None:
    # PEP 714: the new key takes precedence; of the old one, indexes write two spellings.
    value = file.core_metadata
    if value is None:
        value = file.dist_info_metadata
        if value is None:
            value = file.data_dist_info_metadata
    if isinstance(value, dict):
        return value
    return {} if value else None
