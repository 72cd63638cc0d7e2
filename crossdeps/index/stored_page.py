"""A page as it is kept, and for how long it may be used without asking."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A page is asked for again after this many seconds, whatever its index says: new releases and
# yanks must be seen some day.
LONGEST_FRESHNESS = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPage:
    """A page as an index gave it.

    :param url: the final URL, after redirects, without credentials
    :param content_type: the Content-Type header
    :param etag: for ``If-None-Match``; empty where there was none
    :param last_modified: for ``If-Modified-Since``; empty where there was none
    :param fetched: seconds since the epoch when it was last known to be right
    :param fresh_for: seconds after that in which it needn't be asked for
    """

    url: str
    content_type: str
    body: bytes
    etag: str = ""
    last_modified: str = ""
    fetched: float
    fresh_for: float

    def is_fresh(self, now: float) -> bool:
        """Whether it can be used without asking; never when the clock went backwards."""
        return 0 <= now - self.fetched < self.fresh_for

    def conditions(self) -> dict[str, str]:
        """Headers that ask whether it is still right (RFC 9110, section 13.1)."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """A kept page without its body.

    :param page: its body is empty here
    :param body_sha256: of the body that is kept
    """

    page: StoredPage
    body_sha256: bytes

    def says(self, page: StoredPage) -> bool:
        """Whether keeping *page* would change nothing that is read later."""
        same = replace(page, body=b"", fetched=self.page.fetched) == self.page
        return (
            same and not page.fresh_for and self.body_sha256 == hashlib.sha256(page.body).digest()
        )


def read_freshness(headers: Mapping[str, str]) -> float | None:
    """Seconds for which an answer stays fresh (RFC 9111); None where it may not be stored.

    Without ``max-age`` an answer isn't fresh at all, and asked for again.
    """
    directives = headers.get("Cache-Control", "").lower()
    if "no-store" in directives:
        return None
    found = re.search(r"(?:^|[\s,])max-age=\"?([0-9]{1,10})", directives)
    if "no-cache" in directives or found is None:
        return 0.0
    age = headers.get("Age", "").strip()
    spent = int(age) if age.isascii() and age.isdigit() and len(age) <= 10 else 0
    return float(max(min(int(found[1]), LONGEST_FRESHNESS) - spent, 0))
