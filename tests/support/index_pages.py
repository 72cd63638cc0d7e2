"""Simple index pages as an index writes them: JSON (PEP 691, 700) and HTML (PEP 503)."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from crossdeps.index.pages.columns import ParsedPage, open_page
from crossdeps.index.pages.index_page import parse_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crossdeps.index.pages.project_files import PageSource

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"
PLAIN_HTML_TYPE = "text/html; charset=utf-8"

MetadataKeys = Literal["none", "standard", "legacy", "both"]
"""Which keys announce separate metadata: none, PEP 714's, PEP 658's first ones, or both."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """One file as a page tells of it."""

    filename: str
    content: bytes
    hashes: Mapping[str, str]
    url: str | None = None
    size: int | None = None
    requires_python: str | None = None
    yanked: str | bool = False
    upload_time: str | None = None
    metadata: bytes | None = None
    metadata_hashes: Mapping[str, str] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def json_page(
    project: str,
    listings: Sequence[tuple[str, Listing]],
    *,
    api_version: str = "1.1",
    metadata_keys: MetadataKeys = "both",
) -> bytes:
    """A project's page as JSON; *listings* are URLs with what they lead to."""
    page: dict[str, Any] = {
        "meta": {"api-version": api_version},
        "name": project,
        "files": [_json_file(url, listing, metadata_keys) for url, listing in listings],
    }
    if tuple(int(part) for part in api_version.split(".")) >= (1, 1):
        versions = (listing.filename.split("-")[1] for _, listing in listings)
        page["versions"] = list(
            dict.fromkeys(version.removesuffix(".tar.gz") for version in versions)
        )
    return json.dumps(page).encode()


def _json_file(url: str, listing: Listing, metadata_keys: MetadataKeys) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": listing.filename,
        "url": url,
        "hashes": dict(listing.hashes),
        "yanked": listing.yanked,
    }
    optional = {
        "requires-python": listing.requires_python,
        "size": listing.size,
        "upload-time": listing.upload_time,
    }
    entry |= {key: value for key, value in optional.items() if value is not None}
    if listing.metadata is not None:
        hashes = listing.metadata_hashes
        announced = dict(hashes) if hashes else True
        if metadata_keys in {"standard", "both"}:
            entry["core-metadata"] = announced
        if metadata_keys in {"legacy", "both"}:
            entry["data-dist-info-metadata"] = announced
    return entry | dict(listing.more)


def html_page(
    project: str,
    listings: Sequence[tuple[str, Listing]],
    *,
    api_version: str = "1.1",
    metadata_keys: MetadataKeys = "both",
) -> bytes:
    """A project's page, or a flat folder of links, as HTML5."""
    lines = [
        "<!DOCTYPE html>",
        "<html>",
        f'<head><meta name="pypi:repository-version" content="{html.escape(api_version)}">',
        f"<title>Links for {html.escape(project)}</title></head>",
        "<body>",
        *(_anchor(url, listing, metadata_keys) for url, listing in listings),
        "</body></html>",
        "",
    ]
    return "\n".join(lines).encode()


def _anchor(url: str, listing: Listing, metadata_keys: MetadataKeys) -> str:
    for algorithm, digest in list(listing.hashes.items())[:1]:
        url += f"#{algorithm}={digest}"
    attributes = {"href": url}
    if listing.requires_python is not None:
        attributes["data-requires-python"] = listing.requires_python
    if listing.yanked is not False:
        attributes["data-yanked"] = "" if listing.yanked is True else listing.yanked
    if listing.metadata is not None:
        hashes = list((listing.metadata_hashes or {}).items())
        announced = "=".join(hashes[0]) if hashes else "true"
        if metadata_keys in {"standard", "both"}:
            attributes["data-core-metadata"] = announced
        if metadata_keys in {"legacy", "both"}:
            attributes["data-dist-info-metadata"] = announced
    written = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<a {written}>{html.escape(listing.filename)}</a><br>"


def parse_page(body: bytes, content_type: str, source: PageSource) -> ParsedPage:
    """The files of a page, as a client has them that has just fetched it."""
    return open_page(parse_columns(body, content_type, source), source.index)
