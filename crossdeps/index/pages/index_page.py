"""Index pages (PEP 691, PEP 503): the JSON form is parsed here, the HTML form in html_page.

Pure: bytes and a URL in, values out. Both forms of a page give the same files.
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Annotated

import msgspec
from packaging.utils import canonicalize_name

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


def parse_page(body: bytes, content_type: str, source: PageSource) -> ParsedPage:
    """Parse a page according to its content type (PEP 691).

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


# A page of tens of thousands of files is checked as two long strings; only if one of them has an
# unusual character are its files checked one by one. Newlines separate the names, and the URLs.
_PLAIN_NAME_BYTES = bytes(set(range(0x20, 0x7F)) - set(b"/\\%")) + b"\n"
_PLAIN_URL_BYTES = bytes(set(range(0x21, 0x7F)) - set(b'#<>"\\^`{|}[]')) + b"\n"
# An https URL that needs no resolving.
_PLAIN_URL = re.compile(r"(https://[a-z0-9.-]+(?::[0-9]{1,5})?/)[!$-;=?-Z_a-z~%]*")


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


def parse_json(body: bytes, source: PageSource) -> ParsedPage:
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
    files, warnings = _filter_files(page.files, source)
    base, index = source.url, source.index

    def create(position: int) -> ProjectFile:
        return _create_file(files[position], base, index)

    return ParsedPage(
        files=ProjectFiles([file.filename for file in files], create), warnings=warnings
    )


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


def _filter_files(files: list[_File], source: PageSource) -> tuple[list[_File], tuple[str, ...]]:
    """Skip files with a bad name or URL, and refuse two different files of the same name."""
    warnings: list[str] = []
    names = {file.filename for file in files}
    if not (_are_plain_names(names) and _are_plain_urls([file.url for file in files])):
        files = [file for file in files if _is_valid(file, source, warnings)]
    if len(names) != len(files):
        files = _without_duplicates(files, source)
    return files, tuple(warnings)


def _are_plain_names(names: set[str]) -> bool:
    joined = "\n".join(names)
    return (
        joined.count("\n") == max(len(names) - 1, 0)
        and not names & {"", ".", ".."}
        and max(map(len, names), default=0) <= 255
        and _has_only(joined, _PLAIN_NAME_BYTES)
    )


def _are_plain_urls(urls: list[str]) -> bool:
    first = _PLAIN_URL.fullmatch(urls[0]) if urls else None
    if first is None:
        return not urls
    joined, host = "\n".join(urls), first[1]
    return (
        joined.count("\n") == len(urls) - 1
        and _has_only(joined, _PLAIN_URL_BYTES)
        and all(url.startswith(host) for url in urls)
    )


def _has_only(text: str, allowed: bytes) -> bool:
    return text.isascii() and not text.encode("ascii").translate(None, allowed)


def _is_valid(file: _File, source: PageSource, warnings: list[str]) -> bool:
    problem = find_filename_problem(file.filename)
    if problem is None:
        try:
            resolve_url(file.url, source.url)
        except ValueError as error:
            problem = str(error)
    if problem is not None:
        warnings.append(skip_warning(file.filename, problem, source))
    return problem is None


def _without_duplicates(files: list[_File], source: PageSource) -> list[_File]:
    first: dict[str, _File] = {}
    for file in files:
        known = first.setdefault(file.filename, file)
        check_duplicate(file.filename, known.hashes, file.hashes, source)
    return list(first.values())


def _create_file(file: _File, base: str, index: str) -> ProjectFile:
    return ProjectFile(
        filename=file.filename,
        url=_absolute(file.url, base),
        hashes=_lower_case(file.hashes),
        size=file.size,
        requires_python=file.requires_python or None,
        upload_time=read_upload_time(file.upload_time),
        yanked=_yanked(file.yanked),
        metadata_hashes=_metadata_hashes(file),
        index=index,
    )


def _absolute(url: str, base: str) -> str:
    if _PLAIN_URL.fullmatch(url):
        return url
    try:
        return resolve_url(url, base)[0]
    except ValueError:  # already checked; creating a file must not fail
        return urllib.parse.urljoin(base, url)


def _lower_case(hashes: dict[str, str]) -> dict[str, str]:
    return {name.lower(): digest.lower() for name, digest in hashes.items()}


def _yanked(value: bool | str | None) -> str | None:  # noqa: FBT001 - PEP 592's own shape
    if isinstance(value, str):
        return value
    return "" if value else None


def _metadata_hashes(file: _File) -> dict[str, str] | None:
    # PEP 714: the new key takes precedence; of the old one, indexes write two spellings.
    for value in (file.core_metadata, file.dist_info_metadata, file.data_dist_info_metadata):
        if isinstance(value, dict):
            return _lower_case(value)
        if value is not None:
            return {} if value else None
    return None
