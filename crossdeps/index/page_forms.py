"""Index pages into project files, whichever form they come in.

Pure: bytes and a URL in, values out. Both forms of a page give the same files (PEP 503, PEP 691).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossdeps.index.origins import escape
from crossdeps.index.pages import check_api_version

if TYPE_CHECKING:
    from crossdeps.index.pages import PageSource, ParsedPage

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
        from crossdeps.index.json_page import parse_json  # noqa: PLC0415 - loads msgspec

        return parse_json(body, source)
    if kind in HTML_TYPES:
        from crossdeps.index.html_page import parse_html  # noqa: PLC0415 - seldom needed

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
