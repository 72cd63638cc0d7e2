"""What an index may do to a request, besides answering it.

Each function gives a :class:`Fault`: a change to the answer that would have been given. A script
is a list of them, used up in order (:meth:`tests.support.index_server.IndexServer.script`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A change to an answer; the default changes nothing.

    :param code: another status
    :param headers: headers set, or removed where the value is ``None``
    :param content: another body
    :param keep: body bytes after which the connection ends; the headers promise all of them
    :param abort: end the connection by a reset; before the status line when *keep* is ``None``
    :param pause: seconds without a byte, after *pause_after* body bytes, or before the status line
        when that is ``None``
    """

    code: int | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    content: bytes | None = None
    keep: int | None = None
    abort: bool = False
    pause: float = 0.0
    pause_after: int | None = None


def normal() -> Fault:
    """The answer as it would have been: lets a script hit a later request."""
    return Fault()


def status(
    code: int, *, headers: Mapping[str, str | None] | None = None, content: bytes = b"no\n"
) -> Fault:
    """Another status, with a short text as its body."""
    return Fault(code=code, headers=headers or {}, content=content)


def retry_later(code: int = 503, *, after: str = "1") -> Fault:
    """429 or 503 with ``Retry-After``: seconds or an HTTP date."""
    return status(code, headers={"Retry-After": after})


def reset(*, after: int | None = None) -> Fault:
    """Reset the connection before the answer, or after so many bytes of its body."""
    return Fault(abort=True, keep=after)


def short_body(keep: int) -> Fault:
    """Promise the whole body, close the connection after *keep* bytes."""
    return Fault(keep=keep)


def stall(seconds: float, *, after: int | None = None) -> Fault:
    """Send nothing for *seconds*: before the answer, or after so many bytes of its body."""
    return Fault(pause=seconds, pause_after=after)


def other_body(content: bytes, *, content_type: str | None = None) -> Fault:
    """Other bytes, under the same headers otherwise: garbage, or a resume that doesn't fit."""
    return Fault(content=content, headers={"Content-Type": content_type} if content_type else {})


def content_type(value: str | None) -> Fault:
    """The right body, declared as something else, or as nothing."""
    return Fault(headers={"Content-Type": value})


def redirect(location: str, *, code: int = 302) -> Fault:
    """Send the client elsewhere."""
    return Fault(code=code, headers={"Location": location}, content=b"")


def content_range(value: str | None, *, code: int | None = 206) -> Fault:
    """The right bytes under another ``Content-Range``."""
    return Fault(code=code, headers={"Content-Range": value})
