"""The habits of an index on loopback, and the record that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.index_pages import MetadataKeys


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The habits of an index.

    :param form: JSON or HTML by the ``Accept`` header, or always the same
    :param metadata_keys: how separate metadata (PEP 658) is announced; ``none``: not offered
    :param ranges: ``full``; ``no-suffix`` answers 501 to ``bytes=-N``; ``ignored`` answers 200
    :param etags: give ``ETag``, and 304 to a fitting ``If-None-Match``
    :param cache_control: the ``Cache-Control`` of pages
    :param absent_cache_control: the same of the answer that there is no page
    :param compress: gzip pages for those who accept it
    :param relative_urls: link files by relative URLs
    :param redirect_slash: send ``/simple/foo`` to ``/simple/foo/`` (404 otherwise)
    :param credentials: user and password of basic authentication, for every path
    :param latency: seconds before each answer
    :param hashes: whether pages tell them; likewise *sizes* and *upload_times*
    :param files_base: another origin that files are linked from, such as another server's
    """

    form: Literal["negotiate", "json", "html"] = "negotiate"
    api_version: str = "1.1"
    metadata_keys: MetadataKeys = "none"
    ranges: Literal["full", "no-suffix", "ignored"] = "full"
    etags: bool = False
    cache_control: str | None = None
    absent_cache_control: str | None = None
    compress: bool = False
    relative_urls: bool = False
    redirect_slash: bool = True
    credentials: tuple[str, str] | None = None
    latency: float = 0.0
    hashes: bool = True
    sizes: bool = True
    upload_times: bool = True
    files_base: str | None = None


def plain_settings() -> Settings:
    """A simple mirror: JSON and ranges; no separate metadata, ETag or cache headers."""
    return Settings(form="json")


def pypi_like_settings() -> Settings:
    """What the Python Package Index does: PEP 658 metadata, ETag, ten minutes of freshness."""
    return Settings(metadata_keys="both", etags=True, cache_control="max-age=600", compress=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request that arrived, and the status that it got (0: the connection was cut first)."""

    method: str
    path: str
    headers: Mapping[str, str]
    status: int
