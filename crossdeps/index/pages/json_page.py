"""PEP 691 pages: JSON, decoded straight into typed records."""

from __future__ import annotations

import datetime
import re
import urllib.parse
from typing import Annotated

import msgspec

from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.project_files import (
    PageSource,
    ParsedPage,
    ProjectFiles,
    check_api_version,
    check_duplicate,
    filename_problem,
    resolve_url,
    skipped,
)

# A page of tens of thousands of files is checked as two long strings; only where one of them is
# odd are its files looked at one by one. Newlines separate the names, and the URLs.
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
    """What is read of a page that doesn't decode, to tell a new version from nonsense."""

    meta: _Meta


# Made here, once, under Python's import lock: msgspec learns a type when it first meets it, and
# two threads that make it learn the same one at once crash the process.
_PAGES = msgspec.json.Decoder(_Page)
_VERSIONS = msgspec.json.Decoder(_Versioned)


def parse_json(body: bytes, source: PageSource) -> ParsedPage:
    """Read a PEP 691 page.

    :raises IndexResponseError: if it isn't one, is of another version or of another project
    """
    page = _decode(body, source)
    check_api_version(page.meta.api_version, source)
    if page.name is not None and source.project and _normalized(page.name) != source.project:
        raise source.refuse(
            f"the index answered with the page of another project, {page.name!a}",
            rule="page-project",
        )
    files, warnings = _checked(page.files, source)
    base, index = source.url, source.index

    def build(place: int) -> ProjectFile:
        return _project_file(files[place], base, index)

    return ParsedPage(
        files=ProjectFiles([file.filename for file in files], build), warnings=warnings
    )


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _decode(body: bytes, source: PageSource) -> _Page:
    try:
        return _PAGES.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        try:
            version = _VERSIONS.decode(body).meta.api_version
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            version = "1.0"
        check_api_version(version, source)
        raise source.refuse(
            f"the index answered with something that isn't a page of files: {error}",
            hint="is the URL that of a simple repository API, usually ending in /simple?",
            rule="page-json",
        ) from error


def _checked(files: list[_File], source: PageSource) -> tuple[list[_File], tuple[str, ...]]:
    """Leave out the files that may not be taken, and refuse two contents under one name."""
    warnings: list[str] = []
    names = {file.filename for file in files}
    if not (_are_plain_names(names) and _are_plain_urls([file.url for file in files])):
        files = [file for file in files if _is_fit(file, source, warnings)]
    if len(names) != len(files):
        files = _without_repeats(files, source)
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


def _is_fit(file: _File, source: PageSource, warnings: list[str]) -> bool:
    problem = filename_problem(file.filename)
    if problem is None:
        try:
            resolve_url(file.url, source.url)
        except ValueError as error:
            problem = str(error)
    if problem is not None:
        warnings.append(skipped(file.filename, problem, source))
    return problem is None


def _without_repeats(files: list[_File], source: PageSource) -> list[_File]:
    first: dict[str, _File] = {}
    for file in files:
        known = first.setdefault(file.filename, file)
        check_duplicate(file.filename, known.hashes, file.hashes, source)
    return list(first.values())


def _project_file(file: _File, base: str, index: str) -> ProjectFile:
    return ProjectFile(
        filename=file.filename,
        url=_absolute(file.url, base),
        hashes=_lower(file.hashes),
        size=file.size,
        requires_python=file.requires_python or None,
        upload_time=read_time(file.upload_time),
        yanked=_yanked(file.yanked),
        metadata_hashes=_metadata_hashes(file),
        index=index,
    )


def _absolute(url: str, base: str) -> str:
    if _PLAIN_URL.fullmatch(url):
        return url
    try:
        return resolve_url(url, base)[0]
    except ValueError:  # checked before; kept so that making a file can't fail
        return urllib.parse.urljoin(base, url)


def _lower(hashes: dict[str, str]) -> dict[str, str]:
    return {name.lower(): digest.lower() for name, digest in hashes.items()}


def _yanked(value: bool | str | None) -> str | None:  # noqa: FBT001 - PEP 592's own shape
    if isinstance(value, str):
        return value
    return "" if value else None


def _metadata_hashes(file: _File) -> dict[str, str] | None:
    # PEP 714: the new key first, whatever the old ones say; of those, indexes write two.
    for value in (file.core_metadata, file.dist_info_metadata, file.data_dist_info_metadata):
        if isinstance(value, dict):
            return _lower(value)
        if value is not None:
            return {} if value else None
    return None


def read_time(text: str | None) -> datetime.datetime | None:
    """An upload time (PEP 700: ``yyyy-mm-ddThh:mm:ss.ffffffZ``); None where it isn't one."""
    if not text:
        return None
    try:
        if len(text) == 27 and text[-1] == "Z":  # how the standard wants it
            return datetime.datetime.fromisoformat(text[:-1] + "+00:00")
        time = datetime.datetime.fromisoformat(_six_digits(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def _six_digits(text: str) -> str:
    # Before Python 3.11 fromisoformat reads neither "Z" nor fractions of other than 3 or 6 digits.
    if text[-1] in "Zz":
        text = text[:-1] + "+00:00"
    found = re.fullmatch(r"(.{19})\.([0-9]{1,9})([+-].*)?", text)
    return f"{found[1]}.{found[2][:6]:0<6}{found[3] or ''}" if found else text
