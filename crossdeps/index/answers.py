"""Answers of a server as errors: what was wrong, for which URL, and what to do."""

from __future__ import annotations

import datetime
import email.utils
import http
from typing import TYPE_CHECKING

from crossdeps.errors import (
    IndexRefusedError,
    IndexResponseError,
    IndexUnreachableError,
)
from crossdeps.index.origins import TELL_THE_INDEX, escape, show_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_HINTS = {
    401: "give credentials in the index URL, in netrc or with keyring",
    403: "the credentials, if there are any, aren't allowed to read this",
    404: "is the index URL right?",
    407: "the proxy wants credentials: put them in its URL",
    410: "what was there is gone for good",
    429: "the index limits how often it is asked; try again later",
}
_CERTIFICATE_HINT = (
    "if a company's proxy or index has its own certificate authority, give its bundle with --cert"
)


def refused(status: int, url: str, subject: str, *, attempts: int = 1) -> IndexRefusedError:
    """Make the error of a status that says no."""
    try:
        phrase = f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    times = f", {attempts} times" if attempts > 1 else ""
    hint = _HINTS.get(status, "try again later" if status >= 500 else TELL_THE_INDEX)
    return IndexRefusedError(
        f"the index answered {phrase}{times}", context=_context(subject, url), hint=hint
    )


def waits_too_long(seconds: float, cap: float, url: str, subject: str) -> IndexRefusedError:
    """Make the error of a Retry-After beyond reason."""
    return IndexRefusedError(
        f"the index wants to be asked again only after {seconds:.0f} seconds, "
        f"and more than {cap:.0f} aren't waited",
        context=_context(subject, url),
        hint="try again later",
    )


def untrustworthy(
    message: str, url: str, subject: str, *, rule: str, hint: str | None = None
) -> IndexResponseError:
    """Make the error of an answer that can't be understood or trusted."""
    return IndexResponseError(
        message, context=_context(subject, url), hint=hint or TELL_THE_INDEX, rule=rule
    )


def unreachable(
    reason: str, url: str, subject: str, *, attempts: int = 1, hint: str | None = None
) -> IndexUnreachableError:
    """Make the error of no answer."""
    times = f" ({attempts} attempts)" if attempts > 1 else ""
    return IndexUnreachableError(
        f"the index can't be reached: {reason}{times}",
        context=_context(subject, url),
        hint=hint or "check the index URL, the network and the proxy settings",
    )


def certificate_refused(
    reason: str, url: str, subject: str, *, bundle: str | None
) -> IndexUnreachableError:
    """Make the error of a failed TLS handshake, or of a bundle that can't be used."""
    error = unreachable(f"TLS failed: {reason}", url, subject, hint=_CERTIFICATE_HINT)
    if bundle is not None:
        error.context = (*error.context, f"certificates of {escape(bundle)}")
    return error


def _context(subject: str, url: str) -> tuple[str, ...]:
    shown = show_url(url)
    return (subject, shown) if subject else (shown,)


def read_retry_after(headers: Mapping[str, str], now: datetime.datetime) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110, section 10.2.3); None where it isn't readable.

    A date in the past is 0.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return max((moment - now).total_seconds(), 0.0)


def find_reason(error: BaseException, timeout: float) -> str:
    """Say in a few words why a connection failed, without the URLs that libraries put there."""
    seen: set[int] = set()
    chain: list[BaseException] = [error]
    names: list[str] = []
    while chain:
        each = chain.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        names.append(type(each).__name__)
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
        inner = [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
        chain.extend(item for item in inner if isinstance(item, BaseException))
    text = " ".join(names)
    if "Timeout" in text or "timeout" in text:
        return f"no answer for {timeout:g} seconds"
    if "NameResolution" in text or "gaierror" in text:
        return "the host name can't be resolved"
    if "IncompleteRead" in text or "Protocol" in text or "RemoteDisconnected" in text:
        return "the connection broke off"
    return names[-1]
