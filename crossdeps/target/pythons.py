"""CPython versions: reading what users write, and the newest patch release of each minor one."""

from __future__ import annotations

import re

from crossdeps.errors import TargetError

# The newest patch release of each minor version known at release time (python.org, as of
# November 2026). A bare ``3.9`` means this one, so that a requirement that excludes an early patch
# release turns nobody away.
NEWEST_PATCH: dict[int, int] = {
    7: 17, 8: 20, 9: 25, 10: 22, 11: 18, 12: 16, 13: 18, 14: 10, 15: 2,
}  # fmt: skip


def full_version(text: str) -> str:
    """The full version that a user's ``3.9``, ``39`` or ``3.9.19`` means.

    :returns: MAJOR.MINOR.PATCH
    :raises TargetError: if it isn't a version of Python 3
    """
    match = re.fullmatch(r"3\.?(\d{1,2})(?:\.(\d{1,2}))?", text.strip())
    if match is None or int(match[1]) < min(NEWEST_PATCH):
        hint = f"a version of Python from 3.{min(NEWEST_PATCH)} on, such as 3.9 or 3.9.19"
        if re.fullmatch(r"3\.?\d{1,2}t", text.strip()):
            plain = text.strip().rstrip("t")
            hint = f"the free-threaded build is --python {plain} --abi cp{plain.replace('.', '')}t"
        elif text.strip().startswith("python"):
            hint = f"--runtime {text.strip()} names a Lambda runtime; --python takes 3.9 or 3.9.19"
        raise TargetError(f"unknown Python version {text!r}", hint=hint)
    minor = int(match[1])
    patch = int(match[2]) if match[2] else NEWEST_PATCH.get(minor, 0)
    return f"3.{minor}.{patch}"
