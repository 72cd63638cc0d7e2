"""One sentence for each project that the target keeps on an older version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.target import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.resolution import PassedOver


def describe_downgrade(name: str, version: str, passed_over: Sequence[PassedOver]) -> str:
    """Say which newer version exists and what it would take, or nothing where none was forced.

    :returns: such as ``numpy 2.2.6, not 2.5.5: its wheels need glibc 2.28; python3.12 and later
        have it``
    """
    forced = next((item for item in passed_over if item.forced_by_target), None)
    if forced is None:
        return ""
    return f"{name} {version}, not {forced.version}: {_reason(forced)}"


def _reason(item: PassedOver) -> str:
    if item.reason == "glibc":
        return f"its wheels need glibc {item.detail}{_runtimes_with(item.detail)}"
    if item.reason == "requires-python":
        return f"it requires Python {item.detail}"
    if item.reason == "sdist":
        return "it has no wheels, only a source distribution"
    if item.reason in {"python-tag", "abi-tag"}:
        return f"its wheels are for other Pythons ({item.detail})"
    if item.reason == "platform-tag":
        return f"its wheels are for other platforms ({item.detail})"
    return f"{item.reason} {item.detail}".strip()


def _runtimes_with(glibc: str) -> str:
    try:
        major, minor = (int(part) for part in glibc.split("."))
    except ValueError:
        return ""
    fitting = [r.name for r in RUNTIMES.values() if r.libc.version >= (major, minor)]
    return f"; {fitting[0]} and later have it" if fitting else "; no Lambda runtime has it"
