"""Reading moments: a date, a time, or how long ago."""

from __future__ import annotations

import datetime
import re

from crossdeps.errors import UsageError

_DURATION = re.compile(
    r"(?P<count>\d{1,5})\s*(?P<unit>minute|hour|day|week)s?(?:\s+ago)?", re.IGNORECASE
)
_ISO_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?)?"
)


def parse_moment(text: str, *, now: datetime.datetime | None = None) -> datetime.datetime:
    """Read ``2026-11-01``, ``2026-11-01T12:00:00Z``, ``7 days`` or ``P7D``.

    A date means its first moment, and everything is UTC where no zone is given.

    >>> parse_moment("2026-11-01").isoformat()
    '2026-11-01T00:00:00+00:00'

    :param now: what durations count back from; the clock's by default
    :returns: an aware datetime
    :raises UsageError: if it is none of these
    """
    said = text.strip()
    ago = _duration(said)
    if ago is not None:
        return (now or datetime.datetime.now(datetime.timezone.utc)) - ago
    try:
        # Python 3.10's parser doesn't know the Z of RFC 3339.
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", said))
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a date nor a duration",
            hint="such as 2026-11-01, 2026-11-01T12:00:00Z, '7 days' or P7D",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def _duration(text: str) -> datetime.timedelta | None:
    if match := _DURATION.fullmatch(text):
        return datetime.timedelta(**{match["unit"].lower() + "s": int(match["count"])})
    match = _ISO_DURATION.fullmatch(text)
    if match and any(match.groups()):
        return datetime.timedelta(**{unit: int(n) for unit, n in match.groupdict("0").items()})
    return None
